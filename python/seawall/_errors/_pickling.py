"""How an error keeps its chain of causes through pickling.

Python's pickle drops `__cause__` and `__context__`. Here the chain is packed flat, one link after the other, so that a
chain of n errors costs n small pickles and a link that cannot travel takes nothing else with it.
"""

from __future__ import annotations

import pickle
from typing import Any

_LONGEST_CHAIN = 32
_PLAIN = (str, int, float, bool, bytes, type(None))

# pickled error (None when it does not pickle), type name, message, notes, whether it is the cause (else: the context)
_Link = tuple[bytes | None, str, str, list[str], bool]
_Chain = tuple[list[_Link], bool]


class CauseStandIn(Exception):
    """Stands in a chain for an error that could not be pickled, or not be made again where it arrived.

    Args:
        type_name: Module and name of the type it stands for.
        message: What that error said.
    """

    __module__ = "seawall.errors"

    def __init__(self, type_name: str, message: str) -> None:
        super().__init__(type_name, message)
        self.type_name = type_name
        self.message = message

    def __str__(self) -> str:
        return f"{self.type_name}: {self.message}" if self.message else self.type_name


def carried(value: Any) -> Any:
    """`value` if it pickles, else its repr."""
    return value if type(value) in _PLAIN or _dumps(value) is not None else _text(repr, value)


def alone(error: BaseException) -> tuple[type[BaseException], tuple[Any, ...], dict[str, Any]]:
    """Type, arguments and attributes of an error, as far as they pickle, without its chain."""
    fields = {name: carried(value) for name, value in error.__dict__.items()}
    return type(error), tuple(carried(value) for value in error.args), fields


def behind(error: BaseException) -> tuple[BaseException | None, bool]:
    """The error a traceback would show behind this one, and whether it is the cause (else: the context)."""
    if error.__cause__ is not None:
        return error.__cause__, True
    return (None if error.__suppress_context__ else error.__context__), False


def pack_chain(error: BaseException) -> _Chain:
    """The errors behind `error`, at most 32, each for itself; and whether `error` hides its context."""
    links: list[_Link] = []
    seen = {id(error)}
    link, is_cause = behind(error)
    while link is not None and id(link) not in seen and len(links) < _LONGEST_CHAIN:
        seen.add(id(link))
        notes = [str(note) for note in getattr(link, "__notes__", ())]
        links.append((_pack(link), _name(type(link)), _text(str, link), notes, is_cause))
        link, is_cause = behind(link)
    return links, error.__suppress_context__


def rebuild(kind: type[BaseException], args: tuple[Any, ...], fields: dict[str, Any], chain: _Chain) -> BaseException:
    """The error again, without running its `__init__`: a subclass may have any signature."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(fields)
    links, suppressed = chain
    last = error
    for link in links:
        unpacked = _unpack(link)
        if link[4]:
            last.__cause__ = unpacked
        else:
            last.__context__ = unpacked
        last = unpacked
    if suppressed:
        error.__suppress_context__ = True
    return error


def _pack(error: BaseException) -> bytes | None:
    # A link that would pack its own chain again would make the cost of a chain quadratic.
    return _dumps(alone(error) if getattr(type(error), "_packs_chain", False) else error)


def _unpack(link: _Link) -> BaseException:
    data, type_name, message, notes, _ = link
    try:
        error = pickle.loads(data) if data is not None else None
        if isinstance(error, tuple):
            kind, args, fields = error
            return rebuild(kind, args, fields, ([], False))
        if isinstance(error, BaseException):
            return error
    except Exception:  # noqa: BLE001 - a foreign __init__ or a missing module may raise anything
        pass
    stand_in = CauseStandIn(type_name, message)
    for note in notes:
        stand_in.add_note(note)
    return stand_in


def _dumps(value: Any) -> bytes | None:
    try:
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except Exception:  # noqa: BLE001 - a foreign __reduce__ may raise anything
        return None


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _text(say: Any, value: Any) -> str:
    try:
        return str(say(value))
    except Exception:  # noqa: BLE001 - an error's own __str__ may be broken, and this one must still travel
        return f"<{type(value).__name__} whose text cannot be shown>"
