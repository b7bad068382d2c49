"""One option: its default, unit, range and meaning, and the only place where values are checked."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, overload

T = TypeVar("T")
_KEY = "seawall.option"


@dataclass(frozen=True, slots=True)
class Spec:
    """What an option was declared with, and what it accepts.

    Args:
        name: Its name.
        kind: float, int, bool, str, an Enum, or object for whatever is not checked.
        choices: The only values it may have, when they can be listed.
        optional: Whether None is a value.
        unit: Unit of its values, for people; "s" also accepts a timedelta.
        least: Smallest value.
        above: Value that must be exceeded.
        most: Largest value.
        help: Meaning, a phrase without a full stop.
        default: Default value, or dataclasses.MISSING.
        check: Further check: None when the value is good, else what it must be.
    """

    name: str
    kind: Any
    choices: tuple[Any, ...]
    optional: bool
    unit: str
    least: float | None
    above: float | None
    most: float | None
    help: str
    default: Any
    check: Callable[[Any], str | None] | None

    def checked(self, value: Any) -> tuple[Any, str | None]:
        """The value as it is kept and None, or the value and what is wrong with it."""
        if value is None and self.optional:
            return None, None
        kept, good = _coerce(self, value)
        wants = None if good else self.expects()
        if good and self.check is not None:
            wants = self.check(kept)
        return (kept, None) if wants is None else (value, self._says(f"must be {wants}, got {_shown(value)}"))

    def missing(self) -> str:
        """What is wrong when a required option was not given."""
        return self._says("is required")

    def expects(self) -> str:
        """What a value must be, in words."""
        if self.choices:
            words = "one of " + ", ".join(_shown(choice) for choice in self.choices)
        elif self.kind in (int, float):
            words = self.range()
            if self.kind is int:
                words = f"a whole number{' ' if words.startswith(('at', 'above')) else ', '}{words}" if words else ""
            words = words or ("a whole number" if self.kind is int else "a finite number")
            words += f" {self.unit}" if self.unit else ""
        else:
            words = {bool: "True or False", str: "text"}.get(self.kind, str(getattr(self.kind, "__name__", "valid")))
        return f"{words} or None" if self.optional else words

    def range(self) -> str:
        """The range in words, without the unit; empty when there is none."""
        low = f"above {_number(self.above)}" if self.above is not None else _number(self.least)
        high = _number(self.most)
        if low and high:
            return f"{low} to {high}"
        if high:
            return f"at most {high}"
        return low if self.above is not None or not low else f"at least {low}"

    def _says(self, what: str) -> str:
        return f"{self.name} {what}; {self.help}" if self.help else f"{self.name} {what}"


@overload
def option(
    *,
    default: T,
    unit: str = "",
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    help: str = "",
    check: Callable[[Any], str | None] | None = None,
) -> T: ...
@overload
def option(
    *,
    default_factory: Callable[[], T],
    unit: str = "",
    help: str = "",
    check: Callable[[Any], str | None] | None = None,
) -> T: ...
@overload
def option(
    *,
    unit: str = "",
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    help: str = "",
    check: Callable[[Any], str | None] | None = None,
) -> Any: ...
def option(
    *,
    default: Any = dataclasses.MISSING,
    default_factory: Any = dataclasses.MISSING,
    unit: str = "",
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    help: str = "",
    check: Callable[[Any], str | None] | None = None,
) -> Any:
    """Declare a field of an `Options` class. All arguments by name, which is what type checkers need to see.

    Args:
        default: Value when none is given; without it the option is required.
        default_factory: Makes the default, where each object needs its own.
        unit: Unit for messages and tables. With "s", a timedelta is accepted and kept as seconds.
        least: Smallest value.
        above: Value that must be exceeded, in place of `least`.
        most: Largest value.
        help: Meaning, a phrase without a full stop.
        check: Further check of the value as kept: None when it is good, else what it must be ("a power of two").
    """
    metadata = {_KEY: {"unit": unit, "least": least, "above": above, "most": most, "help": help, "check": check}}
    if default_factory is not dataclasses.MISSING:
        return dataclasses.field(default_factory=default_factory, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def spec_of(field: dataclasses.Field[Any], annotation: Any) -> Spec:
    """The declaration of a dataclass field, `annotation` being its resolved type."""
    declared = field.metadata.get(_KEY)
    if declared is None:
        declared = {"unit": "", "least": None, "above": None, "most": None, "help": "", "check": None}
    kind, optional = _without_none(annotation)
    choices: tuple[Any, ...] = ()
    if get_origin(kind) is Literal:
        choices, kind = get_args(kind), object
    elif isinstance(kind, type) and issubclass(kind, Enum):
        choices = tuple(kind)
    elif kind not in (bool, int, float, str):
        kind = object
    default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory
    return Spec(name=field.name, kind=kind, choices=choices, optional=optional, default=default, **declared)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation, False
    kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
    optional = len(kinds) < len(get_args(annotation))
    # Durations are annotated float | timedelta, so that type checkers let both in.
    kinds = [kind for kind in kinds if kind is not timedelta] if float in kinds else kinds
    return (kinds[0] if len(kinds) == 1 else object), optional


def _coerce(spec: Spec, value: Any) -> tuple[Any, bool]:
    """The value as it is kept, and whether it is one of those accepted."""
    if spec.choices:
        return _choose(spec, value)
    if spec.kind in (int, float):
        return _to_number(spec, value)
    good = spec.kind is object or isinstance(value, spec.kind)
    return value, good


def _choose(spec: Spec, value: Any) -> tuple[Any, bool]:
    for choice in spec.choices:
        # True == 1, but it is not the same choice.
        if type(choice) is type(value) and choice == value:
            return choice, True
        if isinstance(choice, Enum) and not isinstance(value, Enum) and choice.value == value:
            return choice, True
    return value, False


def _to_number(spec: Spec, value: Any) -> tuple[Any, bool]:
    if isinstance(value, timedelta) and spec.unit == "s" and spec.kind is float:
        value = value.total_seconds()
    accepted = int if spec.kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, accepted):
        return value, False
    try:
        number = spec.kind(value)
    except OverflowError:
        return value, False
    inside = (
        math.isfinite(number)
        and (spec.least is None or number >= spec.least)
        and (spec.above is None or number > spec.above)
        and (spec.most is None or number <= spec.most)
    )
    return number, inside


def _shown(value: Any) -> str:
    text = repr(value.value) if isinstance(value, Enum) else repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.12g}"
