"""Two profiles side by side."""

from __future__ import annotations

from dataclasses import dataclass

from seawall.errors import ConfigError
from seawall.observe.profiler._profile import Profile


@dataclass(frozen=True, slots=True)
class Change:
    """How much more or less one function took.

    Args:
        function: Its qualified name.
        file: Where it is.
        line: Where it begins.
        before: What it took by itself, in the unit of the kind for each second profiled (memory: altogether).
        after: The same, later.
    """

    function: str
    file: str
    line: int
    before: float
    after: float

    @property
    def change(self) -> float:
        """More, or less where negative."""
        return self.after - self.before


@dataclass(frozen=True)
class Difference:
    """How a profile differs from an earlier one. Times are compared second by second, memory as it is.

    Args:
        before: The earlier profile.
        after: The later one, of the same kinds.

    Raises:
        ConfigError: They do not count the same, or one of them took no time.
    """

    before: Profile
    after: Profile

    def __post_init__(self) -> None:
        if self.before.kinds != self.after.kinds:
            names = [[kind.name for kind in profile.kinds] for profile in (self.before, self.after)]
            raise ConfigError(f"profiles that are compared must count the same kinds, got {names[0]} and {names[1]}")
        timed = any(kind.unit == "nanoseconds" for kind in self.before.kinds)
        if timed and min(self.before.seconds, self.after.seconds) <= 0:
            raise ConfigError(
                f"profiles that are compared must have taken some time, got {self.before.seconds:g} s "
                f"and {self.after.seconds:g} s"
            )

    @property
    def scales(self) -> tuple[float, float]:
        """What numbers of before and after are multiplied by to be compared."""
        if not any(kind.unit == "nanoseconds" for kind in self.before.kinds):
            return 1.0, 1.0
        return 1 / self.before.seconds, 1 / self.after.seconds

    def changes(self, n: int = 20, kind: str | None = None) -> list[Change]:
        """The functions whose own part changed most, the largest change first."""
        (then, now), everything = self.scales, 1 << 62
        before = {(f.function, f.file, f.line): f.self_value * then for f in self.before.top(everything, kind)}
        after = {(f.function, f.file, f.line): f.self_value * now for f in self.after.top(everything, kind)}
        names = dict.fromkeys([*before, *after])
        changes = [Change(*name, before.get(name, 0.0), after.get(name, 0.0)) for name in names]
        changes.sort(key=lambda one: (-abs(one.change), one.function, one.file, one.line))
        return [one for one in changes[:n] if one.change]

    def to_collapsed(self, kind: str | None = None) -> str:
        """One line a stack with two numbers, before and after, both for the time that the later one took."""
        from seawall.observe.profiler._collapsed import names_of

        i = self.before.index(kind)
        then, now = self.scales
        scale = then / now
        sums: dict[str, list[int]] = {}
        for stack, values in self.before.stacks.items():
            sums.setdefault(names_of(stack), [0, 0])[0] += round(values[i] * scale)
        for stack, values in self.after.stacks.items():
            sums.setdefault(names_of(stack), [0, 0])[1] += values[i]
        return "".join(f"{line} {a} {b}\n" for line, (a, b) in sorted(sums.items()) if a or b)

    def to_html(self, *, title: str = "") -> str:
        """A flame graph of the later one, coloured by the change, as one page that needs nothing but itself."""
        from seawall.observe.profiler._page import page

        return page(self.after, before=self.before, title=title)
