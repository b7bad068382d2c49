"""The same work done by other libraries: one file each, imported only when it is measured."""

from benchmarks.versus._table import rivals

__all__ = ["rivals"]
