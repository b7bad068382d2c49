"""Profiles: what was counted, stack by stack."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

from seawall.errors import ConfigError
from seawall.observe.profiler._sampling import Sampling
from seawall.observe.profiler._stack import Frame, Kind, Sort, Stack

if TYPE_CHECKING:
    from seawall.observe.profiler._difference import Difference

Values = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """What one function took.

    Args:
        function: Its qualified name.
        file: Where it is.
        line: Where it begins.
        self_value: While it was the innermost.
        total: While it was anywhere in the stack, counted once however often it was there.
    """

    function: str
    file: str
    line: int
    self_value: int
    total: int


@dataclass(frozen=True)
class Profile:
    """Counts by stack, as a value that does not change.

    Guarantees: `a + b` counts what both counted. Pickles.

    Args:
        kinds: What is counted.
        stacks: For each stack, a number of each kind.
        began: When it began, in seconds of Unix time.
        seconds: How long it took; of merged ones, together.
        sampling: How it came about; None for memory, and for what was read from a file.
    """

    kinds: tuple[Kind, ...]
    stacks: Mapping[Stack, Values]
    began: float = 0.0
    seconds: float = 0.0
    sampling: Sampling | None = field(default=None, compare=False)

    def index(self, kind: str | None = None) -> int:
        """Where the numbers of a kind stand; of None, those that the profile is about: wall, or space.

        Raises:
            ConfigError: It has no such kind.
        """
        names = [known.name for known in self.kinds]
        if kind is None:
            kind = next((name for name in ("wall", "space") if name in names), names[-1] if names else "")
        if kind not in names:
            raise ConfigError(f"kind must be one of {', '.join(map(repr, names))}, got {kind!r}")
        return names.index(kind)

    def total(self, kind: str | None = None) -> int:
        """The sum over all stacks, in the unit of the kind."""
        i = self.index(kind)
        return sum(values[i] for values in self.stacks.values())

    def only(
        self, *, sort: Sort | None = None, group: str | None = None, function: str | None = None, busy: bool = False
    ) -> Profile:
        """The part that is asked for.

        Args:
            sort: `thread`, `task` or `memory`.
            group: Name of a group of threads.
            function: Stacks that this function is in: its name, or the end of its qualified name.
            busy: Leave out the wall time in which threads did not run, and stacks that have no other.
        """
        kept: Mapping[Stack, Values] = {
            stack: values
            for stack, values in self.stacks.items()
            if (sort is None or stack.sort == sort)
            and (group is None or stack.group == group)
            and (function is None or any(_called(frame, function) for frame in stack.frames))
        }
        return replace(self, stacks=dict(self._busy(kept)) if busy else kept)

    def share(self, function: str, kind: str | None = None) -> float:
        """Which part of the total this function took with all that it called, 0 to 1.

        Args:
            function: Its name, or the end of its qualified name.
            kind: What is shared; wall time by default.
        """
        whole = self.total(kind)
        return self.only(function=function).total(kind) / whole if whole else 0.0

    def top(self, n: int = 20, kind: str | None = None, *, by: Literal["self", "total"] = "self") -> list[Function]:
        """The functions that took most, most first."""
        if by not in ("self", "total"):
            raise ConfigError(f"by must be 'self' or 'total', got {by!r}")
        i = self.index(kind)
        own: dict[tuple[str, str, int], int] = {}
        total: dict[tuple[str, str, int], int] = {}
        for stack, values in self.stacks.items():
            names = [(frame.function, frame.file, frame.first_line) for frame in stack.frames]
            for name in set(names):
                total[name] = total.get(name, 0) + values[i]
            if names:
                own[names[-1]] = own.get(names[-1], 0) + values[i]
        ranked = own if by == "self" else total
        names = sorted(ranked, key=lambda name: (-ranked[name], name))[:n]
        return [Function(*name, own.get(name, 0), total[name]) for name in names if ranked[name]]

    def __add__(self, other: Profile) -> Profile:
        if not isinstance(other, Profile):
            return NotImplemented
        return merge([self, other])

    def diff(self, before: Profile) -> Difference:
        """How this one differs from an earlier one, second by second."""
        from seawall.observe.profiler._difference import Difference

        return Difference(before, self)

    def to_collapsed(self, kind: str | None = None) -> str:
        """One line a stack, `thread;outer;inner 42`: what flamegraph.pl and its kin read. In the unit of the kind."""
        from seawall.observe.profiler._collapsed import collapsed

        return collapsed(self, kind)

    def to_speedscope(self, kind: str | None = None, *, name: str = "seawall") -> str:
        """JSON for speedscope, a profile for each group of threads."""
        from seawall.observe.profiler._speedscope import speedscope

        return speedscope(self, kind, name)

    def to_pprof(self) -> bytes:
        """A gzipped profile.proto with all kinds, for `go tool pprof` and all that read its files."""
        from seawall.observe.profiler._pprof import encode

        return encode(self)

    @classmethod
    def from_pprof(cls, data: bytes) -> Profile:
        """What `to_pprof` wrote, or another program.

        Raises:
            ConfigError: That is no such file.
        """
        from seawall.observe.profiler._pprof_reader import decode

        return decode(data)

    def to_html(self, *, title: str = "") -> str:
        """A flame graph as one page that needs nothing but itself."""
        from seawall.observe.profiler._page import page

        return page(self, title=title)

    def save(self, path: str | PathLike[str]) -> None:
        """Write a file; its name says what: .html, .speedscope.json, .pb.gz or .collapsed.

        Raises:
            ConfigError: The name ends otherwise.
        """
        from seawall.observe.profiler._files import save

        save(self, path)

    def _busy(self, stacks: Mapping[Stack, Values]) -> Iterator[tuple[Stack, Values]]:
        names = [kind.name for kind in self.kinds]
        if "waiting" not in names or "wall" not in names:
            yield from stacks.items()
            return
        wall, waiting = names.index("wall"), names.index("waiting")
        for stack, values in stacks.items():
            if values[wall] > values[waiting]:
                kept = list(values)
                kept[wall], kept[waiting] = values[wall] - values[waiting], 0
                yield stack, tuple(kept)

    def __repr__(self) -> str:
        kinds = ", ".join(kind.name for kind in self.kinds)
        return f"<Profile of {self.seconds:.3g} s: {len(self.stacks):,} stacks; {kinds}>"


def merge(profiles: Iterable[Profile]) -> Profile:
    """One profile of many, for instance of all workers of a machine.

    Raises:
        ConfigError: There is none, or they do not count the same.
    """
    given = list(profiles)
    if not given:
        raise ConfigError("profiles must be at least one Profile, got none")
    kinds = given[0].kinds
    if any(profile.kinds != kinds for profile in given):
        names = " and ".join(sorted({repr([k.name for k in profile.kinds]) for profile in given}))
        raise ConfigError(f"profiles that are merged must count the same kinds, got {names}")
    stacks: dict[Stack, Values] = {}
    for profile in given:
        _sum_into(stacks, profile.stacks, lambda a, b: a + b)
    ways = [profile.sampling for profile in given]
    sampling = sum((way for way in ways if way), Sampling()) if all(ways) else None
    began = min((profile.began for profile in given if profile.began), default=0.0)
    return Profile(kinds, stacks, began, sum(profile.seconds for profile in given), sampling)


def since(after: Profile, before: Profile) -> Profile:
    """What a running profile has counted since an earlier look at it."""
    stacks = dict(after.stacks)
    _sum_into(stacks, before.stacks, lambda a, b: a - b)
    kept = {stack: values for stack, values in stacks.items() if any(values)}
    way = after.sampling.since(before.sampling) if after.sampling and before.sampling else None
    seconds = after.seconds - before.seconds
    return Profile(after.kinds, kept, before.began + before.seconds, seconds, way)


def _sum_into(into: dict[Stack, Values], more: Mapping[Stack, Values], join: Callable[[int, int], int]) -> None:
    for stack, values in more.items():
        there: Any = into.get(stack, (0,) * len(values))
        into[stack] = tuple(map(join, there, values))


def _called(frame: Frame, name: str) -> bool:
    return frame.function == name or frame.function.endswith("." + name)
