"""Options: frozen, validated, and their own documentation."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeVar, dataclass_transform, get_type_hints

from seawall._errors import ConfigError
from seawall.patterns._names import listed, nearest
from seawall.patterns._option import Spec, option, spec_of
from seawall.patterns._table import row

O = TypeVar("O", bound="Options")  # noqa: E741


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(option,))
class Options:
    """Base of all options of a thing. Subclass it and declare fields with `option(...)`; no decorator.

    Guarantees: An object is valid and never changes. Numbers are finite; True is not a number; where the unit is "s" a
    timedelta is kept as seconds; an int is kept as float where a float is declared, and never the other way; an Enum
    is also given by its value. Nothing else is converted. One error tells everything that is wrong.

    Example:
        >>> class Doors(Options):
        ...     open_for: float = option(default=30.0, unit="s", least=0.001, most=86_400, help="time until it closes")
        >>> Doors(open_for=5)
        Doors(open_for=5.0)
        >>> Doors(open_for=0)
        Traceback (most recent call last):
        seawall.errors.ConfigError: open_for must be 0.001 to 86400 s, got 0; time until it closes
    """

    _specs: ClassVar[dict[str, Spec] | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)
        cls._specs = None

    def __post_init__(self) -> None:
        kept, problems = settle(type(self), {name: getattr(self, name) for name in self.specs()})
        if problems:
            raise as_error(type(self), problems)
        for name, value in kept.items():
            object.__setattr__(self, name, value)
        problems = tuple(self.check())
        if problems:
            raise as_error(type(self), problems)

    def check(self) -> Iterable[str]:
        """What is wrong with options that are good one by one, a sentence each. For subclasses; here nothing is."""
        return ()

    @classmethod
    def specs(cls) -> Mapping[str, Spec]:
        """The declarations, by name, in order."""
        if cls._specs is None:
            hints = get_type_hints(cls)
            fields = dataclasses.fields(cls)  # type: ignore[arg-type]
            cls._specs = {field.name: spec_of(field, hints[field.name]) for field in fields}
        return cls._specs

    @classmethod
    def from_dict(cls: type[O], values: Mapping[str, Any]) -> O:
        """Options from a mapping, such as a configuration file.

        Raises:
            ConfigError: Values are wrong, missing, or not known; all are told at once.
        """
        problems = faults_of(cls, values)
        if problems:
            raise as_error(cls, problems)
        return cls(**values)

    def replace(self: O, **changes: Any) -> O:
        """The same with other values, validated again.

        Raises:
            ConfigError: A change is wrong or not known.
        """
        problems = unknown(type(self), changes)
        if problems:
            raise as_error(type(self), problems)
        return type(self)(**{**self.as_dict(), **changes})

    def as_dict(self) -> dict[str, Any]:
        """Values by name; `from_dict` reads them back."""
        return {name: getattr(self, name) for name in self.specs()}

    @classmethod
    def table(cls) -> str:
        """A Markdown table of name, default, unit, range and meaning."""
        lines = ["| option | default | unit | range | meaning |", "|---|---|---|---|---|"]
        return "\n".join([*lines, *(row(spec) for spec in cls.specs().values())]) + "\n"


def required(spec: Spec) -> bool:
    """Whether an option has no default."""
    return spec.default is dataclasses.MISSING


def faults_of(cls: type[Options], values: Mapping[str, Any]) -> tuple[str, ...]:
    """Everything wrong with values that are to become options: unknown names, bad values, missing ones."""
    missing = tuple(spec.missing() for name, spec in cls.specs().items() if required(spec) and name not in values)
    return unknown(cls, values) + settle(cls, values)[1] + missing


def settle(cls: type[Options], values: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The given values as they are kept, and what is wrong with them; names that are not options are left out."""
    kept: dict[str, Any] = {}
    problems = []
    for name, spec in cls.specs().items():
        if name in values:
            kept[name], problem = spec.checked(values[name])
            problems += [problem] if problem else []
    return kept, tuple(problems)


def unknown(cls: type[Options], names: Iterable[str]) -> tuple[str, ...]:
    """A sentence for each name that is not an option."""
    known = cls.specs()
    return tuple(
        f"{cls.__qualname__} has no option {name!r}{nearest(name, known) or ';'} there is: {listed(known)}"
        for name in names
        if name not in known
    )


def as_error(cls: type[Options], problems: tuple[str, ...]) -> ConfigError:
    """One error for everything that is wrong."""
    if len(problems) == 1:
        return ConfigError(problems[0])
    return ConfigError("\n- ".join([f"{len(problems)} options of {cls.__qualname__} are wrong:", *problems]))
