"""A file."""

from __future__ import annotations

from tests.contract.backends._base import Backend


class Sqlite(Backend):
    """One file for all tests of a process; each has its own namespace."""

    name = "sqlite"
    title = "sqlite"
    manual = True
    short = 0.1
    lasting = True
    history_option = "history"

    @property
    def url(self) -> str:
        """The file."""
        return f"sqlite:///{self.directory / 'state.db'}"
