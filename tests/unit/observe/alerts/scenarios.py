"""What alerts do in all the cases that documents of alerting name, as transcripts."""

from __future__ import annotations

from collections.abc import Callable

from tests.alerts_world import World

from seawall.observe.alerts import Absent, Inhibition, Measure, Route, Rule, Unchanged, Value

DEEP = Rule("Deep", Value("depth"), above=80)
BY_QUEUE = Rule("Deep", Value("depth"), above=80, by=("queue",))
QUICK = {"group_wait": 0, "group_interval": 60, "repeat_interval": 300}


def at_once() -> World:
    """Without for_ it fires when the condition holds, and resolves when it does not; the threshold itself is fine."""
    world = World([DEEP], route=Route("hook", **QUICK))
    world.look({"a": 80})
    world.pass_by(15, {"a": 81})
    world.pass_by(60, {"a": 80})
    return world


def pending() -> World:
    """With for_ it is pending first; a blip is dropped and the time begins anew."""
    world = World([Rule("Deep", Value("depth"), above=80, for_=60)])
    world.pass_by(45, {"a": 90})
    world.pass_by(15, {"a": 10})
    world.pass_by(90, {"a": 91})
    return world


def hysteresis() -> World:
    """It fires above 80 and fires on until it is at 60 or less."""
    world = World([Rule("Deep", Value("depth"), above=80, resolve=60)])
    for depth in (79, 85, 75, 61, 60, 75, 81):
        world.pass_by(15, {"a": depth})
    return world


def keep_firing() -> World:
    """A firing alert whose condition comes and goes stays one alert."""
    world = World([Rule("Deep", Value("depth"), above=80, keep_firing_for=60)])
    for depth in (90, 10, 10, 90, 10, 10, 10, 10, 10, 10):
        world.pass_by(15, {"a": depth})
    return world


def below() -> World:
    """A value may be too low, too."""
    world = World([Rule("Idle", Value("depth"), below=5, resolve=10)])
    for depth in (5, 4, 7, 10):
        world.pass_by(15, {"a": depth})
    return world


def no_data() -> World:
    """Where the series goes away: ok resolves, firing fires, keep stays as it was."""
    rules = [Rule(f"Deep-{choice}", Value("depth"), above=80, no_data=choice) for choice in ("ok", "firing", "keep")]
    world = World(rules)
    world.pass_by(15, {"a": 90})
    world.pass_by(30, {})
    world.pass_by(15, {"a": 10})
    world.pass_by(15, {})
    return world


def pending_without_data() -> World:
    """Pending, with keep: without data it neither fires nor starts anew."""
    world = World([Rule("Deep", Value("depth"), above=80, for_=30, no_data="keep")])
    world.pass_by(15, {"a": 90})
    world.pass_by(60, {})
    world.pass_by(15, {"a": 90})
    return world


def stale() -> World:
    """Nobody records any more: the last value is not taken for today's, and Absent says so."""
    world = World([Rule("Deep", Value("depth", stale=60), above=80), Rule("Gone", Absent("depth", within=60), above=0)])
    world.pass_by(15, {"a": 90})
    world.pass_by(90)
    world.pass_by(15, {"a": 10})
    return world


def heartbeat() -> World:
    """A gauge that stands still for too long."""
    world = World([Rule("Stuck", Unchanged("depth"), above=60, by=("queue",))])
    world.pass_by(90, {"a": 1, "b": 1})
    world.pass_by(15, {"a": 2, "b": 1})
    return world


def group_gone_and_new() -> World:
    """Each value of a label is an alert of its own; the groups of one rule are told together."""
    world = World([BY_QUEUE], route=Route("hook", **QUICK))
    world.pass_by(15, {"a": 90, "b": 10})
    world.pass_by(15, {"a": 90, "b": 90})
    world.pass_by(75, {"a": 90, "b": 90})
    world.pass_by(75, {"b": 90})
    return world


def grouping() -> World:
    """group_wait gathers, group_interval holds back what comes later, repeat_interval reminds."""
    route = Route("hook", group_wait=30, group_interval=60, repeat_interval=180)
    world = World([BY_QUEUE], route=route)
    world.pass_by(15, {"a": 90})
    world.pass_by(15, {"a": 90, "b": 90})
    world.pass_by(30, {"a": 90, "b": 90, "c": 90})
    world.pass_by(360, {"a": 90, "b": 90, "c": 90})
    world.pass_by(90, {"a": 10, "b": 10, "c": 10})
    return world


def too_short_to_tell() -> World:
    """What resolves within group_wait is told to nobody."""
    world = World([DEEP], route=Route("hook", group_wait=60, group_interval=60))
    world.pass_by(15, {"a": 90})
    world.pass_by(90, {"a": 10})
    return world


def flapping() -> World:
    """What comes and goes within group_interval is told once."""
    world = World([DEEP], route=Route("hook", **QUICK))
    for depth in (90, 10, 90, 10, 90, 90, 90, 90, 90):
        world.pass_by(15, {"a": depth})
    return world


def inhibition() -> World:
    """While the page fires the ticket for the same queue is not told; another queue's is."""
    rules = [
        Rule("Full", Value("depth"), above=100, by=("queue",), severity="page"),
        Rule("Deep", Value("depth"), above=80, by=("queue",), severity="ticket"),
    ]
    quiet = [Inhibition({"severity": "page"}, {"severity": "ticket"}, equal=("queue",))]
    world = World(rules, route=Route("hook", **QUICK), inhibitions=quiet)
    world.pass_by(15, {"a": 120, "b": 90})
    world.pass_by(75, {"a": 90, "b": 90})
    return world


def silences() -> World:
    """From, until, ended early; what began before and goes on is told when the silence is over."""
    world = World([BY_QUEUE], route=Route("hook", **{**QUICK, "group_by": "..."}))
    made = world.alerts.silence({"queue": "a"}, seconds=600, by="ann", why="we move the disks")
    world.alerts.silence('queue=~"b.*"', seconds=90, start=world.clock.time() + 30, by="ann", why="later")
    world.pass_by(15, {"a": 90, "b": 90})
    world.pass_by(105, {"a": 90, "b": 10})
    world.alerts.unsilence(made)
    world.say("the silence of a is ended")
    world.pass_by(60, {"a": 90, "b": 10})
    return world


def routes() -> World:
    """Pages go to the hook and, as that route goes on, to the mail; all else to the log."""
    inside = [
        Route("hook", match={"severity": "page"}, go_on=True),
        Route("mail", match='severity=~"page|ticket"', send_resolved=False),
    ]
    rules = [
        Rule("Deep", Value("depth"), above=level, severity=s) for s, level in (("page", 100), ("ticket", 80), ("x", 60))
    ]
    world = World(rules, channels=("log", "hook", "mail"), route=Route("log", **QUICK, routes=inside))
    for depth in (70, 90, 110):
        world.pass_by(15, {"a": depth})
    world.pass_by(60, {"a": 10})
    return world


def failing_channel() -> World:
    """The other channel hears that one fails; when it is back it hears what it missed, also what is over."""
    world = World([DEEP], channels=("hook", "mail"), route=Route(["hook", "mail"], **QUICK))
    world.down.add("hook")
    world.pass_by(60, {"a": 90})
    world.pass_by(30, {"a": 10})
    world.down.clear()
    world.say("the hook is back")
    world.pass_by(150, {"a": 10})
    return world


def failing_rule() -> World:
    """A rule that cannot be read stays as it was, keeps no other from being read, and is alerted."""
    broken: list[bool] = []

    def depth(moment: object) -> float:
        if broken:
            raise ZeroDivisionError("by nothing")
        return 90.0

    world = World([Rule("Own", Measure(depth), above=80), DEEP], route=Route("hook", **QUICK))
    world.pass_by(15, {"a": 10})
    broken.append(True)
    world.pass_by(15, {"a": 90})
    broken.clear()
    world.pass_by(60, {"a": 90})
    return world


def clock_set_back() -> World:
    """A clock that is set back by an hour neither makes a pending alert wait for an hour nor repeats anything."""
    world = World([Rule("Deep", Value("depth"), above=80, for_=60)], route=Route("hook", **QUICK))
    world.pass_by(45, {"a": 90})
    world.set_back(3_600)
    world.pass_by(60, {"a": 90})
    world.set_back(7)
    world.pass_by(60, {"a": 90})
    return world


def long_outage() -> World:
    """After more than an hour without a look nobody knows that the condition held: pending begins anew."""
    world = World([Rule("Deep", Value("depth"), above=80, for_=60)])
    world.pass_by(30, {"a": 90})
    world.clock.advance(3_700)
    world.pass_by(75, {"a": 90})
    return world


def restarts() -> World:
    """A restart while pending, one while firing, and one between decision and delivery."""
    world = World([Rule("Deep", Value("depth"), above=80, for_=60)], route=Route("hook", **QUICK))
    world.pass_by(45, {"a": 90})
    world.restart()
    world.say("restart")
    world.pass_by(15, {"a": 90})
    world.clock.advance(15)
    world.recording.append(world.recording.latest)
    world.alerts.evaluate()
    world.restart()
    world.say("restart before anything was told")
    world.pass_by(45, {"a": 90})
    world.restart()
    world.say("restart")
    world.pass_by(60, {"a": 10})
    return world


def rule_removed() -> World:
    """A rule that is gone after a restart: who was told that it fires hears that it does no longer."""
    world = World([DEEP, Rule("Other", Value("depth"), above=50)], route=Route("hook", **QUICK))
    world.pass_by(15, {"a": 90})
    world._rules.pop()
    world.restart()
    world.say("restart without Other")
    world.pass_by(75, {"a": 90})
    return world


SCENARIOS: tuple[Callable[[], World], ...] = (
    at_once, pending, hysteresis, keep_firing, below, no_data, pending_without_data, stale, heartbeat,
    group_gone_and_new, grouping, too_short_to_tell, flapping, inhibition, silences, routes, failing_channel,
    failing_rule, clock_set_back, long_outage, restarts, rule_removed,
)  # fmt: skip


def transcripts() -> str:
    """All of them, one after the other."""
    return "\n".join(f"# {run.__name__}: {run.__doc__}\n" + "\n".join([*run().lines, ""]) for run in SCENARIOS)
