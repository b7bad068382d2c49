"""One transaction, as the caller has it."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from seawall.distributed.transactions.two_phase._course import Course, one, take, take_async
from seawall.distributed.transactions.two_phase._messages import Outcome
from seawall.distributed.transactions.two_phase._participant import Participant, Result
from seawall.errors import ConfigError

if TYPE_CHECKING:
    from seawall.distributed.transactions.two_phase._coordinator import TwoPhaseCommit


class Transaction:
    """A unit of work over several participants: `with coordinator.transaction() as tx`, or `async with`.

    Guarantees: leaving the block commits everywhere or nowhere; an exception in it undoes everything and goes on. Once
    the block was left without an exception the transaction is committed, though a participant that could not be
    reached may still have to be told: `result.untold`.

    Thread safety: one thread or task.

    Raises:
        TransactionAborted: On leaving: a participant voted no, or the log could not be written; all is undone.
        TransactionInDoubt: On leaving: the log did not say whether the commit is in it; `recover()` will find out.

    Attributes:
        id: What all participants and the log know it as; set on entering.
        result: How it ended; None before.
    """

    def __init__(self, coordinator: TwoPhaseCommit) -> None:
        self._coordinator = coordinator
        self._enlisted: dict[str, Participant] = {}
        self._is_open = False
        self.id = ""
        self.result: Result | None = None

    def enlist(self, participant: Participant | str) -> Any:
        """Let a participant of the coordinator take part; a second time changes nothing.

        Returns:
            What its `begin` gives: for a database the connection to work on; else the participant.
        """
        return take(self._enlist(participant), self._coordinator._driver)

    async def enlist_async(self, participant: Participant | str) -> Any:
        """`enlist` for a task."""
        return await take_async(self._enlist(participant), self._coordinator._driver)

    def _enlist(self, participant: Participant | str) -> Course[Any]:
        known = self._coordinator._known(participant)
        if not self._is_open:
            raise ConfigError(f"{known.name!r} can only be enlisted inside `with coordinator.transaction()`")
        begins = hasattr(known, "begin")
        given = (yield from one(known, "begin", self.id)) if begins else known
        self._enlisted[known.name] = known
        return given

    def _begin(self) -> Course[Self]:
        if self.id:
            raise ConfigError(f"transaction {self.id} was entered before; begin another with coordinator.transaction()")
        self.id = yield from self._coordinator._new_id()
        self._is_open = True
        return self

    def __enter__(self) -> Self:
        return take(self._begin(), self._coordinator._driver)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        take(self._end(error), self._coordinator._driver)

    async def __aenter__(self) -> Self:
        return await take_async(self._begin(), self._coordinator._driver)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await take_async(self._end(error), self._coordinator._driver)

    def _end(self, error: BaseException | None) -> Course[None]:
        self._is_open = False
        if error is not None:
            self.result = yield from self._coordinator._undone(self.id, self._enlisted)
        elif self._enlisted:
            yield from self._coordinator._ended(self)
        else:
            self.result = Result(self.id, Outcome.COMMITTED)

    def __repr__(self) -> str:
        state = self.result.outcome if self.result else "open" if self._is_open else "new"
        return f"<Transaction {self.id or '-'} {state}: {', '.join(self._enlisted) or 'nobody'}>"
