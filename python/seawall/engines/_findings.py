"""What a linter of server settings finds."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """A setting of the server that can lose what seawall keeps there.

    Attributes:
        setting: Its name in the server.
        value: What it is.
        danger: What can be lost, a sentence.
        remedy: What to set it to, and how.
    """

    setting: str
    value: str
    danger: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.setting} is {self.value}: {self.danger}; {self.remedy}"
