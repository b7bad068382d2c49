"""The breaker against its oracle, in any order of calls, answers, changes by hand and steps of the clock."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.oracles import breaker as oracle

from seawall.clock import ManualClock
from seawall.guard.breaker import BreakerOptions, Calls, CircuitBreaker, Ramp, Seconds, StateChanged

UNIT = 1024
BY_HAND = {
    "force_open": "forced_open",
    "force_close": "closed",
    "disable": "disabled",
    "metrics_only": "metrics_only",
}


class Series:
    """A little longer with each opening in a row."""

    def wait(self, attempt: int, previous: int, rng: Any) -> int:
        """Nanoseconds, a whole number of units."""
        del previous, rng
        return attempt * 1_000_000 * UNIT


WINDOWS = st.one_of(st.integers(1, 20).map(Calls), st.sampled_from([0.5, 1.0, 7.0]).map(Seconds))
RAMPS = st.one_of(
    st.none(),
    st.builds(
        Ramp,
        over=st.one_of(st.sampled_from([2.0, 4.0]), st.integers(1, 6).map(Calls)),
        start=st.sampled_from([0.001, 0.1, 0.25, 0.7, 1]),
        backoff=st.sampled_from([0, 0.3, 0.5, 1]),
    ),
)


@st.composite
def breaker_options(draw: st.DrawFn) -> BreakerOptions:
    """Any options whose times are whole units."""
    window = draw(WINDOWS)
    slow_after = draw(st.none() | st.sampled_from([0.5, 2.0]))
    conditions = {
        "failure_ratio": draw(st.none() | st.sampled_from([0.1, 0.3, 0.5, 0.7, 1.0])),
        "slow_after": slow_after,
        "slow_ratio": draw(st.none() | st.sampled_from([0.1, 0.5, 1.0])) if slow_after else None,
        "consecutive": draw(st.none() | st.integers(1, 5)),
    }
    if not any(conditions.values()):
        conditions["consecutive"] = 2
    return BreakerOptions(
        window=window,
        min_calls=draw(st.integers(1, min(6, window.count) if isinstance(window, Calls) else 6)),
        combine=draw(st.sampled_from(["any", "all"])),
        open_for=Series(),
        probes=draw(st.integers(1, 4)),
        lost_after=draw(st.sampled_from([2.0, 8.0])),
        recovery=draw(RAMPS),
        **conditions,
    )


# Whole units, among them those after which something is due.
STEPS = st.one_of(
    st.integers(0, 3), st.sampled_from([1_000_000, 1_000_001, 1_953_125, 999_999]), st.integers(0, 8_000_000)
).map(lambda units: units * UNIT)
OUTCOMES = st.sampled_from(["success", "failure", "failure", "ignored"])


class BreakerMachine(RuleBasedStateMachine):
    """A breaker answers, opens, closes and counts exactly as its oracle does."""

    under_way = Bundle("under_way")

    @initialize(options=breaker_options())
    def make(self, options: BreakerOptions) -> None:
        """Begin with random options."""
        self.clock = ManualClock()
        self.clock.set_ns(1 << 40)
        self.breaker = CircuitBreaker("machine", clock=self.clock, **options.as_dict())
        self.oracle = oracle.Breaker(options)
        self.told: list[StateChanged] = []
        self.breaker.state_changed.connect(self.told.append)

    @property
    def now(self) -> int:
        """Where the clock stands."""
        return self.clock.now_ns()

    @rule(target=under_way)
    def enter(self) -> Any:
        """Both admit, or both refuse for the same time."""
        expected = self.oracle.enter(self.now)
        answer = self.breaker.try_enter()
        assert bool(answer) == isinstance(expected, oracle.Ticket)
        if isinstance(expected, oracle.Ticket):
            assert answer.is_probe == (expected.slot is not None)
            return answer, expected
        wait = None if answer.retry_after is None else round(answer.retry_after * 1e9)
        assert (answer.state, wait) == (expected.state, expected.wait), (answer.state, wait, expected)
        return None

    @rule(call=consumes(under_way), outcome=OUTCOMES)
    def settle(self, call: Any, outcome: str) -> None:
        """Both take the answer alike."""
        if call is None:
            return
        permit, ticket = call
        self.oracle.settle(ticket, outcome, self.now)
        {"success": permit.success, "failure": permit.failure, "ignored": permit.ignore}[outcome]()

    @rule(outcomes=st.lists(OUTCOMES, min_size=1, max_size=12))
    def calls(self, outcomes: list[str]) -> None:
        """Some calls that take no time."""
        for outcome in outcomes:
            self.settle(self.enter(), outcome)

    @rule(ns=STEPS)
    def advance(self, ns: int) -> None:
        """Time goes on."""
        self.clock.set_ns(self.now + ns)

    @rule(ns=STEPS)
    def step_back(self, ns: int) -> None:
        """The clock is set back."""
        self.clock.set_ns(self.now - ns)

    @rule(calls=st.integers(1, 6))
    def good_calls(self, calls: int) -> None:
        """The callee is well."""
        for _ in range(calls):
            self.settle(self.enter(), "success")

    @precondition(lambda self: self.oracle.state == "open")
    @rule(target=under_way)
    def try_again(self) -> Any:
        """The opening ends, and somebody calls."""
        self.clock.set_ns(max(self.now, self.oracle.until))
        return self.enter()

    @precondition(lambda self: self.oracle.state == "half_open")
    @rule(target=under_way)
    def lose_probes(self) -> Any:
        """The leases of all probes end, and somebody calls."""
        self.clock.set_ns(self.now + self.oracle.lease)
        return self.enter()

    @precondition(lambda self: self.oracle.state == "recovering")
    @rule(ns=STEPS, then=STEPS)
    def stumble(self, ns: int, then: int) -> None:
        """In the middle of a ramp a call fails, and time goes on."""
        self.clock.set_ns(self.now + ns // 2 // UNIT * UNIT)
        for _ in range(3):
            self.settle(self.enter(), "failure")
        self.clock.set_ns(self.now + then // 2 // UNIT * UNIT)

    @rule(how=st.sampled_from([*BY_HAND, "reset"]), really=st.integers(0, 7))
    def by_hand(self, how: str, really: int) -> None:
        """Now and then somebody turns a switch or begins anew."""
        if really:
            return
        if how == "reset":
            self.oracle.reset(self.now)
            self.breaker.reset()
        else:
            assert getattr(self.breaker, how)() == self.oracle.force(BY_HAND[how], self.now)

    @precondition(lambda self: self.oracle.state in BY_HAND.values())
    @rule()
    def let_go(self) -> None:
        """What was switched by hand goes back to work."""
        assert self.breaker.force_close() == self.oracle.force("closed", self.now)

    @rule(probes=st.integers(1, 4), recovery=RAMPS)
    def reconfigure(self, probes: int, recovery: Ramp | None) -> None:
        """Other options for what goes on."""
        if self.oracle.state == "recovering":
            recovery = self.oracle.options.recovery  # what progress of one ramp is on another is nobody's business
        self.breaker.reconfigure(probes=probes, recovery=recovery)
        self.oracle.options = self.oracle.options.replace(probes=probes, recovery=recovery)

    @invariant()
    def is_the_same(self) -> None:
        """State, window, share and every statistic agree; every change of state was told."""
        if not hasattr(self, "oracle"):
            return
        stats, model = self.breaker.stats(), self.oracle
        assert (stats.state, stats.trips) == (model.state, model.trips)
        assert (stats.calls, stats.window_failures, stats.window_slow, stats.consecutive) == model.counts(self.now)
        assert round(stats.share * oracle.ONE) == model.share(self.now)
        assert {name: getattr(stats, name) for name in asdict(model.counted)} == asdict(model.counted)
        assert self.told == [] or self.told[-1].after == model.state
        assert all(a.after == b.before and a.before != a.after for a, b in zip(self.told, self.told[1:], strict=False))


def test_a_breaker_does_what_its_oracle_does() -> None:
    """Whatever the order of calls, late answers, switches and steps of the clock, breaker and oracle agree."""
    run_state_machine_as_test(
        BreakerMachine, settings=settings(max_examples=300, stateful_step_count=50, deadline=None)
    )
