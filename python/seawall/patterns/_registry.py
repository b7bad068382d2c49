"""Factory: things of one kind by name, from this process and from installed packages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from seawall._errors import ConfigError
from seawall.patterns._adapter import conform, is_protocol
from seawall.patterns._names import checked_name, listed, nearest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Registry(Generic[T]):
    """Factories by name.

    Guarantees: A name means one factory: a second registration is refused unless it says `replace=True`. Entry points
    of installed packages are looked for once, and only when a name is missing or all are asked for; one is imported
    only when it is used. What is registered here goes before an entry point of the same name.

    Thread safety: yes. Reading takes no lock; factories run without one.

    Args:
        name: What messages call it.
        base: Class or protocol that everything created must satisfy; None for anything.
        entry_points: Entry point group in which packages offer more.

    Example:
        >>> shapes = Registry("shapes", list)
        >>> @shapes.register("pair")
        ... def pair(left, right):
        ...     return [left, right]
        >>> shapes.create("pair", 1, 2)
        [1, 2]
        >>> "pair" in shapes, shapes.names()
        (True, ('pair',))
    """

    def __init__(self, name: str, base: type[T] | None = None, *, entry_points: str | None = None) -> None:
        self.name = name
        self.base = base
        self.entry_points = entry_points
        self._lock = threading.Lock()
        self._factories: dict[str, Callable[..., T]] = {}
        self._offered: dict[str, tuple[EntryPoint, ...]] | None = None if entry_points else {}

    @overload
    def register(self, name: str, factory: Callable[..., T], *, replace: bool = False) -> Callable[..., T]: ...
    @overload
    def register(self, name: str, factory: None = None, *, replace: bool = False) -> Callable[[F], F]: ...
    def register(self, name: str, factory: Callable[..., T] | None = None, *, replace: bool = False) -> Any:
        """Give `factory` a name; without a factory, a decorator that does.

        Raises:
            ConfigError: The name is taken or cannot be one, or the factory cannot be called.
        """
        checked_name(name, self.name)
        if factory is None:
            return lambda made: self.register(name, made, replace=replace)
        if not callable(factory):
            raise ConfigError(f"the factory for {name!r} in {self.name} must be callable, got {factory!r}")
        with self._lock:
            if name in self._factories and not replace:
                raise ConfigError(
                    f"{self.name} already has {name!r}: {self._factories[name]!r}; "
                    "choose another name, or pass replace=True"
                )
            self._factories = {**self._factories, name: factory}
        return factory

    def get(self, name: str) -> Callable[..., T]:
        """The factory of that name.

        Raises:
            ConfigError: There is none; the message lists what there is.
        """
        factory = self._factories.get(name)
        if factory is not None:
            return factory
        points = self._look().get(name)
        if points is None:
            known = self.names()
            raise ConfigError(f"{self.name} has no {name!r}{nearest(name, known) or ';'} there is: {listed(known)}")
        return self._load(name, points)

    def create(self, name: str, *args: Any, **kwargs: Any) -> T:
        """What the factory of that name makes of the arguments.

        Raises:
            ConfigError: There is none, or what it made is not what this registry holds.
        """
        made = self.get(name)(*args, **kwargs)
        if self.base is None:
            return made
        if is_protocol(self.base):
            return conform(made, self.base)
        if not isinstance(made, self.base):
            raise ConfigError(
                f"{name!r} of {self.name} must make a {self.base.__qualname__}, made {type(made).__qualname__}"
            )
        return made

    def names(self) -> tuple[str, ...]:
        """All names in order, entry points included."""
        return tuple(sorted({*self._factories, *self._look()}))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __contains__(self, name: object) -> bool:
        return name in self._factories or name in self._look()

    def __len__(self) -> int:
        return len(self.names())

    def __repr__(self) -> str:
        return f"<Registry {self.name}: {listed(self._factories)}>"

    def _look(self) -> dict[str, tuple[EntryPoint, ...]]:
        found = self._offered
        if found is None:
            from importlib.metadata import entry_points

            found = {}
            for point in entry_points(group=str(self.entry_points)):
                # One distribution that is found on two paths offers the same thing twice.
                if all(point.value != other.value for other in found.get(point.name, ())):
                    found[point.name] = (*found.get(point.name, ()), point)
            self._offered = found
        return found

    def _load(self, name: str, points: tuple[EntryPoint, ...]) -> Callable[..., T]:
        if len(points) > 1:
            raise ConfigError(
                f"{self.name} finds {name!r} in more than one package: {listed(point.value for point in points)}; "
                f"register the one you mean with register({name!r}, ...)"
            )
        try:
            factory = points[0].load()
        except Exception as error:
            raise ConfigError(f"{name!r} of {self.name} cannot be loaded from {points[0].value}: {error!r}") from error
        if not callable(factory):
            raise ConfigError(f"{name!r} of {self.name}, {points[0].value}, must be callable, got {factory!r}")
        with self._lock:
            # Somebody may have registered the name meanwhile, and that goes first.
            self._factories = {name: factory, **self._factories}
            made: Callable[..., T] = self._factories[name]
        return made
