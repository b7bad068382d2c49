"""Segments: made, found, described, removed."""

import os
import pickle
import stat
import threading

import pytest

import seawall as sw
from seawall.errors import SegmentError
from seawall.memory import Segment


def test_a_segment_is_made_once_and_then_found(segment_name):
    """The first to name it creates it with its size; whoever comes later gets the same one, whatever size it asks."""
    first = Segment(segment_name, size=64 * 1024)
    second = Segment(segment_name, size=1024 * 1024)
    assert (first.size, second.size, Segment.attach(segment_name).size) == (64 * 1024,) * 3
    assert first.path == second.path == f"/dev/shm/seawall-{os.geteuid()}-{segment_name}"
    assert os.stat(first.path).st_size == 64 * 1024


def test_only_its_user_can_read_and_write_it(segment_name):
    """The file has mode 0600 whatever the umask."""
    before = os.umask(0o777)
    try:
        segment = Segment(segment_name, size=64 * 1024)
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(segment.path).st_mode) == 0o600
    assert os.stat(segment.path).st_uid == os.geteuid()


def test_its_space_is_reserved_when_it_is_made(segment_name):
    """Every byte of the file is there before the first use."""
    segment = Segment(segment_name, size=1024 * 1024)
    assert os.stat(segment.path).st_blocks * 512 >= 1024 * 1024


def test_attach_makes_nothing(segment_name):
    """A segment that does not exist is an error, and stays away."""
    path = f"/dev/shm/seawall-{os.geteuid()}-{segment_name}"
    with pytest.raises(SegmentError, match=f"^there is no segment at {path}; create it with a size first$"):
        Segment.attach(segment_name)
    assert not os.path.exists(path)


def test_describe_lists_what_is_inside_by_name(segment_name):
    """Each slot with its name, kind, layout and size."""
    segment = Segment(segment_name, size=256 * 1024)
    assert segment.describe() == ()
    sw.TokenBucket(1, shared=segment, name="b")
    keyed = sw.SlidingLog(5, window=1, shared=segment, name="a").keyed(10)
    described = segment.describe()
    assert [(slot.name, slot.kind, slot.layout) for slot in described] == [
        ("a", "sliding_log", 1),
        ("a/keyed", "sliding_log/keyed", 1),
        ("b", "token_bucket", 1),
    ]
    assert described[1].bytes == keyed.table_bytes
    assert described[0].bytes == described[2].bytes + 256 * 8


def test_used_grows_with_every_slot_and_ends_at_the_last(segment_name):
    """Used counts header, slots and their alignment; a slot that is found again takes nothing."""
    segment = Segment(segment_name, size=64 * 1024)
    empty = segment.used
    sw.TokenBucket(1, shared=segment, name="a")
    one = segment.used - empty
    assert one >= segment.describe()[0].bytes
    sw.TokenBucket(1, shared=segment, name="a")
    sw.TokenBucket(1, shared=segment, name="b")
    assert segment.used == empty + 2 * one
    assert repr(segment) == f"<Segment {segment_name!r} {segment.used} of 65536 bytes used, 2 slots>"


def test_a_full_segment_says_what_it_needs_and_stays_usable(segment_name):
    """A slot that does not fit is an error with the sizes; those inside work on."""
    segment = Segment(segment_name, size=16 * 1024)
    limit = sw.TokenBucket(1, burst=5, shared=segment)
    free = segment.size - segment.used
    with pytest.raises(SegmentError) as refused:
        limit.keyed(2000)
    needed = sw.TokenBucket(1).keyed(2000).table_bytes + 256  # and the slot's header
    assert str(refused.value) == (
        f"segment {segment.path} is too small: slot 'token_bucket/keyed' needs {needed} bytes, {free} of 16384 are "
        "free; remove the segment and create it with a larger size"
    )
    assert limit.try_acquire(5)
    assert [slot.name for slot in segment.describe()] == ["token_bucket"]


def test_a_directory_of_slots_ends_at_1024(segment_name):
    """The slot after the last is an error that names the way out."""
    segment = Segment(segment_name, size=4 * 1024 * 1024)
    for i in range(1024):
        sw.TokenBucket(1, shared=segment, name=f"slot{i}")
    message = f"segment {segment.path} is full: slot 'one more' would be number 1025; use a second segment"
    with pytest.raises(SegmentError, match=f"^{message}$"):
        sw.TokenBucket(1, shared=segment, name="one more")
    assert len(segment.describe()) == 1024
    assert sw.TokenBucket(1, shared=segment, name="slot777").try_acquire()


def test_remove_deletes_and_the_next_starts_afresh(segment_name):
    """Those attached keep the old one until they let go; the name begins anew."""
    old = sw.TokenBucket(1, per=3600, burst=1, shared=segment_name)
    assert old.try_acquire()
    assert Segment.remove(segment_name) is True
    assert Segment.remove(segment_name) is False
    new = sw.TokenBucket(1, per=3600, burst=1, shared=segment_name)
    assert not old.try_acquire()
    assert new.try_acquire()
    assert not old.try_acquire()


def test_a_path_names_a_file_anywhere(tmp_path, monkeypatch):
    """A name with a slash is a path, absolute or relative."""
    segment = Segment(str(tmp_path / "a.segment"), size=64 * 1024)
    assert segment.path == str(tmp_path / "a.segment")
    monkeypatch.chdir(tmp_path)
    limit = sw.TokenBucket(1, per=3600, burst=1, shared=segment)
    limit.acquire()
    assert not sw.TokenBucket(1, per=3600, burst=1, shared="./a.segment").try_acquire()
    assert Segment.remove("./a.segment") is True
    assert os.listdir(tmp_path) == []


def test_two_objects_of_one_segment_are_one_memory(segment_name):
    """A process may map a segment twice: slots made through one are seen through the other."""
    one, other = Segment(segment_name, size=64 * 1024), Segment(segment_name)
    assert one is not other
    sw.TokenBucket(1, per=3600, burst=3, shared=one).acquire(2)
    through_other = sw.TokenBucket(1, per=3600, burst=3, shared=other)
    assert through_other.peek().remaining == 1
    del one
    through_other.reconfigure(1, per=3600, burst=5)
    assert through_other.peek().remaining == 3


def test_a_name_is_mapped_once_while_it_is_in_use(segment_name):
    """shared="name" uses the mapping this process already has."""
    limits = [sw.TokenBucket(1, shared=segment_name, name=str(i)) for i in range(3)]
    assert limits[0].segment is limits[1].segment is limits[2].segment is Segment.named(segment_name)


def test_a_segment_pickles_as_its_name(segment_name):
    """Unpickling attaches, and never creates."""
    segment = Segment(segment_name, size=64 * 1024)
    text = pickle.dumps(segment)
    other = pickle.loads(text)
    assert (other.name, other.path, other.size) == (segment.name, segment.path, segment.size)
    Segment.remove(segment_name)
    with pytest.raises(SegmentError, match=f"^there is no segment at {segment.path}; create it with a size first$"):
        pickle.loads(text)


def test_threads_that_make_one_segment_and_slot_together_get_one(segment_name):
    """Eight threads that start at once share one file and one limit."""
    barrier = threading.Barrier(8)
    answers = []

    def body():
        barrier.wait()
        limit = sw.TokenBucket(1, per=3600, burst=5, shared=Segment(segment_name, size=64 * 1024))
        answers.append(limit.try_acquire())

    threads = [threading.Thread(target=body) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False] * 3 + [True] * 5
    assert len(Segment.attach(segment_name).describe()) == 1
