"""Activation hooks: variables in, script text out; and scripts of others, read and never run.

Every script keeps what it needs in exported variables: while a hook is in force there is, for each
NAME that it changes, either ``_ENVFIX_<key>_<NAME>`` with what NAME was, or
``_ENVFIX_NO_<key>_<NAME>`` where NAME was not set. To activate is to restore, to save and to change;
to deactivate is to restore. So each may run twice, or alone, or after another that it replaced.
"""
