"""However a stream is cut up and whatever the times, a fault proxy loses and doubles nothing but what a fault says."""

from __future__ import annotations

import asyncio
import math
from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st

import seawall.testing
from seawall.clock import ManualClock
from seawall.testing import (
    Bandwidth,
    Corrupt,
    Fault,
    FaultPlan,
    FaultProxy,
    HalfClose,
    Latency,
    Pause,
    Reset,
    SlowClose,
    Stall,
    Truncate,
    run,
)
from seawall.testing._fault_proxy_course import Course, Outcome

times = st.floats(0, 100, allow_nan=False).map(lambda x: round(x, 6))
counts = st.integers(0, 300)
chunks = st.lists(st.binary(min_size=1, max_size=60), max_size=12)
lossless = st.one_of(
    st.builds(
        lambda s, j, d, c: Latency(s, jitter=j, distribution=d, chunks=c),
        times,
        times,
        st.sampled_from(["uniform", "normal", "exponential"]),
        st.floats(0, 1),
    ),
    st.builds(Bandwidth, st.integers(1, 1000)),
    st.builds(lambda s, n: Stall(s, after_bytes=n), times, counts),
    st.builds(SlowClose, times),
    st.just(Pause()),
)


class Line:
    """A course with virtual time around it: what was sent, what came out, how it ended."""

    def __init__(self, faults: list[Fault], room: int = 1 << 20, seed: int = 0) -> None:
        self.course = Course(room)
        self.now = 0.0
        self.out = bytearray()
        self.end: Outcome | None = None
        self.keys: list[int] = []
        self._seed = seed
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> None:
        """Put a fault on."""
        key = len(self.keys)
        self.keys.append(key)
        self.course.attach(key, fault.effect(self.now, Random(f"{self._seed}/{key}")))

    def send(self, data: bytes) -> None:
        """As far as there is room, over and over; the end when there are no bytes."""
        if not data:
            self.course.arrive(b"", self.now)
        while data and self.end is None:
            part = data[: self.course.free]
            if part:
                self.course.arrive(part, self.now)
                data = data[len(part) :]
            if not self.turn() and data:
                return

    def turn(self) -> bool:
        """All that happens now, and then the next time at which something does; False when there is none."""
        while self.end is None:
            self.out += self.course.outgoing
            self.course.outgoing = memoryview(b"")
            gate = self.course.next(self.now)
            if gate.outcome is Outcome.PASS:
                assert gate.size >= 1
                self.course.take(gate.size)
            elif gate.outcome is Outcome.DROP:
                self.course.drop()
            elif gate.outcome is Outcome.HOLD:
                if gate.until == math.inf:
                    return False
                assert gate.until > self.now
                self.now = gate.until
                return True
            else:
                self.end = gate.outcome
                self.course.finish()
        return False

    def settle(self) -> None:
        """Let time pass until nothing changes any more."""
        while self.turn():
            pass


@given(chunks, st.lists(lossless, max_size=4), st.lists(st.tuples(st.integers(0, 12), lossless), max_size=3))
def test_lossless_faults_lose_nothing(sent: list[bytes], faults: list[Fault], later: list[tuple[int, Fault]]) -> None:
    """Added at any time, and once those that never end by themselves are off, all bytes are there, and then the end."""
    line = Line(faults)
    for place, data in enumerate([*sent, b""]):
        for at, fault in later:
            if at == place:
                line.add(fault)
        line.send(data)
        line.turn()
    for key in line.keys:
        line.course.detach(key)
    line.settle()
    assert bytes(line.out) == b"".join(sent)
    assert line.end is Outcome.FINISH
    assert line.course.dropped == line.course.held == 0


@given(chunks, st.lists(lossless.filter(lambda fault: not isinstance(fault, Pause)), max_size=4))
def test_faults_that_end_by_themselves_need_not_be_removed(sent: list[bytes], faults: list[Fault]) -> None:
    """Time alone brings everything."""
    line = Line(faults)
    for data in [*sent, b""]:
        line.send(data)
    line.settle()
    assert (bytes(line.out), line.end) == (b"".join(sent), Outcome.FINISH)


@given(chunks, counts, st.sampled_from([Reset, Truncate, HalfClose]), st.lists(lossless, max_size=2))
@example([b"ab"], 2, Truncate, [])
@example([b"ab"], 0, Reset, [])
def test_what_ends_after_bytes_ends_after_exactly_those(
    sent: list[bytes], after: int, kind: type[Fault], faults: list[Fault]
) -> None:
    """A shorter stream ends by itself."""
    faults = [fault for fault in faults if not isinstance(fault, Pause)]
    line = Line([*faults, kind(after_bytes=after)])
    for data in [*sent, b""]:
        line.send(data)
    line.settle()
    whole = b"".join(sent)
    outcome = {Reset: Outcome.CUT, Truncate: Outcome.CLOSE, HalfClose: Outcome.FINISH}[kind]
    assert bytes(line.out) == whole[:after]
    assert line.end is (outcome if after <= len(whole) else Outcome.FINISH)


@given(st.binary(max_size=500), st.lists(st.integers(1, 100), max_size=10), st.floats(0.001, 1), st.integers())
def test_corruption_does_not_depend_on_chunks(data: bytes, cuts: list[int], rate: float, seed: int) -> None:
    """The same seed changes the same bytes, in one bit each; the length stays."""
    whole, pieces = (Line([Corrupt(rate)], seed=seed) for _ in range(2))
    whole.send(data)
    rest = data
    for cut in cuts:
        if rest[:cut]:
            pieces.send(rest[:cut])
        rest = rest[cut:]
    if rest:
        pieces.send(rest)
    assert whole.out == pieces.out
    assert len(whole.out) == len(data)
    changed = [(a ^ b).bit_count() for a, b in zip(data, whole.out, strict=True) if a != b]
    assert set(changed) <= {1}
    assert whole.course.changed == len(changed)


@given(st.integers(1, 400), st.lists(st.integers(1, 100), min_size=1, max_size=8), st.integers(1, 1000))
def test_bytes_never_leave_faster_than_the_bandwidth(size: int, cuts: list[int], rate: int) -> None:
    """All bytes are out after size/rate seconds, neither before nor, sent at once, later."""
    line = Line([Bandwidth(rate)])
    data = bytes(size)
    for cut in cuts:
        if data:
            line.course.arrive(data[:cut], 0.0)
            data = data[cut:]
    if data:
        line.course.arrive(data, 0.0)
    line.settle()
    assert math.isclose(line.now, size / rate, rel_tol=1e-6)


@given(st.integers(1, 400), counts, st.integers(1, 1000))
@example(100, 7, 1000)
def test_bandwidth_charges_for_what_leaves_only(size: int, after: int, rate: int) -> None:
    """A fault that lets less pass at once makes the line no narrower."""
    line = Line([Bandwidth(rate), Stall(0, after_bytes=after)])
    line.send(bytes(size))
    line.settle()
    assert math.isclose(line.now, size / rate, rel_tol=1e-6)


@given(chunks, st.integers(1, 50), st.lists(lossless, max_size=3))
def test_no_more_is_held_than_there_is_room_for(sent: list[bytes], room: int, faults: list[Fault]) -> None:
    """Whatever holds it back."""
    line = Line(faults, room)
    for data in sent:
        line.send(data)
        assert line.course.held <= room
        assert line.course.free >= 0


@given(st.integers(), st.floats(0.001, 1000), st.integers(1, 30))
def test_a_drawn_plan_is_over_in_time_and_can_be_written_down(seed: int, duration: float, count: int) -> None:
    """All its faults are off by the end; repr and JSON make it again."""
    plan = FaultPlan.random(seed, duration, count=count)
    assert len(plan) == count
    assert all(step.at + (step.lasts or 0.0) <= duration for step in plan)
    assert eval(repr(plan), _public()) == plan == FaultPlan.from_json(plan.to_json())


def _public() -> dict[str, object]:
    return {name: getattr(seawall.testing, name) for name in seawall.testing.__all__}


@settings(max_examples=25)
@given(st.lists(st.binary(min_size=1, max_size=5000), max_size=6), st.lists(lossless, max_size=3), st.integers(1, 3000))
def test_through_sockets_all_bytes_come_back(sent: list[bytes], faults: list[Fault], room: int) -> None:
    """In order, once, and then the end, through an echo server and small buffers."""
    faults = [fault for fault in faults if not isinstance(fault, Pause)]

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def main() -> bytes:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with FaultProxy(server.sockets[0].getsockname(), seed=1, buffer_bytes=room) as proxy:
            for fault in faults:
                proxy.add(fault)
            reader, writer = await asyncio.open_connection(*proxy.address)
            for data in sent:
                writer.write(data)
            writer.write_eof()
            back = await reader.read()
            writer.close()
        server.close()
        await server.wait_closed()
        return back

    assert run(main(), ManualClock()) == b"".join(sent)
