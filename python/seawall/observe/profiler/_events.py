"""What the profiler and the stall detector say happened."""

from __future__ import annotations

from dataclasses import dataclass

from seawall.observe.profiler._stack import Frame


@dataclass(frozen=True, slots=True)
class Slowed:
    """Looks cost more than the budget, so they become rarer.

    Args:
        rate: Samples a second as asked.
        cost: Seconds of processor time that the last look took.
        budget: Share of one processor.
        threads: How many threads were looked at.
    """

    rate: float
    cost: float
    budget: float
    threads: int


@dataclass(frozen=True, slots=True)
class Stall:
    """A loop did not run.

    Args:
        loop: Name under which it is watched.
        seconds: For how long it had not run; when it has ended, for how long in all.
        stack: Where its thread was at the last capture, outermost first; empty where the thread had gone.
        captures: Stacks at doubling times, the first as soon as it was noticed.
        task: Name of the task that ran, where that is known.
        ended: Whether the loop runs again.
        held: Seconds for which the detector itself could not run during the stall: code that holds the interpreter
            (a C extension), or a process that was stopped. Stacks were then taken only afterwards.
    """

    loop: str
    seconds: float
    stack: tuple[Frame, ...]
    captures: tuple[tuple[Frame, ...], ...]
    task: str
    ended: bool
    held: float

    @property
    def place(self) -> Frame | None:
        """The innermost frame."""
        return self.stack[-1] if self.stack else None

    def text(self) -> str:
        """The stack as tracebacks show it, with the source lines where they can be read."""
        import linecache

        lines = [f"loop {self.loop} did not run for {self.seconds:.3g} s{f' in task {self.task}' if self.task else ''}"]
        for frame in self.stack:
            lines.append(f'  File "{frame.file}", line {frame.line}, in {frame.function}')
            source = linecache.getline(frame.file, frame.line).strip()
            lines += [f"    {source}"] if source else []
        return "\n".join(lines)
