"""Reconcile conda and pip for CUDA: what clashes in an environment, and why."""

__version__ = "0.1.0"
