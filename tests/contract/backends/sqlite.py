"""A file."""

from __future__ import annotations

from pathlib import Path

from tests.contract.backends._base import Backend


class Sqlite(Backend):
    """One file for all tests of a process; each has its own namespace."""

    name = "sqlite"
    title = "sqlite"
    sample_url = "sqlite:///state.db"
    manual = True
    short = 0.1
    lasting = True
    history_option = "history"

    @property
    def url(self) -> str:
        """The file."""
        return f"sqlite:///{self.directory / 'state.db'}"

    def url_for_processes(self, directory: Path) -> str:
        """A file of its own: one with the times of a test's clock in it is not for other processes."""
        return f"sqlite:///{directory / 'processes.db'}"
