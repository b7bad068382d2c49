"""Hybrid clocks: what they give, refuse, show and remember."""

import os
import pickle
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from seawall.clock import ManualClock, SystemClock, WallClock
from seawall.distributed.clocks import HybridClock, HybridStamp, LamportClock, UniqueIds
from seawall.errors import ClockDrift, ConfigError, EngineError, SegmentError
from seawall.memory import Segment

UNIT = 1 << 16


def at(seconds, count=0):
    """The stamp of a second."""
    return int(seconds * UNIT) << 16 | count


def test_stamps_follow_the_wall_clock_and_count_while_it_stands():
    """A stamp is the wall clock's time, and the next of the same moment counts one more."""
    wall = ManualClock(10.0)
    clock = HybridClock(clock=wall)
    assert [clock.now(), clock.now()] == [at(10), at(10, 1)]
    wall.advance(0.5)
    assert clock.now() == at(10.5)
    assert clock.last == at(10.5)


def test_a_step_back_is_passed_over_and_shown():
    """A wall clock set back an hour makes stamps count on, and the drift is told until it has caught up."""
    wall = ManualClock(7200.0)
    clock = HybridClock(clock=wall)
    before = clock.now()
    wall.step_back(3600.0)
    assert clock.now() == before + 1
    assert (clock.stats().drift, clock.stats().most_drift) == (3600.0, 3600.0)
    wall.advance(3601.0)
    assert clock.now() == at(7201)
    assert (clock.stats().drift, clock.stats().most_drift) == (0.0, 3600.0)


def test_a_step_forward_is_followed():
    """A wall clock set forward takes the stamps with it, and they stay there when it is set right again."""
    wall = ManualClock(10.0)
    clock = HybridClock(clock=wall)
    clock.now()
    wall.advance(1000.0)
    assert clock.now() == at(1010)
    wall.step_back(1000.0)
    assert clock.now() == at(1010, 1)


def test_a_received_stamp_is_passed():
    """Taking a message gives a stamp above that of its sender, or above the own last one."""
    clock = HybridClock(clock=ManualClock(10.0))
    assert clock.receive(at(10.25, 7)) == at(10.25, 8)
    assert clock.receive(HybridStamp(at(9))) == at(10.25, 9)


def test_a_stamp_beyond_the_drift_is_refused():
    """One unit above the bound is refused with all that is known; the bound itself is taken."""
    clock = HybridClock(clock=ManualClock(10.0), max_drift=0.5)
    with pytest.raises(ClockDrift) as caught:
        clock.receive(at(11))
    assert str(caught.value) == (
        "the stamp 0x0000000b00000000 is 1 s ahead of this machine's wall clock, more than max_drift allows, 0.5 s; "
        "set the clocks of both machines right"
    )
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.stamp, again.ahead, again.most) == (at(11), 1.0, 0.5)
    assert (clock.last, clock.stats().refused) == (0, 1)
    with pytest.raises(ClockDrift):
        clock.receive(at(10.5) + UNIT)
    assert clock.receive(at(10.5, 0xFFFE)) == at(10.5, 0xFFFF)


def test_a_full_count_carries_into_the_time():
    """The 65,537th stamp of a unit moves the time on by itself, and that is counted."""
    clock = HybridClock(clock=ManualClock(10.0))
    stamps = [clock.now() for _ in range(UNIT + 1)]
    assert stamps == list(range(at(10), at(10) + UNIT + 1))
    assert clock.stats().carried == 1


def test_the_last_stamp_of_all_is_given_once():
    """At the end of the range the clock says so, and gives nothing twice."""
    wall = ManualClock()
    wall.set_ns(1 << 62)
    clock = HybridClock(clock=wall)
    clock.receive((1 << 64) - 3)
    for ask in (clock.now, lambda: clock.receive((1 << 64) - 2)):
        with pytest.raises(OverflowError, match=r"^the clock has given its last stamp, of February 2106$"):
            ask()
    assert clock.last == (1 << 64) - 2


def test_the_machine_is_the_default_clock():
    """Stamps are of the present, and rise."""
    before = WallClock().now_ns()
    stamps = [HybridClock().now(), HybridClock(clock=WallClock()).now()]
    after = WallClock().now_ns()
    for stamp in stamps:
        assert before - 2_000_000 <= HybridStamp(stamp).time * 1e9 <= after + 2_000_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"clock": SystemClock()},
            "clock must tell wall time (WallClock, or ManualClock counted from 1970), got SystemClock(); "
            "monotonic time means nothing to other machines",
        ),
        ({"max_drift": 0}, "max_drift must be 0.001 s to 86400 s, got 0"),
        (
            {"store_ahead": 0.1},
            "store_ahead is of use only with a store, got 0.1 without; give store='/path', too",
        ),
        ({"store": "s", "store_ahead": 0.3}, "store_ahead must be 0.001 s to 0.25 s, got 0.3"),
        ({"store": ""}, "store must be the path of a file, got ''"),
        ({"name": ""}, "name must be a text that is not empty, got ''"),
    ],
)
def test_options_that_can_never_work_are_refused(options, message):
    """The message names the option, the value and the range."""
    with pytest.raises(ConfigError) as caught:
        HybridClock(**options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("stamp", "kind", "message"),
    [
        (-1, ConfigError, "stamp must be a packed stamp from 0 to 18446744073709551614, got -1"),
        (1 << 64, ConfigError, f"stamp must be a packed stamp from 0 to 18446744073709551614, got {1 << 64}"),
        (1.5, TypeError, "stamp must be a packed stamp, got 1.5"),
        (True, TypeError, "stamp must be a packed stamp, got True"),
    ],
)
def test_a_stamp_that_is_none_is_refused(stamp, kind, message):
    """What a broken peer sends changes nothing."""
    clock = HybridClock(clock=ManualClock())
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        clock.receive(stamp)
    assert clock.last == 0


def test_a_restart_begins_above_all_that_was_given(tmp_path):
    """Even when the wall clock was set back meanwhile; and near enough for others to take."""
    wall = ManualClock(100.0)
    store = tmp_path / "store"
    first = HybridClock(clock=wall, store=store)
    given = first.now()
    assert first.stats().covered == at(100.25, 0xFFFF)
    other = HybridClock(clock=wall)
    after = HybridClock(clock=wall, store=store).now()
    assert after == at(100.25, 0xFFFF) + 1 > given
    assert other.receive(after) == after + 1
    wall.step_back(50.0)
    assert HybridClock(clock=wall, store=store).now() > after


def test_the_store_is_written_once_for_each_stretch_of_time(tmp_path):
    """Stamps inside what the file covers write nothing."""
    wall = ManualClock(100.0)
    store = tmp_path / "store"
    clock = HybridClock(clock=wall, store=store)
    clock.now()
    written = store.stat().st_ino
    wall.advance(0.25)
    clock.now()
    assert store.stat().st_ino == written
    wall.advance(0.001)
    clock.now()
    assert store.read_bytes() == b"seawall hybrid clock 1\n%016x\n" % clock.stats().covered
    assert clock.stats().covered >> 16 == (at(100.251) >> 16) + UNIT // 4


def test_a_damaged_store_is_never_taken_for_an_empty_one(tmp_path):
    """A file that holds something else is an error at the start, not a clock that begins anew."""
    store = tmp_path / "store"
    store.write_bytes(b"")
    with pytest.raises(EngineError) as caught:
        HybridClock(store=store)
    assert str(caught.value) == (
        f"clock store {store} holds no hybrid clock but b''; restore it, or write the last stamp you know of into it "
        "by hand: without it old stamps would be given again"
    )


def test_a_store_that_cannot_be_written_gives_no_stamp(tmp_path):
    """The error says which file; the clock stays where it was and goes on when the store is back."""
    directory = tmp_path / "gone"
    clock = HybridClock(clock=ManualClock(5.0), store=directory / "store")
    with pytest.raises(EngineError) as caught:
        clock.now()
    assert str(caught.value) == f"clock store {directory}/store cannot be written: No such file or directory"
    assert clock.last == 0
    directory.mkdir()
    assert clock.now() == at(5)
    store = directory / "store"
    os.unlink(store)
    store.mkdir()
    with pytest.raises(EngineError) as caught:
        HybridClock(store=store)
    assert str(caught.value) == f"clock store {store} cannot be read: Is a directory"


def test_clocks_that_share_a_slot_agree_on_whether_they_have_a_store(tmp_path):
    """A worker without the store would give stamps that nothing remembers."""
    segment = Segment(str(tmp_path / "s"), size=64 * 1024)
    HybridClock(shared=segment, store=tmp_path / "store")
    with pytest.raises(ConfigError) as caught:
        HybridClock(shared=segment)
    assert str(caught.value) == (
        f"hybrid_clock 'hybrid_clock' in segment {segment.path} has one and this one asks for none: store must be "
        "given by all who share a clock, or by none"
    )
    HybridClock(shared=segment, name="other")
    with pytest.raises(ConfigError, match=r"has none and this one asks for one"):
        HybridClock(shared=segment, name="other", store=tmp_path / "store")
    with pytest.raises(SegmentError):
        LamportClock("a", shared=segment, name="other")


def test_a_shared_clock_pickles_and_a_private_one_does_not(tmp_path):
    """A copy in another process is the same clock or none."""
    segment = Segment(str(tmp_path / "s"), size=64 * 1024)
    clock = HybridClock(shared=segment, max_drift=2.0, store=tmp_path / "store")
    again = pickle.loads(pickle.dumps(clock))
    assert again.now() > clock.last - 1
    assert again.last == clock.last
    with pytest.raises(TypeError) as caught:
        pickle.dumps(HybridClock())
    assert str(caught.value) == (
        "HybridClock 'hybrid_clock' cannot be pickled: a copy would give the same stamps again; give it shared='...' "
        "so that both use one"
    )


def test_a_clock_describes_itself(tmp_path):
    """The repr shows where it stands and what it stands on."""
    clock = HybridClock(clock=ManualClock(1.5), name="orders", store=tmp_path / "store")
    clock.now()
    assert repr(clock) == f"<HybridClock 'orders' at 1970-01-01T00:00:01.500000Z#0000 stored in {tmp_path}/store>"


def test_stamps_come_from_moments_of_any_time_zone():
    """A moment is the same stamp in every zone; a naive datetime is none."""
    utc = datetime(2027, 1, 15, 8, 0, 0, 500_000, UTC)
    stamp = HybridStamp.at(utc, 2)
    assert stamp == 0x6B49D20080000002
    assert HybridStamp.at(utc.astimezone(timezone(timedelta(hours=9))), 2) == stamp
    assert (stamp.time, stamp.count, stamp.datetime) == (1_800_000_000.5, 2, utc)
    with pytest.raises(ConfigError) as caught:
        HybridStamp.at(datetime(2027, 1, 15))
    assert str(caught.value) == (
        "time must be a datetime with a time zone, got datetime.datetime(2027, 1, 15, 0, 0); datetime.now(UTC) has one"
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HybridStamp(-1), "a stamp must be an int from 0 to 18446744073709551614, got -1"),
        (
            lambda: HybridStamp.parse("yesterday"),
            "a stamp is written like '2027-01-15T08:00:00.500000Z#0002', got 'yesterday'",
        ),
        (
            lambda: HybridStamp.parse("2027-13-15T08:00:00.500000Z#0002"),
            "a stamp is written like '2027-01-15T08:00:00.500000Z#0002', got '2027-13-15T08:00:00.500000Z#0002'",
        ),
        (lambda: HybridStamp.from_bytes8(b"1234567"), "a stamp has 8 bytes, got b'1234567'"),
        (
            lambda: HybridStamp.at(datetime(1969, 12, 31, tzinfo=UTC)),
            "time must be 1970-01-01 to 2106-02-07 in UTC, got 1969-12-31T00:00:00+00:00",
        ),
        (lambda: HybridStamp.at(datetime(2000, 1, 1, tzinfo=UTC), 65_536), "count must be 0 to 65535, got 65536"),
        (lambda: UniqueIds(-1, HybridClock()), "node must be a number from 0 to 2**58 - 1, got -1"),
        (lambda: UniqueIds(1, None), "clock must be a HybridClock, got None"),
    ],
)
def test_what_is_no_stamp_is_refused(make, message):
    """Whatever form it comes in."""
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value) == message


def test_unique_ids_sort_as_they_were_made():
    """As numbers, bytes and texts."""
    ids = UniqueIds(3, HybridClock(clock=ManualClock(1.0)))
    made = [ids.next() for _ in range(UNIT // 8)]
    assert made == sorted(made) == sorted(made, key=str) == sorted(made, key=lambda one: one.bytes)
    assert len(set(made)) == len(made)
