"""A participant in another process: requests and answers as JSON, over whatever carries them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from seawall.distributed.transactions.two_phase._messages import Vote
from seawall.distributed.transactions.two_phase._names import name_of
from seawall.distributed.transactions.two_phase._participant import Participant
from seawall.errors import ConfigError, TransactionError

_METHODS = ("prepare", "commit", "abort")


class RemoteParticipant:
    """What a coordinator holds of a participant that is elsewhere.

    Args:
        name: As that participant is called.
        send: Takes a request, a dict that JSON can write, and returns the answer of `answer()` there. It may be sent
            twice. An exception means that the answer is not known.
        send_async: For tasks; without it `send` runs in a thread.
    """

    def __init__(
        self,
        name: str,
        send: Callable[[dict[str, Any]], Mapping[str, Any]] | None = None,
        send_async: Callable[[dict[str, Any]], Awaitable[Mapping[str, Any]]] | None = None,
    ) -> None:
        self.name = name_of(name, "name")
        if send is None and send_async is None:
            raise ConfigError(f"participant {name!r} needs send or send_async")
        self._send = send
        if send_async is not None:
            self.prepare_async = _Twin(self, send_async, "prepare")
            self.commit_async = _Twin(self, send_async, "commit")
            self.abort_async = _Twin(self, send_async, "abort")

    def prepare(self, transaction: str) -> Vote:
        """Ask for its vote."""
        return Vote(self._called("prepare", transaction)["vote"])

    def commit(self, transaction: str) -> None:
        """Tell it."""
        self._called("commit", transaction)

    def abort(self, transaction: str) -> None:
        """Tell it."""
        self._called("abort", transaction)

    def _called(self, method: str, transaction: str) -> Mapping[str, Any]:
        if self._send is None:
            raise ConfigError(f"participant {self.name!r} has no send, only send_async; use `async with`")
        return _read(self._send(_request(self.name, method, transaction)), self.name)

    def __repr__(self) -> str:
        return f"<RemoteParticipant {self.name}>"


class _Twin:
    def __init__(self, remote: RemoteParticipant, send: Callable[..., Awaitable[Mapping[str, Any]]], what: str) -> None:
        self._name, self._send, self._what = remote.name, send, what

    async def __call__(self, transaction: str) -> Any:
        said = _read(await self._send(_request(self._name, self._what, transaction)), self._name)
        return Vote(said["vote"]) if self._what == "prepare" else None


def _request(name: str, method: str, transaction: str) -> dict[str, Any]:
    return {"participant": name, "do": method, "transaction": transaction}


def _read(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    if "error" in said:
        raise TransactionError(f"participant {name!r}: {said['error']}")
    return said


def answer(participant: Participant, request: Mapping[str, Any]) -> dict[str, Any]:
    """Where the participant is: do what a RemoteParticipant has sent, and say what came of it.

    Never raises for what the participant raises: the answer has an "error" then, and the coordinator tells it again.
    """
    method = request.get("do")
    if method not in _METHODS or request.get("participant") != participant.name:
        return {"error": f"not a request to {participant.name!r}: {dict(request)!r}"}
    try:
        said = getattr(participant, method)(request["transaction"])
    except Exception as error:  # noqa: BLE001 - it travels
        return {"error": f"{type(error).__name__}: {error}"}
    return {"vote": str(said)} if method == "prepare" else {}


async def answer_async(participant: Any, request: Mapping[str, Any]) -> dict[str, Any]:
    """`answer` for a task; the participant has the methods `..._async`."""
    method = request.get("do")
    if method not in _METHODS or request.get("participant") != participant.name:
        return {"error": f"not a request to {participant.name!r}: {dict(request)!r}"}
    try:
        said = await getattr(participant, f"{method}_async")(request["transaction"])
    except Exception as error:  # noqa: BLE001 - it travels
        return {"error": f"{type(error).__name__}: {error}"}
    return {"vote": str(said)} if method == "prepare" else {}
