"""Names: of coordinators and participants, of transactions, and what a database is told to call its part."""

from __future__ import annotations

import re
from typing import NamedTuple

from seawall.errors import ConfigError

_NAME = re.compile("[A-Za-z0-9_-]{1,40}")
_GID = re.compile(r"seawall\.([A-Za-z0-9_-]{1,40})\.([0-9a-f]{8})\.([0-9a-f]{32})\.([A-Za-z0-9_-]{1,40})")
KIND_NAME = "2pc"
MEMBER_NAME = "2pc_member"


def name_of(value: object, what: str) -> str:
    """A name of a coordinator or participant, as it goes into a database's name for its part."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ConfigError(f"{what} must be 1 to 40 ASCII letters, digits, '-' and '_', got {value!r}")
    return value


class Gid(NamedTuple):
    """What a prepared transaction is called in `pg_prepared_xacts`, at most 180 bytes.

    Attributes:
        coordinator: Name of the coordinator.
        log: Which log decides: eight hexadecimal digits that were made with the log. Another log of the same name
            knows nothing of the transaction, and so may presume nothing.
        number: 32 hexadecimal digits.
        participant: Whose part it is: several may be databases of one server.
    """

    coordinator: str
    log: str
    number: str
    participant: str

    @property
    def transaction(self) -> str:
        """The transaction's id, as all participants and the log know it."""
        return f"{self.coordinator}.{self.log}.{self.number}"

    def __str__(self) -> str:
        return f"seawall.{self.transaction}.{self.participant}"


def gid_of(text: str) -> Gid | None:
    """Read a name from the database; None when seawall has not given it."""
    found = _GID.fullmatch(text)
    return Gid(*found.groups()) if found else None
