"""What relays and participants have in common: they work streams off, once or until they are stopped."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Sequence
from typing import Any

from seawall.clock import WallClock
from seawall.distributed.transactions.choreography._flow import Flow, Pause, Stopping, run, run_async
from seawall.distributed.transactions.choreography._options import DeliveryOptions
from seawall.distributed.transactions.choreography._parking import Parked, Parking
from seawall.distributed.transactions.choreography._pump import Pump, Work
from seawall.distributed.transactions.choreography._stats import Counts, DeliveryStats
from seawall.engines import Journal, Record
from seawall.engines.operation import driver_of
from seawall.errors import ConfigError, EngineError

_LONGEST_NAME = 64


class Worker:
    """Works the streams of a journal off.

    Thread safety: yes; each call works for itself, and any number of calls, threads and processes share the work.

    Args:
        name: Of the relay or participant.
        journal: Where its streams are.
        streams: In the order of their partitions.
        options: How.
    """

    def __init__(self, name: str, journal: Journal, streams: tuple[str, ...], options: DeliveryOptions) -> None:
        self.name = name
        self.options = options
        self._source = journal
        self._streams = streams
        self._clock = driver_of(journal).clock
        self._wall = WallClock()
        self._parking = Parking(journal, streams)
        self._counts = Counts()
        self._stopping = Stopping(self._clock)

    _do_records: Callable[[Sequence[Record]], Flow[int]] | None = None
    """`Work.do_many`, where there is such a thing."""

    def _do_record(self, record: Record) -> Flow[None]:
        """The work."""
        raise NotImplementedError

    def _given_up(self, record: Record, reason: str) -> Flow[bool]:
        """What is done with a record that was given up, in place of parking it; whether anything was."""
        del record, reason
        yield from ()
        return False

    def _for_tasks(self) -> str | None:
        """The name of something that only tasks can call, if there is any."""
        return None

    def _must_be_plain(self) -> None:
        if (name := self._for_tasks()) is not None:
            raise ConfigError(f"{name!r} of {self.name!r} is a coroutine function; use the ..._async calls")

    def _now_us(self) -> int:
        return self._wall.now_ns() // 1_000

    def _pumps(self) -> list[Pump]:
        owner = f"{self.name}@{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
        work = Work(self._do_record, self._given_up, self._do_records)
        return [
            Pump(
                self._source, stream, partition, owner, work, self._parking, self.options, self._counts,
                self._stopping, self._clock, self._now_us,
            )
            for partition, stream in enumerate(self._streams)
        ]  # fmt: skip

    def _draining(self) -> Flow[int]:
        pumps, settled = self._pumps(), 0
        try:
            for pump in pumps:
                while count := (yield from pump.batch()):
                    settled += count
        except GeneratorExit:
            raise  # nobody does any more what a flow says
        except BaseException:
            yield from _released(pumps)
            raise
        yield from _released(pumps)
        return settled

    def _running(self) -> Flow[None]:
        pumps, troubles = self._pumps(), 0
        while not self._stopping.wanted:
            settled = 0
            try:
                for pump in pumps:
                    settled += yield from pump.batch()
                troubles = 0
            except EngineError:
                self._counts.add("troubles")
                troubles += 1
            if troubles:
                yield Pause(min(2.0 ** min(troubles, 6), 30.0) * float(self.options.poll_interval))  # type: ignore[arg-type]
            elif not settled:
                yield Pause(float(self.options.poll_interval))  # type: ignore[arg-type]
        yield from _released(pumps)

    def drain(self) -> int:
        """Work off what is there and due; returns how many events were settled: done, or given up.

        Raises:
            EngineError: The journal could not be used.
        """
        self._must_be_plain()
        return run(self._draining(), self._stopping)

    async def drain_async(self) -> int:
        """`drain` for a task."""
        return await run_async(self._draining(), self._stopping)

    def run(self) -> None:
        """Work off what is there and what comes, until `stop`; an engine that is away is waited for."""
        self._must_be_plain()
        run(self._running(), self._stopping)

    async def run_async(self) -> None:
        """`run` for a task; also ends when it is cancelled, and what it had then goes to others after `ttl`."""
        await run_async(self._running(), self._stopping)

    def stop(self) -> None:
        """Let every `run` of this object end with the event it has in hand; for signal handlers, too."""
        self._stopping.stop()

    def parked(self, *, after: str = "", limit: int = 100) -> tuple[Parked, ...]:
        """Events that were given up, a page at a time in order of their ids.

        Args:
            after: The last id of the page before.
            limit: 1 to 10,000.
        """
        return driver_of(self._source).run(self._parking.page(after, limit))

    async def parked_async(self, *, after: str = "", limit: int = 100) -> tuple[Parked, ...]:
        """`parked` for a task."""
        return await driver_of(self._source).run_async(self._parking.page(after, limit))

    def retry(self, id: str) -> bool:
        """Put a parked event back at the end of its stream, with all its attempts; False when it is not parked."""
        return driver_of(self._source).run(self._parking.again(id))

    async def retry_async(self, id: str) -> bool:
        """`retry` for a task."""
        return await driver_of(self._source).run_async(self._parking.again(id))

    def discard(self, id: str) -> bool:
        """Forget a parked event; False when it is not parked."""
        return driver_of(self._source).run(self._parking.discard(id))

    async def discard_async(self, id: str) -> bool:
        """`discard` for a task."""
        return await driver_of(self._source).run_async(self._parking.discard(id))

    def stats(self) -> DeliveryStats:
        """What this object has done."""
        return self._counts.snapshot()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} on {self._streams[0]}{' stopped' if self._stopping.wanted else ''}>"


def _released(pumps: list[Pump]) -> Flow[None]:
    for pump in pumps:
        yield from pump.release()


def worker_name(value: Any) -> str:
    """A name of 1 to 64 ASCII letters, digits, '-' and '_'."""
    good = isinstance(value, str) and value.isascii() and 1 <= len(value) <= _LONGEST_NAME
    if not good or not value.replace("-", "").replace("_", "").isalnum():
        raise ConfigError(f"name must be 1 to {_LONGEST_NAME} ASCII letters, digits, '-' and '_', got {value!r}")
    return str(value)


def streams_of(name: str, partitions: int) -> tuple[str, ...]:
    """Where the events for a participant come in."""
    if partitions == 1:
        return (f"events/{name}",)
    return tuple(f"events/{name}/{number}" for number in range(partitions))


def outbox_of(name: str) -> str:
    """Where the events of a participant go out."""
    return f"outbox/{name}"
