"""Laws of alerts: nobody is told twice, nobody is forgotten, and a restart changes nothing."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.alerts_world import World

from seawall.observe.alerts import Inhibition, Matcher, Route, Rule, Value
from seawall.observe.alerts._machine import Instance, Timing, advance
from seawall.observe.alerts._state import State

EXAMPLES = 600 if os.environ.get("SEAWALL_LONG") else 60
WAIT, INTERVAL, REPEAT, STEP = 20.0, 60.0, 240.0, 15.0

queues = st.sampled_from("abc")
looks = st.tuples(st.just("look"), st.dictionaries(queues, st.sampled_from([None, 10.0, 90.0, 120.0])))
silences = st.tuples(st.just("silence"), queues, st.sampled_from([30.0, 200.0]))
troubles = st.tuples(st.sampled_from(["down", "up"]), st.sampled_from(["hook", "mail"]))
pauses = st.tuples(st.just("pause"), st.sampled_from([40.0, 130.0]))
backs = st.tuples(st.just("back"), st.sampled_from([5.0, 500.0]))
scripts = st.lists(looks | looks | silences | pauses, max_size=25)
rough = st.lists(looks | looks | silences | pauses | troubles | backs, max_size=25)


@pytest.fixture(autouse=True)
def quiet():
    """Channels that fail on purpose need not be logged."""
    logging.getLogger("seawall.alerts").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("seawall.alerts").setLevel(logging.NOTSET)


def world() -> World:
    """Two rules by queue, of which the page hides the ticket, and two channels."""
    rules = [
        Rule("Full", Value("depth"), above=100, by=("queue",), severity="page"),
        Rule("Deep", Value("depth"), above=50, by=("queue",), severity="ticket", for_=30, keep_firing_for=20),
    ]
    hides = [Inhibition({"severity": "page"}, {"severity": "ticket"}, equal=("queue",))]
    times = {"group_wait": WAIT, "group_interval": INTERVAL, "repeat_interval": REPEAT}
    route = Route(["hook", "mail"], group_by=("alertname",), **times)
    return World(rules, channels=("hook", "mail"), route=route, inhibitions=hides)


def play(script: list[Any], each: Callable[[World], None] = lambda _: None) -> World:
    """A world after a script; `each` is called before each of its lines."""
    here = world()
    depths: dict[str, float | None] = {}
    for line in script:
        each(here)
        if line[0] == "silence":
            here.alerts.silence({"queue": line[1]}, seconds=line[2], by="law", why="a law")
        elif line[0] == "pause":
            here.pass_by(line[1], depths, step=line[1])
        elif line[0] == "down":
            here.down.add(line[1])
        elif line[0] == "up":
            here.down.discard(line[1])
        elif line[0] == "back":
            here.set_back(line[1])
        else:
            depths = {**depths, **line[1]}
            here.pass_by(STEP, depths)
    here.pass_by(3 * INTERVAL, depths)
    return here


def content(message: Any) -> frozenset[Any]:
    """Who is told of, in which state."""
    return frozenset((a.fingerprint, a.starts_at, a.status) for a in message.notification.alerts)


@settings(max_examples=EXAMPLES)
@given(scripts)
def test_nobody_is_told_the_same_twice_within_repeat_interval(script):
    """Of one group, in one state, one receiver hears again only after repeat_interval."""
    last: dict[Any, tuple[float, frozenset[Any]]] = {}
    for message in play(script).told:
        told = message.notification
        key = (told.group, told.receiver)
        before = last.get(key)
        assert before is None or before[1] != content(message) or told.at - before[0] >= REPEAT
        last[key] = (told.at, content(message))


@settings(max_examples=EXAMPLES)
@given(scripts)
def test_what_fires_is_told_in_time_unless_it_is_muted(script):
    """An alert that fires, unmuted, over group_wait, group_interval and the pauses in between, has been told to all."""
    loud: dict[tuple[Any, ...], float] = {}

    def check(here: World) -> None:
        told = {(m.notification.receiver, a.fingerprint) for m in here.told for a in m.notification.alerts}
        active = here.alerts.active()
        names = {
            tuple(sorted(each.labels.items())): each for each in active if each.phase == "firing" and not each.muted
        }
        for name in [name for name in loud if name not in names]:
            del loud[name]
        for name, each in names.items():
            since = loud.setdefault(name, here.now)
            if here.now - since > WAIT + INTERVAL + 2 * 130:
                mark = next(
                    a.fingerprint for m in here.told for a in m.notification.alerts if dict(a.labels) == dict(name)
                )
                assert {("hook", mark), ("mail", mark)} <= told, each

    here = play(script, check)
    check(here)


@settings(max_examples=EXAMPLES)
@given(rough, st.sets(st.integers(0, 25)))
def test_a_restart_changes_nothing(script, restarts):
    """At whichever lines the process dies and comes again: the same is told, nothing doubled and nothing lost."""
    place = iter(range(100))
    again = play(script, lambda here: here.restart() if next(place) in restarts else None)
    assert again.lines == play(script).lines


@settings(max_examples=EXAMPLES)
@given(rough)
def test_in_the_end_everybody_knows_what_is(script):
    """However channels failed: once they work, each knows of every loud alert that fires, and of none that does not."""
    here = play(script)
    here.down.clear()
    here.alerts.evaluate()
    depths = {dict(s.labels)["queue"]: s.value for s in here.recording.latest.select("depth")}
    here.pass_by(8 * INTERVAL, depths)
    firing = {tuple(sorted(each.labels.items())): each.muted for each in here.alerts.active() if each.phase == "firing"}
    for channel in ("hook", "mail"):
        known: dict[Any, str] = {}
        for message in here.told:
            if message.notification.receiver == channel:
                known |= {tuple(sorted(a.labels.items())): a.status for a in message.notification.alerts}
        assert {name for name, muted in firing.items() if not muted} <= {n for n, s in known.items() if s == "firing"}
        assert {name for name, status in known.items() if status == "firing"} <= set(firing)
    assert here.alerts.stats().under_way == 0


@settings(max_examples=EXAMPLES)
@given(st.lists(looks | looks | silences | troubles, max_size=25))
def test_what_is_silenced_or_hidden_is_not_told(script):
    """No notification holds an alert that a silence, or a page of the same queue, mutes at that time."""
    here = play(script)
    for message in here.told:
        told = message.notification
        made_before = [silence for silence in here.alerts.silences if silence.starts_at < told.at]
        for alert in told.alerts:
            assert not any(silence.silences(alert.labels, told.at) for silence in made_before)
            if alert.labels["severity"] == "ticket":
                page = {**alert.labels, "alertname": "Full", "severity": "page"}
                moves = [moved.move for moved in here.alerts.history if moved.labels == page and moved.at <= told.at]
                assert moves[-1:] != ["firing"]


@settings(max_examples=EXAMPLES)
@given(rough)
def test_the_state_is_what_was_stored(script):
    """To JSON and back, at every point."""

    def check(here: World) -> None:
        state = here.alerts._state
        assert State.from_dict(json.loads(json.dumps(state.to_dict()))) == state

    play(script, check)


@given(
    st.integers(0, 5), st.integers(0, 5), st.lists(st.tuples(st.integers(1, 3), st.sampled_from([True, False, None])))
)
def test_an_alert_does_what_its_times_say(for_, keep, looks_at):
    """Against the definitions: it fires once the condition held for_ long, and resolves once it is gone for keep."""
    now, instance = 0.0, None
    since: float | None = None  # the condition holds
    gone: float | None = None  # a firing alert's condition is gone
    firing = False
    for passed, holds in looks_at:
        now += passed
        instance, _ = advance(instance, Timing(for_, keep), holds, 1.0, now)
        if holds is not None:
            since = None if not holds and not firing else now if since is None else since
            gone = None if holds or not firing else now if gone is None else gone
            if firing and gone is not None and now - gone >= keep:
                firing, since, gone = False, None, None
            elif since is not None and now - since >= for_:
                firing = True
        expected = None if since is None else "firing" if firing else "pending"
        assert (None if instance is None else instance.phase) == expected


labels = st.dictionaries(st.sampled_from("pqr"), st.sampled_from(["", "1", "2"]), max_size=3)


@given(st.lists(labels, min_size=1, max_size=6), st.lists(st.sampled_from("pqr"), max_size=2))
def test_inhibition_never_mutes_all(many, equal):
    """Whatever fires: an alert that matches both sides is not muted by another that does; somebody is always told."""
    both = Inhibition('p=~".*"', 'p=~".*"', equal=equal)
    assert not any(both.mutes(each, many) for each in many)
    one_way = Inhibition('p="1"', 'p!="1"', equal=equal)
    loud = [each for each in many if not one_way.mutes(each, many)]
    assert loud


@given(labels, labels)
def test_a_missing_label_and_an_empty_one_are_the_same(one, other):
    """To matchers and to `equal`."""
    full = {name: one.get(name, "") for name in "pqr"}
    assert Matcher("p", "=", "").matches(one) == Matcher("p", "=", "").matches(full)
    hides = Inhibition('q="1"', 'r="1"', equal=("p",))
    assert hides.mutes(one, [other]) == hides.mutes(full, [other])


@given(st.text(max_size=20), st.sampled_from(["=", "!="]))
def test_a_matcher_reads_what_it_writes(value, op):
    """Quotes, backslashes, newlines and all."""
    matcher = Matcher("name", op, value)
    assert Matcher.parse(str(matcher)) == matcher


@given(st.floats(0, 1e9), st.floats(-1e6, 1e6))
def test_time_can_be_moved_and_moved_back(at, by):
    """What measures time moves together."""
    instance = Instance("firing", at, at + 1, at + 2, 1.0)
    moved = instance.shifted(by)
    assert moved.fired_at - moved.active_at == pytest.approx(1, abs=1e-3)
    assert moved.shifted(-by).active_at == pytest.approx(at, abs=1e-3)
