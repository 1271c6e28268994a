"""Activation hooks: variables in, script text out; one module a shell.

Every script keeps what it needs in exported variables: ``_ENVFIX_<key>`` says that the hook is in
force, ``_ENVFIX_<key>_<NAME>`` is what NAME was before and is missing if NAME was. To activate is
to restore, to save and to change; to deactivate is to restore. So each may run twice, or alone.
"""
