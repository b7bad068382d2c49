"""The runner: threads, tasks, stores that fail, silences, and what it says of itself."""

from __future__ import annotations

import asyncio
import json
import logging
import threading

import pytest
from tests.alerts_world import World, gauges

from seawall.clock import ManualClock, WallClock
from seawall.errors import ConfigError
from seawall.observe import Recording, Snapshot
from seawall.observe.alerts import (
    Alerts,
    Call,
    FileStore,
    Log,
    Matcher,
    MemoryStore,
    Route,
    Rule,
    Silence,
    Template,
    Transition,
    Value,
)  # fmt: skip
from seawall.observe.alerts._state import State

DEEP = Rule("Deep", Value("depth"), above=80)
NOW = Route("me", group_wait=0)
SOON = 20.0


def recorded(*values: float) -> Recording:
    """Snapshots from second 100 on."""
    made = Recording()
    for at, value in enumerate(values, 100):
        made.append(gauges(float(at), {"a": value}))
    return made


def fresh(value: float) -> Recording:
    """A snapshot of now, for what runs on the machine's clock."""
    made = Recording()
    made.append(gauges(WallClock().now_ns() / 1e9, {"a": value}))
    return made


def test_nothing_starts_by_itself():
    """Making alerts and evaluating them starts no thread and tells nobody."""
    told = []
    before = threading.active_count()
    alerts = Alerts(recorded(90), [DEEP], channels={"me": Call(told.append)}, route=NOW, clock=ManualClock(100))
    assert len(alerts.evaluate().notifications) == 1
    assert (threading.active_count(), told, alerts.stats().under_way) == (before, [], 1)
    assert alerts.deliver() == 1
    assert (len(told), alerts.stats().under_way) == (1, 0)


def test_threads_evaluate_and_tell_until_stopped():
    """With start() nobody calls anything; stop() ends all threads; both may be called again."""
    told = threading.Semaphore(0)
    before = set(threading.enumerate())
    channels = {"me": Call(lambda _: told.release())}
    rules = [DEEP, Rule("Late", Value("depth"), above=80, for_=1e-6)]
    alerts = Alerts(fresh(90), rules, channels=channels, route=NOW, every=3_600)
    for _ in rules:  # the second one fires at the second look
        with alerts:
            assert told.acquire(timeout=SOON)
            alerts.start()
        assert set(threading.enumerate()) == before


def test_evaluations_come_at_their_interval():
    """On a manual clock the thread looks once for each interval."""
    clock = ManualClock(100)
    looks = threading.Semaphore(0)

    def sample() -> Snapshot:
        looks.release()
        return gauges(clock.time(), {"a": 1})

    alerts = Alerts(sample, [DEEP], channels={"me": Log()}, clock=clock, every=15).start()
    for _ in range(3):
        assert looks.acquire(timeout=SOON)
        while clock.next_ns is None:  # until it waits again
            threading.Event().wait(0.001)
        clock.advance(15)
    assert looks.acquire(timeout=SOON)
    assert alerts.stop(SOON)
    assert alerts.stats().evaluations == 4


async def test_tasks_evaluate_and_tell_until_cancelled():
    """`run` is start and stop for tasks."""
    told = threading.Event()
    alerts = Alerts(fresh(90), [DEEP], channels={"me": Call(lambda _: told.set())}, route=NOW, every=3_600)
    task = asyncio.create_task(alerts.run())
    assert await asyncio.to_thread(told.wait, SOON)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert alerts.stats().channels["me"].sent == 1


def test_a_damaged_file_is_told_set_aside_and_begun_afresh(tmp_path, caplog):
    """Half a file, another version, a list: never a crash, and what was there is kept beside."""
    path = tmp_path / "alerts.json"
    for text, why in (
        ('{"version": 1, "now": 1', "is damaged and was set aside: Expecting ',' delimiter"),
        ("[1]", "is damaged and was set aside: "),
        ('{"version": 7}', "it is of version 7, not 1"),
        ('{"version": 1}', "it is not what was saved: KeyError('silences')"),
        ('{"version": 1, "silences": [1]}', 'it is not what was saved: TypeError("'),
    ):
        path.write_text(text)
        alerts = Alerts(recorded(90), [DEEP], channels={"me": Log()}, store=FileStore(path), clock=ManualClock(100))
        problem = alerts.stats().problems[0]
        assert problem.startswith("the state of alerts could not be read, they begin afresh: ")
        assert why in problem
        assert problem in caplog.text
        assert (tmp_path / "alerts.json.damaged").read_text() == text
        alerts.evaluate()
        assert json.loads(path.read_text())["version"] == 1
        assert path.stat().st_mode & 0o077 == 0


def test_a_store_that_cannot_save_stops_nothing():
    """A full disk: evaluations go on, and it is told."""

    class Full(MemoryStore):
        def save(self, state):
            raise OSError(28, "No space left on device")

    told = []
    channels = {"me": Call(told.append)}
    alerts = Alerts(recorded(90), [DEEP], channels=channels, route=NOW, store=Full(), clock=ManualClock(100))
    alerts.evaluate()
    alerts.deliver()
    assert len(told) == 1
    assert alerts.stats().problems[0] == (
        "the state of alerts could not be saved: OSError: [Errno 28] No space left on device"
    )


def test_who_comes_late_does_not_overwrite_a_successor():
    """After stop() a channel that comes back changes nothing in the store."""
    gate, entered, store = threading.Event(), threading.Event(), MemoryStore()

    def hang(_message):
        entered.set()
        gate.wait(SOON)

    alerts = Alerts(fresh(90), [DEEP], channels={"me": Call(hang)}, route=NOW, store=store, every=3_600)
    alerts.start()
    assert entered.wait(SOON)
    thread = next(t for t in threading.enumerate() if t.name == "seawall-alerts-me")
    assert not alerts.stop(0.01)
    saved = store.load()
    assert [told["receiver"] for told in saved["outbox"]] == ["me"]
    gate.set()
    thread.join(SOON)
    assert store.load() == saved


def test_silences_are_made_ended_and_refused():
    """By mapping, by matchers, by time; each refusal says what would do."""
    alerts = World([DEEP]).alerts
    one = alerts.silence({"alertname": "Deep"}, seconds=60, by="ann", why="disks")
    two = alerts.silence(['queue=~"a|b"', "severity!=page"], end=2_000_000, by="bob", why="later")
    assert alerts.silences == (one, two)
    assert two.matchers == (Matcher("queue", "=~", "a|b"), Matcher("severity", "!=", "page"))
    alerts.unsilence(one)
    alerts.unsilence(two.id)
    assert alerts.silences == ()  # they had just begun
    with pytest.raises(KeyError, match="there is no silence 'x'"):
        alerts.unsilence("x")
    with pytest.raises(ConfigError, match=r"^a silence needs seconds= or end=, exactly one of them$"):
        alerts.silence("a=1", by="ann", why="x")
    with pytest.raises(ConfigError, match=r"^by must be a text of 1 to 200 printable characters, got ''$"):
        alerts.silence("a=1", seconds=5, by="", why="x")


def test_silences_are_bounded():
    """A thousand, and those that ended go after five days."""
    made = [Silence((Matcher("queue", "=", str(n)),), 0.0, 60.0, "ann", "x") for n in range(1_000)]
    store = MemoryStore()
    store.save(State(silences={silence.id: silence for silence in made}).to_dict())
    world = World([DEEP], store=store)
    with pytest.raises(ConfigError, match=r"^there are 1,000 silences already; those that ended go after five days$"):
        world.alerts.silence({"queue": "x"}, seconds=60, by="ann", why="x")
    assert world.alerts.silences == tuple(made)
    world.clock.advance(5 * 86_400)
    world.look({"a": 1})
    assert world.alerts.silences == ()


def test_what_is_active():
    """Pending and firing, since when, and whether it is muted."""
    rules = [DEEP, Rule("Slow", Value("depth"), above=80, for_=60, by="queue")]
    world = World(rules)
    world.alerts.silence({"alertname": "Deep"}, seconds=600, by="ann", why="x")
    world.pass_by(15, {"a": 90})
    deep, slow = world.alerts.active()
    assert (deep.rule, deep.phase, deep.since, deep.value, deep.muted) == ("Deep", "firing", 1_000_015, 90, True)
    assert (slow.phase, slow.labels["queue"], slow.muted) == ("pending", "a", False)
    assert repr(world.alerts) == "<Alerts: 2 rules, 1 firing, 1 pending>"


def test_whoever_listens_hears_of_moves():
    """The signal `moved`: a profiler may begin when an alert fires."""
    world = World([DEEP])
    heard: list[Transition] = []
    with world.alerts.moved.connect(heard.append):
        world.pass_by(15, {"a": 90})
        world.pass_by(15, {"a": 10})
    assert [moved.move for moved in heard] == ["firing", "resolved"]
    assert world.alerts.history == tuple(heard)


def test_the_log_channel(caplog):
    """An error while it fires, an information when it is over, with the alerts as data."""
    caplog.set_level(logging.INFO)
    world = World([DEEP])
    world.alerts._couriers["hook"]._channel = Log()
    world.pass_by(15, {"a": 90})
    world.pass_by(315, {"a": 10})
    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    since = "value 90, since 1970-01-12T13:46:55.000Z)"
    assert said == [
        ("ERROR", f"[firing] Deep: 1 firing, 0 resolved\n[firing] Deep warning: ? ({since}"),
        ("INFO", f"[resolved] Deep: 0 firing, 1 resolved\n[resolved] Deep warning: ? ({since}"),
    ]
    assert caplog.records[0].alerts[0]["labels"]["alertname"] == "Deep"


def test_a_template_that_fails_loses_no_alert(caplog):
    """It is told in the usual words."""

    class Broken:
        def render(self, notification):
            raise KeyError("x")

    told = []
    channels = {"me": Call(told.append)}
    alerts = Alerts(recorded(90), [DEEP], channels=channels, route=NOW, template=Broken(), clock=ManualClock(100))
    alerts.evaluate()
    alerts.deliver()
    assert told[0].rendered.title == "[firing] Deep: 1 firing, 0 resolved"
    assert "the template failed" in caplog.text


def test_a_channel_that_is_gone_after_a_restart():
    """What waited for it is dropped; the others go on."""
    store, told = MemoryStore(), []
    both = Route(["me", "old"], group_wait=0)
    first = Alerts(
        recorded(90), [DEEP], channels={"me": Log(), "old": Log()}, route=both, store=store, clock=ManualClock(100)
    )
    first.evaluate()
    second = Alerts(
        recorded(90), [DEEP], channels={"me": Call(told.append)}, route=NOW, store=store, clock=ManualClock(101)
    )
    assert second.stats().under_way == 1
    second.deliver()
    assert len(told) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rules": [DEEP, DEEP]}, "rules must differ in name or severity, got 'Deep/warning' twice"),
        ({"route": Route("you")}, "a route names the channel 'you', which is not there; there is: 'me'"),
        ({"channels": {"me": print}}, "channel 'me' must have a method send(message), got <built-in function print>"),
        ({"channels": {"me:": Log()}}, "channels must be named by letters, digits, _, - and ., got 'me:'"),
        ({"every": 0}, "every must be 0.01 s to 3.16224e+07 s, got 0"),
        ({"queue": 0}, "queue must be a whole number from 1 to 100,000, got 0; 100 is usual"),
    ],
)
def test_bad_options_are_refused(options, said):
    """The message names the option and what would do."""
    given = {"rules": [DEEP], "channels": {"me": Log()}, "clock": ManualClock(), **options}
    with pytest.raises(ConfigError) as refused:
        Alerts(Recording(), **given)
    assert str(refused.value) == said


def test_a_wall_clock_that_is_set_does_not_make_everything_old():
    """The recording's stamps do not follow: rules read by its time, not by the wall's."""

    class Wall:
        ahead = 0.0

        def now_ns(self) -> int:
            return clock.now_ns() + round(self.ahead * 1e9)

    clock, wall, recording = ManualClock(1_000), Wall(), Recording()
    alerts = Alerts(recording, [Rule("Deep", Value("depth", stale=60), above=80)], channels={"me": Log()}, clock=clock)
    alerts._wall = alerts._dial._wall = wall
    for _ in range(4):
        clock.advance(15)
        recording.append(gauges(clock.time(), {"a": 90}))
        alerts.evaluate()
        wall.ahead += 7_200
    assert [moved.move for moved in alerts.history] == ["firing"]
    clock.advance(120)  # and now nobody records
    alerts.evaluate()
    assert alerts.history[-1].move == "resolved"


def test_a_thousand_alerts_go_one_by_one_or_together():
    """One notification for a group, however many alerts it has."""
    rule = Rule("Deep", Value("depth"), above=80, by="queue")
    world = World([rule], template=Template(text="{firing}"))
    world.pass_by(15, {f"q{number}": 90.0 for number in range(1_200)})
    assert [(len(m.notification.alerts), m.rendered.text) for m in world.told] == [(1_000, "1000")]
    assert world.alerts.stats().dropped == {"Deep/warning": 200}


def test_groups_of_notifications_are_bounded(monkeypatch):
    """Alerts beyond the bound fire, are not told, and are counted."""
    monkeypatch.setattr("seawall.observe.alerts._notifier.MOST_GROUPS", 2)
    route = Route("hook", group_by="...", group_wait=0)
    world = World([Rule("Deep", Value("depth"), above=80, by="queue")], route=route)
    world.pass_by(15, {"a": 90, "b": 90, "c": 90})
    stats = world.alerts.stats()
    assert (stats.firing, stats.groups, len(world.told), stats.dropped) == (3, 2, 2, {"groups": 1})


def test_half_characters_do_no_harm():
    """A label value with a lone surrogate, quotes and emoji is told, stored and kept apart."""
    world = World([Rule("Deep", Value("depth"), above=80, by="queue", annotations={"summary": "{queue}"})])
    world.pass_by(15, {'\ud800"\n': 90, "\ud801": 90, "🦀": 90})
    (told,) = world.told
    assert len({alert.fingerprint for alert in told.notification.alerts}) == 3
    assert told.rendered.text.encode()
    world.restart()
    assert world.alerts.stats().firing == 3


def test_a_function_that_makes_snapshots_may_fail():
    """Nobody is blind without hearing of it: it is alerted, and rules find no data."""
    told, clock = [], ManualClock(1_000)
    answers = iter([gauges(1_000.0, {"a": 90}), None, None])

    def sample() -> Snapshot:
        answer = next(answers)
        if answer is None:
            raise OSError("no segment")
        return answer

    channels = {"me": Call(lambda m: told.append(m.rendered.text))}
    rule = Rule("Deep", Value("depth", stale=60), above=80)
    alerts = Alerts(sample, [rule], channels=channels, route=NOW, clock=clock)
    alerts.evaluate()
    clock.advance(60)
    alerts.evaluate()
    alerts.deliver()
    assert [moved.move for moved in alerts.history] == ["firing", "resolved"]
    assert "the rule snapshot cannot be read: OSError: no segment" in told[1]
