"""Adapter: an object is checked against a protocol when it is handed over, not when it is first called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from seawall._errors import ConfigError
from seawall.patterns._conformity import faults, members

T = TypeVar("T")


def is_protocol(kind: object) -> bool:
    """Whether `kind` is a typing.Protocol."""
    return bool(getattr(kind, "_is_protocol", False))


def missing_parts(obj: object, protocol: type, rename: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """What `obj` lacks of `protocol`, one phrase a part; empty when nothing is missing.

    Args:
        obj: What is to be used as a `protocol`.
        protocol: A typing.Protocol.
        rename: Names of the protocol that are called otherwise in `obj`.
    """
    renamed = rename or {}
    return tuple(
        fault
        for name, expected in members(protocol).items()
        for fault in faults(obj, renamed.get(name, name), expected)
    )


def conform(obj: object, protocol: type[T]) -> T:
    """`obj` itself, if it has every part of `protocol`.

    Checked: attributes exist; methods are callable, asynchronous where the protocol's are, and take the parameters that
    callers of the protocol may pass. Types of parameters are not.

    Raises:
        ConfigError: Names every missing or wrong part.
    """
    return Adapter(protocol).wrap(obj)


class Adapter(Generic[T]):
    """Wraps objects as a protocol.

    Args:
        protocol: A typing.Protocol.

    Example:
        >>> from typing import Protocol
        >>> class Door(Protocol):
        ...     def enter(self, who: str) -> bool: ...
        >>> class Gate:
        ...     def acquire(self, who):
        ...         return who == "me"
        >>> Adapter(Door).wrap(Gate(), rename={"enter": "acquire"}).enter("me")
        True
        >>> Adapter(Door).wrap(Gate())
        Traceback (most recent call last):
        seawall.errors.ConfigError: Gate is no Door: enter is missing
    """

    def __init__(self, protocol: type[T]) -> None:
        if not is_protocol(protocol):
            raise ConfigError(f"an adapter needs a typing.Protocol, got {protocol!r}")
        self.protocol = protocol

    def wrap(self, obj: object, *, rename: Mapping[str, str] | None = None) -> T:
        """`obj` itself, or with `rename` a thin object before it.

        Args:
            obj: What is to be used as the protocol.
            rename: Names of the protocol that are called otherwise in `obj`.

        Raises:
            ConfigError: Names every missing or wrong part.
        """
        unknown = sorted(set(rename or ()) - set(members(self.protocol)))
        if unknown:
            raise ConfigError(
                f"rename must map names of {self.protocol.__qualname__} ({', '.join(members(self.protocol))}), "
                f"got {', '.join(unknown)}"
            )
        missing = missing_parts(obj, self.protocol, rename)
        if missing:
            raise ConfigError(f"{_name(obj)} is no {self.protocol.__qualname__}: {'; '.join(missing)}")
        wrapped: Any = _adapted(obj, rename) if rename else obj
        return wrapped  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"Adapter({self.protocol.__qualname__})"


class _Adapted:
    """Answers the protocol's names with the object's own; everything else is the object's."""

    __slots__ = ("_rename", "_target")

    def __init__(self, target: object, rename: Mapping[str, str]) -> None:
        self._target = target
        self._rename = dict(rename)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, self._rename.get(name, name))

    def __repr__(self) -> str:
        return f"<{_name(self._target)} adapted: {', '.join(f'{a} is {b}' for a, b in self._rename.items())}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _adapted, (self._target, self._rename)


def _adapted(target: object, rename: Mapping[str, str]) -> _Adapted:
    # Python looks for special methods in the type, never in __getattr__.
    special = {name: _forward(other) for name, other in rename.items() if name.startswith("__")}
    kind = type("Adapted", (_Adapted,), {"__slots__": (), **special}) if special else _Adapted
    made: _Adapted = kind(target, rename)
    return made


def _forward(name: str) -> Callable[..., Any]:
    def forward(self: _Adapted, *args: Any, **kwargs: Any) -> Any:
        return getattr(self._target, name)(*args, **kwargs)

    return forward


def _name(obj: object) -> str:
    return obj.__qualname__ if isinstance(obj, type) else type(obj).__qualname__
