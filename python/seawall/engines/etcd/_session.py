"""What is said over a link, in steps: written once, driven by a thread or by a task.

Steps yield when they need what comes next: None for as long as the call may take, or the seconds after which to go on
without it. Whoever drives them sends what the link has to send, feeds it what comes, and throws in what breaks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from seawall.engines._ports import Batch
from seawall.engines.etcd import _messages as m
from seawall.engines.etcd._errors import NO_AUTHENTICATION, is_stale, lost, not_reached, refused
from seawall.engines.etcd._link import OK, Call, Link
from seawall.engines.etcd._lint import tell_of_version
from seawall.engines.etcd._place import Place
from seawall.engines.etcd._watching import STRIDE, Follow, Watching, starts
from seawall.errors import AuthFailed, Compacted, EngineError, Unavailable, UnknownOutcome

R = TypeVar("R")
Steps = Generator[float | None, None, R]
_LED = ("hasleader", "true")


@dataclass(frozen=True, slots=True)
class Ask:
    """A call with one message and one answer.

    Args:
        method: Service and method.
        message: What is sent, as bytes; it may hold a password.
        reply: The kind of the answer.
    """

    method: str
    message: bytes = field(repr=False)
    reply: Any


def ask(method: str, message: Any, reply: Any) -> Ask:
    """A call with this message."""
    return Ask(method, message.SerializeToString(), reply)


PROBE = ask("KV/Range", m.Range(key=b"seawall/", keys_only=True), m.Ranged)
ASK_FIRST = ask("KV/Range", m.Range(key=b"seawall/", keys_only=True, revision=1), m.Ranged)
ASK_STATUS = ask("Maintenance/Status", m.AskStatus(), m.Status)
ASK_ALARMS = ask("Maintenance/Alarm", m.AskAlarms(), m.Alarms)
ASK_MEMBERS = ask("Cluster/MemberList", m.AskMembers(), m.Members)


class Access:
    """Who we are: the token that the server gave for user and password; shared by all connections."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.token: str | None = None
        self.member = 0
        # Taken by whoever asks for the version, and kept once it is known.
        self._meeting = threading.Lock()

    def keeps(self, member: int, error: BaseException | None) -> bool:
        """Whether a connection stays in use after a call; the next member's turn when this one could not answer."""
        if error is None:
            return True
        away = isinstance(error, (Unavailable, UnknownOutcome)) or not isinstance(error, EngineError)
        if away and isinstance(error, Exception) and member == self.member:
            self.member = (member + 1) % len(self.place.members)
        return not away

    def headers(self, method: str) -> tuple[tuple[str, str], ...]:
        """What goes with a call."""
        led = () if method.startswith("Maintenance/") else (_LED,)
        return (*led, ("token", self.token)) if self.token else led

    def entered(self, link: Link) -> Steps[None]:
        """Wait for the server's first words, and show who we are if that is not known yet."""
        try:
            while not link.ready:
                yield None
        except ConnectionResetError as error:
            hint = "" if self.place.tls else ", at once; write etcds:// if it wants TLS"
            raise ConnectionResetError(f"{error}{hint}") from error
        if self.place.user is not None and self.token is None:
            yield from self._authenticate(link)
        if self._meeting.acquire(blocking=False):
            try:
                yield from self._met(link)
            except BaseException:
                self._meeting.release()
                raise

    def _met(self, link: Link) -> Steps[None]:
        """Tell of the version of the first member that is reached, where that is worth a word; once for an engine."""
        try:
            status = yield from self.answered(link, ASK_STATUS)
        except EngineError as error:
            if error.__cause__ is not None or not link.idle:
                # A connection that broke at a mere question: of what is to be sent on it nothing is in doubt.
                raise not_reached(error.__cause__ or error, self.place.name) from error
            return  # who may not ask may still use it
        tell_of_version(status.version, self.place.name)

    def _authenticate(self, link: Link) -> Steps[None]:
        message = m.Authenticate(name=self.place.user, password=self.place.password)
        call = yield from self._called(link, ask("Auth/Authenticate", message, m.Authenticated), ())
        if call.status == OK:
            self.token = m.Authenticated.FromString(call.messages[0]).token
        elif NO_AUTHENTICATION in call.text:
            self.token = ""
        else:
            raise refused(call.status or 0, call.text, self.place.name)

    def answered(self, link: Link, asked: Ask) -> Steps[Any]:
        """The answer to a call."""
        for last in (False, True):
            used = self.token
            call = yield from self._called(link, asked, self.headers(asked.method))
            if call.status == OK and call.messages:
                return asked.reply.FromString(call.messages[0])
            if last or self.place.user is None or not is_stale(call.text):
                break
            # Refused unread. Another thread may have fetched a new one meanwhile.
            if self.token == used:
                yield from self._authenticate(link)
        raise refused(call.status or 0, call.text, self.place.name)

    def _called(self, link: Link, asked: Ask, headers: tuple[tuple[str, str], ...]) -> Steps[Call]:
        call = link.begin(f"/etcdserverpb.{asked.method}", asked.message, headers)
        try:
            while not call.ended:
                yield None
        except Exception as error:
            if isinstance(error, EngineError):
                raise
            raise (lost if call.sent else not_reached)(error, self.place.name) from error
        finally:
            link.drop(call)
        if call.status is None:
            cut = ConnectionResetError("the call was cut off")
            raise (not_reached if call.untouched else lost)(cut, self.place.name)
        return call

    def followed(self, link: Link, watching: Watching, what: Follow, now: Callable[[], float]) -> Steps[Batch]:
        """What has changed, at once or within `what.wait`; else that nothing has, once the server proves to be alive.

        The proof is a linearizable read over the same connection. Progress notes prove less: a member that is cut off
        from the others gives them too, and newer versions give none before the first change.
        """
        ends, name = now() + what.wait, self.place.name
        if not watching.follows(what):
            yield from self._started(link, watching, what)
        while not watching.read(name) and (left := ends - now()) > 0:
            link.settle()
            yield left
        if not watching.read(name):
            yield from self.answered(link, PROBE)
            watching.read(name)
            watching.ask_progress(link)
        link.settle()
        return watching.batch()

    def _started(self, link: Link, watching: Watching, what: Follow) -> Steps[None]:
        # Before all else: it renews the token, where the watch would only be denied.
        newest = (yield from self.answered(link, PROBE)).header.revision
        if what.feed.after > newest * STRIDE:
            raise Compacted(f"the newest revision is {newest * STRIDE}, asked after {what.feed.after}")
        watching.learn((yield from self._version(link)))
        for start in starts(what.feed.after, newest):
            yield from self._opened(link, watching, what, start)
            if watching.newest < start:
                return

    def _version(self, link: Link) -> Steps[str]:
        try:
            status = yield from self.answered(link, ASK_STATUS)
        except AuthFailed:
            return ""
        return str(status.version)

    def _opened(self, link: Link, watching: Watching, what: Follow, start: int) -> Steps[None]:
        if watching.call is not None:
            link.drop(watching.call)
        method = "Watch/Watch"
        create = m.Follow(create=m.Create(key=what.first, range_end=what.end, start_revision=start))
        headers = self.headers(method)
        call = link.begin(f"/etcdserverpb.{method}", create.SerializeToString(), headers, ends=False)
        watching.begin(call, what)
        while not watching.created:
            yield None
            watching.read(self.place.name)
