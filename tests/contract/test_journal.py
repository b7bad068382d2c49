"""What every engine's Journal keeps to."""

from __future__ import annotations

import pytest

from seawall.errors import ConfigError, Conflict, LeaseLost


def test_records_come_back_in_order(journal):
    """Scan gives what was appended after a position, a page at a time."""
    assert journal.scan("s") == ()
    first = journal.append("s", b"1")
    last = journal.append("s", b"2", b"3", b"")
    assert last > first > 0
    records = journal.scan("s")
    assert [record.data for record in records] == [b"1", b"2", b"3", b""]
    assert [record.stream for record in records] == ["s"] * 4
    positions = [record.position for record in records]
    assert positions == sorted(set(positions))
    assert (positions[0], positions[-1]) == (first, last)
    assert journal.scan("s", after=first, limit=2) == records[1:3]
    assert journal.last("s") == last


def test_streams_are_apart(journal):
    """What is appended to one is not in another."""
    journal.append("a", b"1")
    assert journal.scan("b") == ()
    assert journal.last("b") == 0


def test_an_append_that_expects_another_position_changes_nothing(journal):
    """The conflict tells what was expected and what was found."""
    last = journal.append("s", b"1", expected=0)
    with pytest.raises(Conflict) as refused:
        journal.append("s", b"2", b"3", expected=0)
    assert str(refused.value) == (
        f"the last position of stream 's' is {last}, expected 0; nothing was appended: scan what came since and decide "
        "again"
    )
    assert (refused.value.expected, refused.value.actual) == (0, last)
    assert journal.append("s", b"2", expected=last) > last
    assert [record.data for record in journal.scan("s")] == [b"1", b"2"]


def test_streams_are_listed_by_prefix_and_page(journal):
    """In the order of their names, only those that have records."""
    for name in ("a/2", "b", "a/1", "a/3"):
        last = journal.append(name, b"")
    assert journal.streams("a/") == ("a/1", "a/2", "a/3")
    assert journal.streams("a/", limit=2) == ("a/1", "a/2")
    assert journal.streams("a/", after="a/2") == ("a/3",)
    journal.trim("a/3", last)
    assert journal.streams() == ("a/1", "a/2", "b")


def test_trim_forgets_up_to_a_position_and_positions_go_on(journal):
    """Later records stay; a position is never given twice."""
    journal.append("s", b"1")
    second = journal.append("s", b"2")
    third = journal.append("s", b"3")
    assert journal.trim("s", second) == 2
    assert [record.data for record in journal.scan("s")] == [b"3"]
    assert journal.trim("s", third) == 1
    assert journal.trim("s", third) == 0
    assert journal.last("s") == 0
    assert journal.append("s", b"4", expected=0) > third


def test_one_owner_has_a_stream(journal, backend):
    """While a claim lives there is no other; after it, one with a higher token."""
    mine = journal.claim("s", "me", backend.short)
    assert (mine.stream, mine.owner, mine.ttl) == ("s", "me", backend.short)
    assert journal.claim("s", "you", backend.short) is None
    assert journal.claim("s", "me", backend.short) is None
    assert journal.claim("other", "you", backend.short) is not None
    backend.pass_time(backend.short + journal.guarantees.lease_precision + 0.001)
    yours = journal.claim("s", "you", 60)
    assert yours.token > mine.token


def test_a_claim_that_is_renewed_goes_on(journal, backend):
    """Each renewal gives its full time again."""
    mine = journal.claim("s", "me", backend.short)
    for _ in range(3):
        backend.pass_time(backend.short / 2)
        assert journal.renew(mine) == mine
    assert journal.claim("s", "you", 1) is None


def test_an_owner_who_was_away_too_long_cannot_write(journal, backend):
    """Neither after its time, nor once another has the stream; nothing is appended."""
    mine = journal.claim("s", "me", backend.short)
    journal.append("s", b"1", claim=mine)
    backend.pass_time(backend.short + journal.guarantees.lease_precision + 0.001)
    with pytest.raises(LeaseLost) as lost:
        journal.append("s", b"2", claim=mine)
    assert str(lost.value) == (
        f"the claim of 'me' on stream 's' (token {mine.token}) has expired or been taken over; nothing was written: "
        "stop this work, its new owner goes on with it"
    )
    yours = journal.claim("s", "you", 60)
    for call in (lambda: journal.append("s", b"2", claim=mine), lambda: journal.renew(mine)):
        with pytest.raises(LeaseLost):
            call()
    assert journal.release(mine) is False
    journal.append("s", b"3", claim=yours)
    assert [record.data for record in journal.scan("s")] == [b"1", b"3"]


def test_a_claim_comes_with_its_first_records(journal):
    """Claimed and appended in one; while it lives nobody else gets either."""
    mine = journal.claim_and_append("s", "me", 60, b"1", b"2", expected=0, unless="other")
    assert (mine.claim.stream, mine.claim.owner, mine.claim.ttl) == ("s", "me", 60)
    assert mine.position == journal.last("s") > 0
    assert journal.claim_and_append("s", "you", 60, b"3") is None
    assert journal.append("s", b"4", claim=mine.claim, expected=mine.position) > mine.position
    assert [record.data for record in journal.scan("s")] == [b"1", b"2", b"4"]


def test_a_claim_with_records_that_conflict_is_no_claim(journal):
    """More in the stream than expected, or something in the other: nothing is appended and nothing claimed."""
    last = journal.append("s", b"1")
    other = journal.append("other", b"1")
    with pytest.raises(Conflict) as refused:
        journal.claim_and_append("s", "me", 60, b"2", expected=0)
    assert (refused.value.expected, refused.value.actual) == (0, last)
    with pytest.raises(Conflict) as refused:
        journal.claim_and_append("new", "me", 60, b"2", unless="other")
    assert str(refused.value) == (
        f"the last position of stream 'other' is {other}, expected 0; nothing was appended: scan what came since and "
        "decide again"
    )
    assert journal.claim("s", "you", 60) is not None
    assert journal.claim("new", "you", 60) is not None
    assert journal.streams() == ("other", "s")


def test_a_concluded_stream_has_another_name_and_no_owner(journal):
    """The last records are appended, all are found under the new name, and the old one is free and empty."""
    mine = journal.claim_and_append("open", "me", 60, b"1")
    journal.conclude(mine.claim, b"2", b"3", into="done")
    assert journal.streams() == ("done",)
    assert [record.data for record in journal.scan("done")] == [b"1", b"2", b"3"]
    assert {record.stream for record in journal.scan("done")} == {"done"}
    assert journal.last("open") == 0
    assert journal.streams("open", unclaimed=True) == ()
    assert journal.claim("open", "you", 60).token > mine.claim.token
    after = journal.append("done", b"4")
    assert [record.data for record in journal.scan("done")][-1] == b"4"
    assert journal.last("done") == after
    (taken,) = journal.take("done", "worker", 60)
    journal.acknowledge(taken)
    assert journal.trim("done", after) == 3
    assert journal.streams() == ()


def test_a_conclusion_without_a_name_or_records_only_ends_the_claim(journal):
    """Records stay where they are."""
    mine = journal.claim_and_append("s", "me", 60, b"1")
    journal.conclude(mine.claim, b"2")
    yours = journal.claim("s", "you", 60)
    journal.conclude(yours)
    assert journal.claim("s", "me", 60) is not None
    assert [record.data for record in journal.scan("s")] == [b"1", b"2"]


def test_a_conclusion_is_all_or_nothing(journal, backend):
    """Something under the new name, or a claim that is lost: nothing is appended, renamed or released."""
    there = journal.append("done", b"0")
    mine = journal.claim_and_append("s", "me", 60, b"1")
    with pytest.raises(Conflict) as refused:
        journal.conclude(mine.claim, b"2", into="done")
    assert (refused.value.expected, refused.value.actual) == (0, there)
    assert journal.claim("s", "you", 60) is None
    assert [record.data for record in journal.scan("s")] == [b"1"]
    late = journal.claim_and_append("late", "me", backend.short, b"1")
    backend.pass_time(backend.short + journal.guarantees.lease_precision + 0.001)
    with pytest.raises(LeaseLost) as lost:
        journal.conclude(late.claim, b"2", into="elsewhere")
    assert str(lost.value) == (
        f"the claim of 'me' on stream 'late' (token {late.claim.token}) has expired or been taken over; nothing was "
        "written: stop this work, its new owner goes on with it"
    )
    assert journal.streams() == ("done", "late", "s")


def test_a_released_stream_is_free_at_once(journal):
    """Its token does not come again."""
    mine = journal.claim("s", "me", 60)
    assert journal.release(mine) is True
    assert journal.release(mine) is False
    yours = journal.claim("s", "you", 60)
    assert yours.token > mine.token
    with pytest.raises(LeaseLost):
        journal.append("s", b"1", claim=mine)


def test_streams_nobody_claims_can_be_found(journal, backend):
    """A worker that recovers sees what has no live owner."""
    for name in ("a", "b", "c"):
        journal.append(name, b"")
    journal.claim("a", "me", backend.short)
    journal.claim("b", "me", 60)
    assert journal.streams(unclaimed=True) == ("c",)
    backend.pass_time(backend.short + journal.guarantees.lease_precision + 0.001)
    assert journal.streams(unclaimed=True) == ("a", "c")


def test_a_record_is_worked_on_by_one(journal):
    """What is taken is not given to others; what is acknowledged is gone."""
    journal.append("work", b"1", b"2", b"3")
    (first,) = journal.take("work", "me", 60)
    others = journal.take("work", "you", 60, limit=10)
    assert (first.record.data, first.owner, first.attempt, first.ttl) == (b"1", "me", 1, 60.0)
    assert [taken.record.data for taken in others] == [b"2", b"3"]
    assert journal.take("work", "you", 60) == ()
    journal.acknowledge(first)
    assert [record.data for record in journal.scan("work")] == [b"2", b"3"]


def test_a_record_comes_again_when_its_worker_dies(journal, backend):
    """With a higher token and attempt; the late worker's acknowledgement is refused."""
    journal.append("work", b"1")
    (mine,) = journal.take("work", "me", backend.short)
    backend.pass_time(backend.short + journal.guarantees.lease_precision + 0.001)
    (yours,) = journal.take("work", "you", 60)
    assert (yours.record, yours.attempt) == (mine.record, 2)
    assert yours.token > mine.token
    with pytest.raises(LeaseLost) as lost:
        journal.acknowledge(mine)
    assert str(lost.value) == (
        f"record {mine.record.position} of stream 'work' is no longer 'me''s (token {mine.token}): its time has passed "
        "or another has taken it; it may be worked on twice, take records for longer"
    )
    assert journal.give_back(mine) is False
    journal.acknowledge(yours)
    assert journal.scan("work") == ()


def test_a_record_given_back_is_free_after_its_delay(journal, backend):
    """At once by default."""
    journal.append("work", b"1")
    (mine,) = journal.take("work", "me", 60)
    assert journal.give_back(mine) is True
    assert journal.give_back(mine) is False
    (again,) = journal.take("work", "me", 60)
    assert journal.give_back(again, delay=backend.short) is True
    assert journal.take("work", "me", 60) == ()
    backend.pass_time(backend.short + journal.guarantees.lease_precision + 0.001)
    assert [taken.attempt for taken in journal.take("work", "me", 60)] == [3]


def test_a_message_comes_once_within_its_window(journal, backend):
    """Inboxes are apart; forgetting or the end of the window lets it come again."""
    assert journal.first_time("in", "m1", window=60) is True
    assert journal.first_time("in", "m1", window=60) is False
    assert journal.first_time("other", "m1", window=60) is True
    assert journal.forget("in", "m1") is True
    assert journal.forget("in", "m1") is False
    assert journal.first_time("in", "m1", window=1) is True
    backend.pass_time(1.001 + journal.guarantees.lease_precision)
    assert journal.first_time("in", "m1", window=60) is True


def test_namespaces_do_not_see_each_other(journal, engine, namespace):
    """The same stream in another namespace is another stream."""
    journal.append("s", b"1")
    journal.first_time("in", "m1", window=60)
    journal.claim("s", "me", 60)
    other = engine.journal(f"{namespace}-2")
    assert other.streams() == ()
    assert other.first_time("in", "m1", window=60) is True
    assert other.claim("s", "you", 60) is not None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda j: j.append("s"), "records must be 1 to 1,000, got 0"),
        (lambda j: j.append("s", "x"), "record must be bytes, got str; encode it first"),
        (lambda j: j.append("", b""), "stream must be 1 to 512 bytes in UTF-8, got 0"),
        (lambda j: j.claim("s", "me", 0), "ttl must be 0.1 to 86,400 s, got 0"),
        (lambda j: j.first_time("in", "m", window=0.5), "window must be 1 to 31,536,000 s, got 0.5"),
        (
            lambda j: j.append("t", b"", claim=j.claim("s", "me", 60)),
            "the claim is for stream 's', not for 't'",
        ),
    ],
)
def test_what_can_never_work_is_told_before_anything_is_sent(journal, call, message):
    """The message names the argument, the value and the range."""
    with pytest.raises(ConfigError) as refused:
        call(journal)
    assert str(refused.value) == message


def test_another_engine_finds_what_was_acknowledged(backend, journal, namespace):
    """Closing and opening loses nothing; positions and tokens go on."""
    if not backend.lasting:
        pytest.skip(f"{backend.name} promises none of this")
    last = journal.append("s", b"1")
    mine = journal.claim("s", "me", 60)
    journal.first_time("in", "m1", window=60)
    with backend.open() as other:
        again = other.journal(namespace)
        assert again.first_time("in", "m1", window=60) is False
        assert again.append("s", b"2", expected=last, claim=mine) > last
        assert again.release(mine)
        assert again.claim("s", "you", 60).token > mine.token
