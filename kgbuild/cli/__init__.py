"""The `kgbuild` command: one module a group of commands, rooms imported only when one runs.

Machine-readable output goes to stdout and nothing else does; progress and messages go to stderr.
Exit codes: 0 done, 1 finished but below a floor of the config, 2 the user can mend it, 130
interrupted.
"""
