"""Works one stream off: in order by one worker at a time, or by any number that each take what is free."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from seawall.clock import Clock
from seawall.distributed.transactions.choreography._flow import Ask, Flow, Stopping
from seawall.distributed.transactions.choreography._options import DeliveryOptions
from seawall.distributed.transactions.choreography._parking import Failure, Parking, words_of
from seawall.distributed.transactions.choreography._stats import Counts
from seawall.engines import Claim, Journal, Record, Taken
from seawall.errors import ConfigError, LeaseLost


class Failed(Exception):
    """The event's own work failed, for the reason in `__cause__`; counts as an attempt.

    Args:
        error: What was raised.
        for_good: Another attempt would be vain.
    """

    def __init__(self, error: Exception, *, for_good: bool = False) -> None:
        super().__init__(words_of(error))
        self.error = error
        self.for_good = for_good


class Work(NamedTuple):
    """What is done with each record.

    Attributes:
        do: Raises Failed, or anything else for which the event cannot help.
        give_up: (record, reason) -> whether the event is settled by that; else it is parked.
        do_many: The work of several in fewer steps; how many of the first are done. Where it raises, or stops early,
            `do` is asked for the next.
    """

    do: Callable[[Record], Flow[None]]
    give_up: Callable[[Record, str], Flow[bool]]
    do_many: Callable[[Sequence[Record]], Flow[int]] | None = None


class Pump:
    """One worker on one stream.

    Guarantees: at least once: a record leaves the stream after its work was done, or when it is parked. In order:
    none is begun before all earlier ones are done or given up.

    Thread safety: one thread or task at a time.
    """

    def __init__(  # noqa: PLR0917 -- made in one place
        self,
        journal: Journal,
        stream: str,
        partition: int,
        owner: str,
        work: Work,
        parking: Parking,
        options: DeliveryOptions,
        counts: Counts,
        stopping: Stopping,
        clock: Clock,
        now_us: Callable[[], int],
    ) -> None:
        self._journal = journal
        self._stream = stream
        self._partition = partition
        self._owner = owner
        self._work = work
        self._parking = parking
        self._options = options
        self._counts = counts
        self._stopping = stopping
        self._clock = clock
        self._now_us = now_us
        self._chance = Random(0)  # backoffs take one; those there are use none
        self._claim: Claim | None = None
        self._renewed_ns = 0
        self._not_before_ns = 0
        self._tries: dict[int, int] = {}
        self._suspect: set[int] = set()
        self._watched: int | None = None
        self._slowest = 0.0

    def batch(self) -> Flow[int]:
        """Work off what is there, at most one batch; how many were settled."""
        return (yield from (self._follow() if self._options.ordered else self._take()))

    def release(self) -> Flow[None]:
        """Let another follow the stream."""
        claim, self._claim = self._claim, None
        if claim is not None:
            yield Ask(self._journal, self._journal._do_release(claim))

    # In order: one worker has the stream, reads it from its beginning, and cuts off what is settled.

    def _follow(self) -> Flow[int]:
        if self._clock.now_ns() < self._not_before_ns or not (yield from self._has_claim()):
            return 0
        records = yield Ask(self._journal, self._journal._do_scan(self._stream, limit=self._options.batch))
        settled = yield from self._do_many(records)
        through = records[settled - 1].position if settled else 0
        # Where many go at once, only the one that kept them from it goes by itself.
        for record in records[settled : None if self._work.do_many is None else settled + 1]:
            if self._stopping.wanted or not (yield from self._has_claim()):
                break
            # The first record after a change of workers may be what killed the one before.
            self._watched = self._watched or record.position
            watched = record.position == self._watched
            seconds = yield from self._attempt(
                record, again=watched or record.position in self._suspect, watched=watched
            )
            if seconds is not None:
                self._not_before_ns = self._clock.now_ns() + round(seconds * 1e9)
                break
            settled, through = settled + 1, record.position
        if through:
            # Whoever lost the claim meanwhile cuts off only what is settled, so no fence is needed.
            yield Ask(self._journal, self._journal._do_trim(self._stream, through))
        return settled

    def _do_many(self, records: Sequence[Record]) -> Flow[int]:
        done = 0
        while self._work.do_many is not None and len(records) - done > 1 and not self._stopping.wanted:
            try:
                count = yield from self._work.do_many(records[done:])
            except ConfigError:
                raise
            except Exception:  # noqa: BLE001 -- one by one it will be seen which it was
                break
            if not count:
                break
            for record in records[done : done + count]:
                self._counts.add("done")
                yield from self._forget(record, record.position in self._suspect)
            done += count
        return done

    def _has_claim(self) -> Flow[bool]:
        now_ns, ttl = self._clock.now_ns(), self._options.seconds
        if self._claim is not None and now_ns - self._renewed_ns < ttl / 3 * 1e9:
            return True
        if self._claim is not None:
            try:
                yield Ask(self._journal, self._journal._do_renew(self._claim))
            except LeaseLost:
                self._claim = None
                self._counts.add("late")
                return False
        else:
            claim = yield Ask(self._journal, self._journal._do_claim(self._stream, self._owner, ttl))
            if claim is None:
                return False
            self._claim = claim
            self._watched = None
            self._suspect = yield Ask(self._journal, self._parking.failing(self._partition))
        self._renewed_ns = now_ns
        return True

    # Out of order: each worker takes what nobody has.

    def _take(self) -> Flow[int]:
        limit = self._options.batch
        if self._slowest:  # what is taken should be done in half of the time it is taken for
            limit = max(1, min(limit, int(self._options.seconds / 2 / self._slowest)))
        taking = self._journal._do_take(self._stream, self._owner, self._options.seconds, limit=limit)
        taken: tuple[Taken, ...] = yield Ask(self._journal, taking)
        settled, self._slowest = 0, 0.0
        for each in taken:
            if self._stopping.wanted:
                yield Ask(self._journal, self._journal._do_give_back(each))
                continue
            begun_ns = self._clock.now_ns()
            seconds = yield from self._attempt(each.record, again=each.attempt > 1, watched=each.attempt > 2)
            self._slowest = max(self._slowest, (self._clock.now_ns() - begun_ns) / 1e9)
            if seconds is None:
                settled += yield from self._acknowledge(each)
            else:
                yield Ask(self._journal, self._journal._do_give_back(each, delay=min(seconds, 86_400.0)))
        return settled

    def _acknowledge(self, taken: Taken) -> Flow[int]:
        try:
            yield Ask(self._journal, self._journal._do_acknowledge(taken))
        except LeaseLost:
            self._counts.add("late")
            return 0
        return 1

    # One record.

    def _attempt(self, record: Record, *, again: bool, watched: bool) -> Flow[float | None]:
        """Do the work of a record; None when it is settled, else seconds until the next attempt.

        Args:
            record: Which.
            again: It may have failed before.
            watched: It may kill whoever works on it: say so before, and take it back after.
        """
        past: tuple[Failure, ...] = ()
        if again:
            past = yield Ask(self._journal, self._parking.failures(self._partition, record.position))
        if not watched:
            return (yield from self._do(record, past))
        vanished = yield Ask(self._journal, self._parking.hold(self._partition, record.position))
        if vanished >= self._options.crashes:
            reason = f"{vanished} workers have vanished over it; see why it kills them"
            seconds = yield from self._give_up(record, reason, past)
        else:
            seconds = yield from self._do(record, past)
        yield Ask(self._journal, self._parking.let_go(self._partition, record.position))
        return seconds

    def _do(self, record: Record, past: Sequence[Failure]) -> Flow[float | None]:
        try:
            yield from self._work.do(record)
        except Failed as failed:
            self._counts.add("failed")
            return (yield from self._failed(record, failed, past))
        except ConfigError:
            raise
        except Exception:  # noqa: BLE001 -- not the event's fault: the database or the engine is away
            self._counts.add("troubles")
            return self._wait(self._tried(record.position))
        self._counts.add("done")
        yield from self._forget(record, bool(past))
        return None

    def _failed(self, record: Record, failed: Failed, past: Sequence[Failure]) -> Flow[float | None]:
        attempts, count = self._options.attempts, len(past) + 1
        if attempts is None and not failed.for_good:
            return self._wait(self._tried(record.position))
        failure = Failure(str(failed), self._now_us())
        if failed.for_good or (attempts is not None and count >= attempts):
            reason = str(failed) if failed.for_good else f"{count} attempts failed; the last: {failed}"
            return (yield from self._give_up(record, reason, (*past, failure)))
        yield Ask(self._journal, self._parking.add_failure(self._partition, record.position, failure))
        self._suspect.add(record.position)
        return self._wait(count)

    def _give_up(self, record: Record, reason: str, failures: Sequence[Failure]) -> Flow[float | None]:
        try:
            settled = yield from self._work.give_up(record, reason)
        except Exception:  # noqa: BLE001 -- as above
            self._counts.add("troubles")
            return self._wait(self._tried(record.position))
        if not settled:
            parking = self._parking.park(self._partition, record, reason, failures, self._now_us())
            yield Ask(self._journal, parking)
        self._counts.add("given_up")
        yield from self._forget(record, bool(failures))
        return None

    def _forget(self, record: Record, failures: bool) -> Flow[None]:
        self._tries.pop(record.position, None)
        self._suspect.discard(record.position)
        if failures:
            yield Ask(self._journal, self._parking.forget_failures(self._partition, record.position))

    def _tried(self, position: int) -> int:
        if len(self._tries) > 10_000:
            self._tries.clear()
        self._tries[position] = self._tries.get(position, 0) + 1
        return self._tries[position]

    def _wait(self, count: int) -> float:
        return self._options.backoff.wait(count, 0, self._chance) / 1e9
