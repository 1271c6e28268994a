"""The nouns: frozen facts, findings and fixes. Nothing here reads a disk.

Import each from its module: ``from reconciler.model.snapshot import Snapshot``.
"""
