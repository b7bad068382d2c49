"""Limits across machines: a call over Valkey beside the client library's own EVALSHA, and a leased call."""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_hex

from redis import Redis

from benchmarks._case import OURS, Case, Missing, Probe, Target, WrongAnswer, exhaust, is_true
from benchmarks._scratch import scratch_valkey
from benchmarks.versus import rivals
from seawall.distributed import limits
from seawall.engines import Engine, Rule, open_engine
from seawall.engines.redis._meter import _UPDATE, arguments

OVER = "admitted over Valkey"
LEASED = "admitted, leased"
RAW = f"{OVER}: redis-py EVALSHA of the same script"
# So large that a run never empties them, and so slow that they never refill.
MANY, LONG = 100_000_000, 86_400.0


def _engine() -> Engine:
    return open_engine(scratch_valkey().tcp, lint=False)


def _raw() -> Probe:
    words = (_UPDATE.sha, *arguments("raw", (("all", Rule.token_bucket(MANY, per=LONG, burst=MANY)),), True))
    client = Redis(port=scratch_valkey().port)
    client.script_load(_UPDATE.source)
    names = {"evalsha": client.evalsha, "words": words}
    return Probe("evalsha(*words)", names, lambda reply: isinstance(reply, list) and reply[3] == 0)


def _five(engine: Engine) -> limits.Limit:
    """A limit of five that nobody has used."""
    return limits.TokenBucket(5, per=LONG, engine=engine, name=token_hex(8), within=20)


def _meter() -> Probe:
    meter = _engine().meter("meter")
    rule = Rule.token_bucket(MANY, per=LONG, burst=MANY)
    return Probe("meter.update('all', rule)", {"meter": meter, "rule": rule}, is_true)


def _limit(make: Callable[[Engine], limits.Limit]) -> Callable[[], Probe]:
    def probe() -> Probe:
        engine = _engine()
        exhaust(_five(engine).try_acquire, 5)
        limit = make(engine)
        return Probe("limit.try_acquire()", {"limit": limit}, is_true, lambda: limit.stats().admitted)

    return probe


def _three(engine: Engine) -> limits.Limit:
    levels = [limits.TokenBucket(MANY, per=LONG, engine=engine, name=f"level {i}") for i in range(3)]
    return limits.AllOf(*levels)


def _leased(batch: int) -> Callable[[], Probe]:
    def probe() -> Probe:
        engine = _engine()
        exhaust(_five(engine).leased(fraction=0.5, ttl=3_600).try_acquire, 5)
        limit = limits.TokenBucket(MANY, per=LONG, engine=engine, name=f"leased {batch}")
        leased = limit.leased(fraction=batch / MANY, ttl=3_600)
        for _ in range(2 * batch):  # until batches have their full size
            if not leased.try_acquire():
                raise WrongAnswer("a limit that is nearly untouched has refused")
        return Probe("leased.try_acquire()", {"leased": leased}, is_true, lambda: leased.stats().admitted)

    return probe


def cases() -> list[Case | Missing]:
    """All cases of the area."""
    one = "TokenBucket"
    return [
        Case(OVER, "redis-py", "EVALSHA of the same script", _raw, of=RAW),
        Case(OVER, OURS, "Meter.update", _meter, Target(1.1), of=RAW),
        Case(
            OVER, OURS, one,
            _limit(lambda e: limits.TokenBucket(MANY, per=LONG, engine=e, name="all", within=20)), Target(1.1), of=RAW,
        ),
        Case(OVER, OURS, "AllOf of three", _limit(_three), of=RAW),
        Case(LEASED, OURS, f"{one}, 10,000 at a time", _leased(10_000), Target(2)),
        Case(LEASED, OURS, f"{one}, 100 at a time", _leased(100)),
        *rivals({"over_valkey": OVER}, of=RAW),
    ]  # fmt: skip
