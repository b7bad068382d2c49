"""etcd without a server: URLs, options, settings, what errors mean, how a connection and a watch go on."""

from __future__ import annotations

import importlib.util
import sys

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, RequestReceived, StreamEnded
from hypothesis import given
from hypothesis import strategies as st

from seawall.engines import Deleted, Durability, Put, Require, open_engine
from seawall.engines._url import parse_url
from seawall.engines.etcd import EtcdOptions, _lint
from seawall.engines.etcd import _messages as m
from seawall.engines.etcd._errors import lost, not_reached, refused
from seawall.engines.etcd._keys import end_of
from seawall.engines.etcd._link import Link, NotGrpc
from seawall.engines.etcd._place import place_of
from seawall.engines.etcd._watching import STRIDE, is_ordered, numbered, starts
from seawall.errors import (
    AuthFailed,
    Compacted,
    ConfigError,
    Damaged,
    EngineError,
    Full,
    ReadOnly,
    Unavailable,
    UnknownOutcome,
    WrongVersion,
)


@pytest.mark.parametrize(
    ("url", "members", "user"),
    [
        ("etcd://", (("localhost", 2379),), None),
        ("etcd://h", (("h", 2379),), None),
        ("etcd://a:1,b,[::1]:7", (("a", 1), ("b", 2379), ("::1", 7)), None),
        ("etcds://me:a%40b@h", (("h", 2379),), ("me", "a@b")),
    ],
)
def test_a_url_says_where(url, members, user):
    """Members in their order, user and password."""
    place = place_of(parse_url(url), EtcdOptions())
    assert place.members == members
    assert (place.user, place.password) == (user or (None, None))
    assert (place.tls is not None) is url.startswith("etcds")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("etcd://me:secret@a/x", "etcd:// has no path, got etcd://a/x; write etcd://host1:2379,host2:2379"),
        ("etcd://me@a", "give user and password, or neither: etcd://user:password@host:2379"),
        ("etcd://a?cert_file=c", "cert_file and key_file must be given together; give both, or neither"),
        ("etcd://a?ca_file=c", "ca_file, cert_file and key_file are for etcds://, got etcd://a"),
    ],
)
def test_a_wrong_url_is_told_at_once(url, message):
    """Without its password."""
    with pytest.raises(ConfigError) as wrong:
        open_engine(url)
    assert str(wrong.value) == message


@pytest.mark.parametrize(("absent", "library"), [("h2", "h2"), ("google.protobuf", "protobuf")])
def test_a_missing_library_names_the_extra(monkeypatch, absent, library):
    """When it is opened, not when it is used."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == absent else find(name))
    monkeypatch.delitem(sys.modules, "seawall.engines.etcd._engine")
    monkeypatch.delitem(sys.modules, "seawall.engines.etcd")
    with pytest.raises(ConfigError) as missing:
        open_engine("etcd://h")
    assert str(missing.value) == f"etcd:// needs the library {library}: pip install 'seawall[etcd]'"


def test_what_it_promises_is_required_at_once():
    """On disk on most members; but no appends in the caller's own transactions."""
    open_engine("etcd://h", require=Require(durability=Durability.disk, fencing=True))
    with pytest.raises(ConfigError, match=r"cannot promise transactional True"):
        open_engine("etcd://h", require=Require(transactional=True))


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (14, "etcdserver: no leader", Unavailable),
        (8, "etcdserver: too many requests", Unavailable),
        (14, "etcdserver: request timed out", UnknownOutcome),
        (14, "etcdserver: server stopped", UnknownOutcome),
        (4, "context deadline exceeded", UnknownOutcome),
        (2, "", UnknownOutcome),
        (14, "etcdserver: rpc not supported for learner", ReadOnly),
        (8, "etcdserver: mvcc: database space exceeded", Full),
        (3, "etcdserver: request is too large", Full),
        (3, "etcdserver: authentication failed, invalid user ID or password", AuthFailed),
        (7, "etcdserver: permission denied", AuthFailed),
        (16, "who are you", AuthFailed),
        (15, "etcdserver: corrupt cluster", Damaged),
        (12, "unknown method", WrongVersion),
        (11, "etcdserver: mvcc: required revision has been compacted", Compacted),
        (9, "etcdserver: something else", EngineError),
    ],
)
def test_a_refusal_means_what_it_says(status, text, kind):
    """Only what surely changed nothing is Unavailable."""
    error = refused(status, text, "etcd://h")
    assert type(error) is kind
    assert str(error).startswith(f"etcd://h: {text or 'gRPC status 2'}; ")


def test_a_broken_connection_means_what_was_sent():
    """Before the last byte nothing has happened; after it nobody knows."""
    assert type(not_reached(TimeoutError(), "h")) is Unavailable
    assert str(not_reached(TimeoutError(), "h")) == (
        "h cannot be reached: no answer in time; see that it runs and can be reached"
    )
    assert type(lost(OSError("gone"), "h")) is UnknownOutcome
    told = not_reached(NotGrpc("no preface"), "h")
    assert str(told) == "h does not speak as etcd does: no preface; name the client port of etcd in the URL"


def status_of(**given):
    """A status as a sound member of today would give it."""
    return m.Status(**{"version": "3.6.1", "leader": 1, "db_size_quota": 100, **given})


THREE = m.Members(members=[{"id": 1}, {"id": 2}, {"id": 3}])


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ({"version": "3.3.27"}, WrongVersion, "h runs etcd 3.3.27; use 3.4 or newer"),
        (
            {"is_learner": True},
            ReadOnly,
            "h is a learner, which takes no changes; name members in the URL that vote",
        ),
        (
            {"leader": 0},
            Unavailable,
            "h has no leader; see that more than half of its members run and reach each other",
        ),
    ],
)
def test_a_member_that_cannot_be_used_is_refused(given, kind, message):
    """With the way out."""
    with pytest.raises(kind) as wrong:
        _lint.usable(status_of(**given), "h")
    assert str(wrong.value) == message
    _lint.usable(status_of(version="3.4.0"), "h")


@pytest.mark.parametrize(
    ("status", "alarms", "members", "compacted", "settings"),
    [
        ({}, [], THREE, True, []),
        ({"version": "3.5.0"}, [], THREE, True, ["version", "version"]),
        ({"version": "3.5.2"}, [], THREE, True, ["version", "version"]),
        ({"version": "3.5.3-rc.0"}, [], THREE, True, ["version"]),
        ({"version": "3.5.7"}, [], THREE, True, []),
        ({}, [], m.Members(members=[{"id": 1}, {"id": 2}, {"id": 3, "is_learner": True}]), True, ["members"]),
        ({}, [{"member": 1, "alarm": m.NO_SPACE}], THREE, True, ["alarm"]),
        ({"header": {"revision": 99_999}}, [], THREE, False, []),
        ({"header": {"revision": 100_000}}, [], THREE, False, ["auto-compaction-retention"]),
        ({"db_size": 80}, [], THREE, True, []),
        ({"db_size": 81}, [], THREE, True, ["db size"]),
        ({"db_size": 1_800_000_000, "db_size_quota": 0}, [], THREE, True, ["db size"]),
    ],
)
def test_settings_that_lose_data_are_found(status, alarms, members, compacted, settings):
    """And no others."""
    found = _lint.findings(status_of(**status), m.Alarms(alarms=alarms), members, compacted=compacted)
    assert [finding.setting for finding in found] == settings


@pytest.mark.parametrize(
    ("version", "panics"),
    [
        ("3.4.0", True),
        ("3.4.22", True),
        ("3.4.23", False),
        ("3.4.30", False),
        ("3.5.0-alpha.0", True),
        ("3.5.6", True),
        ("3.5.7", False),
        ("3.5.21", False),
        ("3.6.0-rc.1", False),
        ("4.0.0", False),
        ("", False),
    ],
)
def test_a_version_that_panics_is_logged_with_the_way_out(version, panics, caplog):
    """By the lines in which it was mended; a version that is not told is not guessed."""
    _lint.tell_of_version(version, "h")
    assert [record.getMessage() for record in caplog.records] == panics * [
        f"h: version is {version}: a member panics at times when whoever asked for a transaction that only reads goes "
        "away, as our clients do when a call is cancelled or takes too long; upgrade to 3.5.7 or newer (3.4.23 of 3.4)"
    ]
    assert all((record.name, record.levelname) == ("seawall", "WARNING") for record in caplog.records)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text(st.characters(exclude_categories=["Cs"])))
def test_the_end_of_a_prefix_is_after_all_that_begin_with_it(prefix, rest):
    """And before everything else."""
    first = prefix.encode()
    end = end_of(first)
    assert first <= first + rest.encode() < end
    other = rest.encode()
    assert (first <= other < end) == other.startswith(first)


def event(key: str, revision: int, value: bytes | None = None) -> m.Event:
    """A change as etcd tells it."""
    kind = m.DELETE if value is None else m.PUT
    return m.Event(type=kind, kv={"key": b"base/" + key.encode(), "mod_revision": revision, "value": value or b""})


def test_changes_of_one_revision_have_numbers_of_their_own():
    """The last has the number that a list at this revision has."""
    found = numbered([event("a", 7, b"1"), event("b", 8), event("c", 8), event("d", 9)], 5)
    assert found == [
        Put("a", b"1", 7 * STRIDE), Deleted("b", 8 * STRIDE - 1), Deleted("c", 8 * STRIDE), Deleted("d", 9 * STRIDE),
    ]  # fmt: skip


def test_more_at_once_than_there_are_numbers_is_told_as_a_whole():
    """A watch then begins anew."""
    assert len(numbered([event(f"k{number}", 5) for number in range(STRIDE)], 5)) == STRIDE
    with pytest.raises(Compacted) as too_many:
        numbered([event(f"k{number}", 5) for number in range(STRIDE + 1)], 5)
    assert str(too_many.value) == "1,025 keys vanished at once, more than are told one by one"


@pytest.mark.parametrize(
    ("after", "newest", "expected"),
    [
        (5 * STRIDE, 5, (6, 5)),
        (5 * STRIDE, 6, (5,)),
        (5 * STRIDE - 1, 5, (5,)),
        (5 * STRIDE - 1, 9, (5,)),
        (0, 9, (1,)),
    ],
)
def test_a_watch_begins_where_nothing_can_be_missed(after, newest, expected):
    """Where history is to be read, from the revision before: a compaction up to the next one is then told."""
    assert starts(after, newest) == expected


@pytest.mark.parametrize(
    ("version", "ordered"),
    [("3.4.24", False), ("3.4.25", True), ("3.5.7", False), ("3.5.8", True), ("3.6.0", True), ("", False)],
)
def test_progress_notes_are_believed_where_they_come_in_order(version, ordered):
    """Older versions may send them before changes that they include."""
    assert is_ordered(version) is ordered


class Server:
    """The other end of a link."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.step = 1
        self.h2 = H2Connection(H2Configuration(client_side=False))
        self.h2.initiate_connection()
        self.got = b""
        self.requests: list[int] = []
        self.ended: list[int] = []

    def turn(self) -> None:
        """Carry what both have to say, until both are silent."""
        while (up := self.link.outgoing()) or self.h2._data_to_send:
            self.link.flushed()
            for each in self.h2.receive_data(up):
                if isinstance(each, RequestReceived):
                    self.requests.append(each.stream_id)
                    self.headers = dict(each.headers)
                elif isinstance(each, DataReceived):
                    self.got += each.data
                    self.h2.acknowledge_received_data(each.flow_controlled_length, each.stream_id)
                elif isinstance(each, StreamEnded):
                    self.ended.append(each.stream_id)
            down = self.h2.data_to_send()
            for first in range(0, len(down), self.step):
                self.link.received(down[first : first + self.step])
            assert up or down

    def answer(self, stream: int, data: bytes, *trailers: tuple[str, str]) -> None:
        """A whole answer."""
        self.h2.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
        self.h2.send_data(stream, data)
        self.h2.send_headers(stream, list(trailers), end_stream=True)


@pytest.fixture
def link() -> Link:
    """A link that has been greeted."""
    return Link("h:1", secure=False)


@pytest.fixture
def server(link: Link) -> Server:
    """Its other end."""
    made = Server(link)
    assert not link.ready
    made.turn()
    assert link.idle
    return made


def test_a_call_is_answered(link, server):
    """Byte by byte; several at a time, in any order."""
    first, second = link.begin("/a/B", b"one", (("token", "t"),)), link.begin("/a/B", b"two")
    assert not first.sent
    server.turn()
    assert first.sent
    assert server.headers[b":path"] == b"/a/B"
    assert server.got == b"\x00\x00\x00\x00\x03one\x00\x00\x00\x00\x03two"
    server.answer(server.requests[1], b"\x00\x00\x00\x00\x02ok", ("grpc-status", "0"))
    server.answer(server.requests[0], b"", ("grpc-status", "9"), ("grpc-message", "not%20so"))
    server.turn()
    assert (second.status, list(second.messages), second.ended) == (0, [b"ok"], True)
    assert (first.status, first.text, list(first.messages)) == (9, "not so", [])
    assert link.idle


def test_a_large_message_waits_for_room(link, server):
    """It is sent when all of it is out, and not before."""
    call = link.begin("/a/B", b"x" * 1_000_000)
    link.outgoing()
    link.flushed()
    assert not call.sent
    link = Link("h:1", secure=False)
    server = Server(link)
    server.turn()
    call = link.begin("/a/B", b"x" * 1_000_000)
    server.turn()
    assert call.sent
    assert len(server.got) == 1_000_005
    assert server.ended == server.requests


def test_who_does_not_read_is_not_sent_more_than_the_window(link, server):
    """And not in the way of others; once it reads, it goes on. A message that is larger than the window comes too."""
    server.step = 1 << 20
    watch = link.begin("/a/Watch", b"", ends=False)
    server.turn()
    (stream,) = server.requests
    server.h2.send_headers(stream, [(":status", "200")])
    message = b"\x00\x00\x01\x00\x00" + b"x" * 65_536
    sent = 0
    while server.h2.local_flow_control_window(stream) >= len(message):
        for first in range(0, len(message), 16_384):
            server.h2.send_data(stream, message[first : first + 16_384])
        server.turn()
        sent += 1
    assert (1 << 24) - len(message) < sent * len(message) <= 1 << 24
    assert len(watch.messages) == sent
    other = link.begin("/a/B", b"")
    server.turn()
    server.answer(server.requests[1], b"\x00\x00\x00\x00\x00", ("grpc-status", "0"))
    server.turn()
    assert other.status == 0
    watch.messages.clear()
    link.settle()
    server.turn()
    assert server.h2.local_flow_control_window(stream) > 1 << 23
    large = b"\x00" + (17 << 20).to_bytes(4, "big") + b"y" * (17 << 20)
    while large:
        room = min(server.h2.local_flow_control_window(stream), 16_384)
        assert room > 0
        server.h2.send_data(stream, large[:room])
        large = large[room:]
        server.turn()
    assert [len(each) for each in watch.messages] == [17 << 20]


def test_calls_that_the_server_did_not_look_at_are_told_apart(link, server):
    """By a refusal, or by what it says when it goes."""
    first, second = link.begin("/a/B", b"1"), link.begin("/a/B", b"2")
    server.turn()
    server.h2.reset_stream(server.requests[0], ErrorCodes.REFUSED_STREAM)
    server.turn()
    assert (first.untouched, first.ended, first.status) == (True, True, None)
    server.h2.reset_stream(server.requests[1], ErrorCodes.INTERNAL_ERROR)
    server.turn()
    assert (second.untouched, second.ended) == (False, True)
    third = link.begin("/a/B", b"3")
    server.turn()
    server.h2.close_connection(last_stream_id=0)
    server.turn()
    assert (third.untouched, third.ended) == (True, True)
    assert not link.idle


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 400 Bad Request", b"\x15\x03\x01\x00\x02\x02\x16\x00\x00"], ids=["http", "tls"]
)
def test_another_language_is_told(link, data):
    """HTTP/1.1, or TLS."""
    with pytest.raises(NotGrpc) as told:
        link.received(data)
    assert str(told.value) == f"its first words are {data[:9]!r}"
    assert not link.idle


def test_a_status_that_is_not_grpc_is_told(link, server):
    """A proxy between us."""
    link.begin("/a/B", b"1")
    server.turn()
    server.h2.send_headers(server.requests[0], [(":status", "503")], end_stream=True)
    with pytest.raises(NotGrpc, match=r"^it answers with HTTP status 503$"):
        server.turn()
