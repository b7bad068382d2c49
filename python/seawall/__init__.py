"""seawall: guards that cost nanoseconds, measurements that do not lie.

Every public name is importable from here and loaded when it is first used.
"""
