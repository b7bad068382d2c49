"""The engine of recovery, whatever happens to conditions, actions and time."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.unit.monitor.recovery.world import World

from seawall.clock import ManualClock
from seawall.monitor.recovery import Action, Budget, RecoveryEvent, Rule, above

WINDOW = 300.0
VALUES = st.sampled_from([1.0, 1.0, 1.0, 0.0, 0.0, None])


def action(name: str, cooldown: float, *, undo: bool = False) -> Action:
    """An action that takes back what it did, or not."""
    return Action(name, lambda: None, undo=(lambda: None) if undo else None, timeout=20, settle=10, cooldown=cooldown)


class RecoveryMachine(RuleBasedStateMachine):
    """Two rules that share an action, a budget, and at most `most` actions at once."""

    @initialize(
        most=st.integers(1, 3),
        budget=st.integers(1, 9),
        cooldown=st.sampled_from([15.0, 0.0, 120.0]),
        for_=st.sampled_from([0.0, 7.0]),
        clear_for=st.sampled_from([0.0, 6.0]),
        relapse=st.sampled_from([0.0, 60.0]),
    )
    def start(self, *, most: int, budget: int, cooldown: float, for_: float, clear_for: float, relapse: float) -> None:
        """An engine with other bounds each time."""
        self.most, self.budget, self.cooldown = most, budget, cooldown
        clock = ManualClock(1000)
        shared = action("shared", cooldown)
        hot = [action("shed", cooldown, undo=True), shared, action("leave", cooldown)]
        bounds = {"for_": for_, "clear_for": clear_for, "relapse": relapse}
        self.world = World(
            Rule("hot", above("load", 0.5), hot, **bounds),
            Rule("full", above("memory", 0.5), [shared, action("open", cooldown, undo=True)], **bounds),
            clock=clock,
            budget=Budget(budget, WINDOW, clock=clock),
            max_running=most,
        )
        self.ladders = {"hot": ["shed", "shared", "leave"], "full": ["shared", "open"]}
        self.starts: list[tuple[float, str, str]] = []
        self.first: dict[str, int | None] = {"hot": None, "full": None}
        self.tried: dict[str, list[int]] = {"hot": [], "full": []}
        self.events: list[RecoveryEvent] = []

    def take(self, event: RecoveryEvent) -> None:
        """Check what is told against what was told before; not a receiver, whose errors a signal keeps to itself."""
        self.events.append(event)
        ladder = self.ladders[event.rule]
        if event.kind == "began":
            self.first[event.rule], self.tried[event.rule] = 0, []
        elif event.kind == "relapsed":
            self.first[event.rule], self.tried[event.rule] = ladder.index(event.action or "") + 1, []
        elif event.kind == "started":
            rung = ladder.index(event.action or "")
            # The one after the last that was tried, or the one that the incident began with: none left out or repeated.
            assert rung == (self.tried[event.rule][-1] + 1 if self.tried[event.rule] else self.first[event.rule])
            self.tried[event.rule].append(rung)
            self.starts.append((self.world.clock.time(), event.rule, event.action or ""))
            assert self.world.values.get("load" if event.rule == "hot" else "memory") == 1.0

    @rule(load=VALUES, memory=VALUES)
    def read(self, load: float | None, memory: float | None) -> None:
        """Other readings."""
        self.world.values.update(load=load, memory=memory)
        self.look(0.0)

    @rule(seconds=st.sampled_from([0.5, 0.0, 3.0, 7.0, 10.0, 14.0, 20.0, 50.0, 112.0]))
    def look(self, seconds: float) -> None:
        """Time passes, and the engine looks."""
        for event in self.world.look(seconds):
            self.take(event)

    @precondition(lambda self: any(not run.done for run in self.world.runner.under.values()))
    @rule(data=st.data(), failed=st.booleans())
    def end(self, data: st.DataObject, failed: bool) -> None:
        """An action ends, well or not."""
        under = sorted(name for name, run in self.world.runner.under.items() if not run.done)
        self.world.end(data.draw(st.sampled_from(under)), failed=failed)

    @invariant()
    def the_budget_is_never_exceeded(self) -> None:
        """In any window that ends with a start."""
        times = [at for at, _, _ in self.starts] if hasattr(self, "starts") else []
        for end in times:
            assert sum(end - WINDOW < at <= end for at in times) <= self.budget

    @invariant()
    def each_cool_down_is_kept(self) -> None:
        """Between two starts of an action by a rule."""
        last: dict[tuple[str, str], float] = {}
        for at, rule_, name in getattr(self, "starts", []):
            assert at - last.get((rule_, name), float("-inf")) >= self.cooldown
            last[rule_, name] = at

    @invariant()
    def no_more_run_than_may(self) -> None:
        """Those that hang, or take something back, do not count; an action and its undoing never overlap."""
        if not hasattr(self, "world"):
            return
        under = {name for name, run in self.world.runner.under.items() if not run.done}
        hanging = {name for name, run in self.world.runner.under.items() if run.given_up}
        assert len([name for name in under - hanging if not name.startswith("undo ")]) <= self.most
        assert not {name.removeprefix("undo ") for name in under if name.startswith("undo ")} & under

    @invariant()
    def what_is_over_is_taken_back(self) -> None:
        """Whatever can be taken back has been, or is on the way, once both rules are calm."""
        if not hasattr(self, "world"):
            return
        rules = self.world.engine.stats().rules
        if all(each.phase in ("calm", "pending") for each in rules.values()):
            for name in ("shed", "open"):
                done = [e.kind for e in self.events if e.action == name]
                applied = sum(kind in ("done", "hung") for kind in done)
                assert applied == done.count("undo_started")


TestRecovery = RecoveryMachine.TestCase
TestRecovery.settings = settings(max_examples=150, stateful_step_count=80, deadline=None)
