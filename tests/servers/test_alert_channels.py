"""Alerts told through real servers on this machine, which fail in between."""

from __future__ import annotations

import json
import logging
import queue
import smtplib
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from tests.alerts_world import gauges
from tests.ports import free_ports

from seawall.clock import ManualClock
from seawall.errors import ConfigError, SeawallError
from seawall.observe import Recording
from seawall.observe.alerts import (
    Alerts,
    Call,
    Chat,
    Email,
    FileStore,
    Message,
    Notification,
    Route,
    Rule,
    SignatureRefused,
    Template,
    Value,
    Webhook,
    WebhookRefused,
    payload_of,
    verify,
)  # fmt: skip

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PASSWORD = "correct horse battery"
APPRISE = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # which apprise imports
SOON = 20.0  # far beyond what anything here takes


class Receiver:
    """A web server that answers with the statuses it is given, then 200, and keeps what was posted."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.posts: queue.Queue[tuple[str, dict[str, str], bytes]] = queue.Queue()
        self.hold: threading.Event | None = None
        self.endless = False
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                receiver.posts.put((self.path, dict(self.headers), body))
                if receiver.hold is not None:
                    receiver.hold.wait(SOON)
                self.send_response(status)
                if status in (301, 307):
                    self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                if status == 429:
                    self.send_header("Retry-After", "7")
                self.send_header("Content-Length", "1000000" if receiver.endless else "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/alerts/T0KENT0KEN?key=S3CR3TS3CR3T"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A web server."""
    server = Receiver()
    yield server
    if server.hold is not None:
        server.hold.set()
    server.close()


def message(**labels: str) -> Message:
    """A notification of one alert."""
    world = Alerts(
        (recording := Recording()), [Rule("Deep", Value("depth"), above=80, labels=labels)],
        channels={"x": Call(print)}, route=Route("x", group_wait=0), clock=ManualClock(100),
    )  # fmt: skip
    recording.append(gauges(100.0, {"a": 90}))
    told = world.evaluate().notifications[0]
    return Message.of(told, Template())


def test_a_webhook_is_what_alertmanager_posts_and_signed(receiver):
    """The body is version 4; the signature is verified on the other side, and one of another secret is refused."""
    Webhook(receiver.url, secret=SECRET, headers={"Authorization": "Bearer B34R3R"}).send(
        sent := message(team='café "a"\n')
    )
    path, headers, body = receiver.posts.get(timeout=SOON)
    assert path == "/alerts/T0KENT0KEN?key=S3CR3TS3CR3T"
    assert json.loads(body) == payload_of(sent.notification)
    assert headers["Authorization"] == "Bearer B34R3R"
    verify(SECRET, headers, body)
    with pytest.raises(SignatureRefused, match=r"^the signature is of another secret, or the body was changed$"):
        verify(SECRET, headers, body + b" ")
    with pytest.raises(SignatureRefused, match=r"^the signature is of another secret, or the body was changed$"):
        verify("another secret of enough bytes", headers, body)


def test_a_webhook_is_tried_again(receiver):
    """503, 503, then 200: three attempts with the same id, and the waits are the guard's."""
    receiver.statuses += [503, 503]
    clock = ManualClock(autojump=True)
    Webhook(receiver.url, clock=clock).send(message())
    ids = {receiver.posts.get(timeout=SOON)[1]["webhook-id"] for _ in range(3)}
    assert len(ids) == 1
    assert receiver.posts.empty()


def test_what_is_refused_for_good_is_not_tried_again(receiver):
    """400 and redirects end it at once; the error holds the status and no secret."""
    for status in (400, 307):
        receiver.statuses.append(status)
        with pytest.raises(WebhookRefused) as refused:
            Webhook(receiver.url, secret=SECRET, clock=ManualClock(autojump=True)).send(message())
        assert str(refused.value) == f"the receiver answered {status}"
        receiver.posts.get(timeout=SOON)
    assert receiver.posts.empty()


def test_the_receiver_may_say_when(receiver):
    """Retry-After of a 429 is waited for."""
    receiver.statuses.append(429)
    clock = ManualClock(autojump=True)
    Webhook(receiver.url, clock=clock).send(message())
    assert clock.time() >= 7


def test_a_dead_receiver_opens_the_breaker_and_is_alerted(tmp_path):
    """Nobody listens: the other channel hears that; after a restart the hook, now there, hears what it missed."""
    recording, heard = Recording(), []
    clock = ManualClock(1_000_000.0, autojump=True)

    def alerts(url: str) -> Alerts:
        channels = {"hook": Webhook(url, secret=SECRET, clock=clock), "log": Call(heard.append)}
        route = Route(["hook", "log"], group_wait=0, group_interval=60)
        return Alerts(
            recording, [Rule("Deep", Value("depth"), above=80)], channels=channels, route=route, clock=clock,
            store=FileStore(tmp_path / "alerts.json"),
        )  # fmt: skip

    first = alerts("http://127.0.0.1:9/T0KENT0KEN")
    for _ in range(3):
        clock.advance(60)
        recording.append(gauges(clock.time(), {"a": 90}))
        first.evaluate()
        first.deliver()
    names = [alert.name for told in heard for alert in told.notification.alerts]
    assert names == ["Deep", "SeawallChannelFailing"]
    failing = first.stats().channels["hook"].failing
    assert failing
    assert "T0KEN" not in failing + str(heard) + (tmp_path / "alerts.json").read_text()
    server = Receiver()
    try:
        clock.advance(60)
        recording.append(gauges(clock.time(), {"a": 10}))
        second = alerts(server.url)
        second.evaluate()
        second.deliver()
        body = json.loads(server.posts.get(timeout=SOON)[2])
    finally:
        server.close()
    assert [(alert["labels"]["alertname"], alert["status"]) for alert in body["alerts"]] == [("Deep", "resolved")]


def test_a_hanging_receiver_keeps_neither_evaluations_nor_others(receiver):
    """While the hook hangs, the other channel is told and evaluations go on; what waits for the hook is bounded."""
    receiver.hold = threading.Event()
    recording, told = Recording(), threading.Semaphore(0)
    clock = ManualClock(1_000_000.0)
    channels = {"hook": Webhook(receiver.url, timeout=SOON), "other": Call(lambda _: told.release())}
    route = Route(["hook", "other"], group_wait=0, group_interval=1, repeat_interval=1)
    rule = Rule("Deep", Value("depth"), above=80)
    alerts = Alerts(recording, [rule], channels=channels, route=route, clock=clock, queue=3)
    alerts._start_couriers()
    for at in range(10):
        recording.append(gauges(1_000_000.0 + at, {"a": 90}))
        alerts.evaluate(1_000_000.0 + at)
        assert told.acquire(timeout=SOON)
    receiver.posts.get(timeout=SOON)
    stats = alerts.stats()
    assert stats.evaluations == 10
    assert stats.channels["hook"].waiting <= 3
    assert stats.channels["hook"].failing.endswith("notifications wait already")
    receiver.hold.set()
    assert alerts._stop_couriers(SOON)


class Inbox:
    """Keeps mails; asks for a login, and refuses as it is told."""

    def __init__(self) -> None:
        self.mails: queue.Queue[Any] = queue.Queue()
        self.answers: list[str] = []
        self.refused: set[str] = set()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - its name
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            self.mails.put((session.authenticated, session.ssl is not None, envelope))
        return answer

    def log_in(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and data == LoginPassword(b"seawall", PASSWORD.encode())
        return AuthResult(success=right, handled=right)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who vouches for the mail server."""
    return trustme.CA()


@pytest.fixture
def post(authority: trustme.CA) -> Iterator[tuple[Inbox, int, ssl.SSLContext]]:
    """A mail server that wants STARTTLS and a login; the port, and who trusts it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    inbox = Inbox()
    controller = Controller(
        inbox, hostname="localhost", port=free_ports(1)[0], tls_context=context, require_starttls=True,
        auth_required=True, authenticator=inbox.log_in,
    )  # fmt: skip
    controller.start()
    try:
        yield inbox, controller.port, trust
    finally:
        controller.stop()


def email(port: int, trust: ssl.SSLContext | None, **more: Any) -> Email:
    """A mail channel to the server."""
    options = {"sender": "Alerts <alerts@example.com>", "to": ["ann@example.com", "bob@example.com"], "port": port}
    return Email("localhost", **{**options, "username": "seawall", "password": PASSWORD, "context": trust, **more})


def test_a_mail_by_starttls_and_login(post):
    """Both addresses get one mail, in UTF-8, encrypted and logged in; mails of a group are one thread."""
    inbox, port, trust = post
    channel = email(port, trust)
    channel.send(message(team="café"))
    channel.send(message(team="café"))
    authenticated, encrypted, envelope = inbox.mails.get(timeout=SOON)
    again = inbox.mails.get(timeout=SOON)[2]
    assert (authenticated, encrypted) == (True, True)
    assert (envelope.mail_from, envelope.rcpt_tos) == ("alerts@example.com", ["ann@example.com", "bob@example.com"])
    from email import message_from_bytes, policy

    mail = message_from_bytes(envelope.content, policy=policy.default)
    assert mail["Subject"] == "[firing] Deep: 1 firing, 0 resolved"
    assert mail.get_content().strip() == "[firing] Deep warning: ? (value 90, since 1970-01-01T00:01:40.000Z)"
    assert mail["References"] == message_from_bytes(again.content, policy=policy.default)["References"]


def test_a_mail_server_that_fails_is_an_error_without_the_password(post, authority):
    """Refused data, a wrong password, an authority nobody trusts: each raises, and none shows the password."""
    inbox, port, trust = post
    inbox.answers.append("451 try later")
    said = []
    for channel, error in (
        (email(port, trust), smtplib.SMTPDataError),
        (email(port, trust, password="wrong " + PASSWORD), smtplib.SMTPAuthenticationError),
        (email(port, None), ssl.SSLError),
    ):
        with pytest.raises(error) as failed:
            channel.send(message())
        said.append(f"{failed.value!r} {channel!r}")
    assert PASSWORD not in "".join(said)
    assert inbox.mails.empty()
    email(port, trust).send(message())
    assert inbox.mails.get(timeout=SOON)


def test_a_subject_cannot_smuggle_headers(post):
    """A label with a line break stays in the subject's line."""
    inbox, port, trust = post
    told = message(team="x")
    sent = Message(told.notification, Template(title="{alertname}\nBcc: eve@example.com").render(told.notification), {})
    email(port, trust).send(sent)
    envelope = inbox.mails.get(timeout=SOON)[2]
    assert b"\nBcc:" not in envelope.content


@APPRISE
def test_chat_through_apprise(receiver, caplog):
    """Apprise tells a real server; when it fails, neither error, log nor repr shows the address."""
    host = receiver.url.split("/")[2]
    chat = Chat(f"json://{host}/T0KENT0KEN")
    chat.send(message())
    _, _, body = receiver.posts.get(timeout=SOON)
    assert json.loads(body)["title"] == "[firing] Deep: 1 firing, 0 resolved"
    assert json.loads(body)["type"] == "failure"
    receiver.statuses.append(500)
    caplog.set_level(logging.DEBUG)
    with pytest.raises(SeawallError, match=r"^apprise could not tell all of json$") as failed:
        chat.send(message())
    assert "T0KEN" not in f"{failed.value!r} {chat!r} {caplog.text}"


@APPRISE
def test_chat_refuses_an_address_without_showing_it():
    """The message says which, and of what kind."""
    with pytest.raises(ConfigError) as refused:
        Chat(["json://localhost/x", "slack://T0KENT0KEN"])
    assert str(refused.value) == "apprise does not know address 2 of 2, of kind 'slack'"


def test_a_large_group_is_truncated(receiver):
    """More than a thousand alerts: the payload says how many it leaves out."""
    alert = message().notification.alerts[0]
    told = Notification("id", "hook", "g", {}, (alert,) * 1_003, 0.0)
    Webhook(receiver.url).send(Message.of(told, Template()))
    body = json.loads(receiver.posts.get(timeout=SOON)[2])
    assert (len(body["alerts"]), body["truncatedAlerts"]) == (1_000, 3)


def test_one_address_that_is_refused_is_told(post, caplog):
    """The others got the mail, so it is not sent again; how many did not is logged, not who."""
    inbox, port, trust = post
    inbox.refused.add("bob@example.com")
    email(port, trust).send(message())
    assert inbox.mails.get(timeout=SOON)[2].rcpt_tos == ["ann@example.com"]
    assert "the mail server refused 1 of 2 addresses" in caplog.text


def test_an_answer_that_does_not_end_keeps_nobody(receiver):
    """Only the status is waited for."""
    receiver.endless = True
    Webhook(receiver.url).send(message())
    assert receiver.posts.get(timeout=SOON)
