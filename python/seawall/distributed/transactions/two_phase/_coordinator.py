"""Coordinates transactions over several participants."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from seawall.distributed.transactions._log import TransactionLog
from seawall.distributed.transactions._owned import History, Owned
from seawall.distributed.transactions.two_phase import _recovery as recovery
from seawall.distributed.transactions.two_phase._course import Call, Calls, Course, Run, take, take_async
from seawall.distributed.transactions.two_phase._ending import Ending, committed_to
from seawall.distributed.transactions.two_phase._messages import Outcome
from seawall.distributed.transactions.two_phase._names import KIND_NAME, name_of
from seawall.distributed.transactions.two_phase._participant import InDoubt, Participant, Recovery, Result
from seawall.distributed.transactions.two_phase._transaction import Transaction
from seawall.engines import Durability, Finding
from seawall.engines.operation import driver_of
from seawall.errors import (
    ConfigError,
    Conflict,
    TransactionAborted,
    TransactionError,
    TransactionInDoubt,
    UnknownOutcome,
)

_FORGETFUL = Finding(
    "durability of the log",
    "",
    "a machine that loses power forgets decisions that some participants know of and others do not",
    "keep the log on an engine with durability disk",
)


class TwoPhaseCommit:
    """Commits on all participants or on none, with two-phase commit and presumed abort.

    Guarantees: no mixed outcome, whoever is killed and whenever: a commit is decided by one record in the log, written
    under the transaction's claim; whatever has no such record was not committed. Recovery takes a transaction over
    only when its coordinator's claim has ended, so it never decides against one that lives. What a participant holds
    ready for another coordinator, or for another log, is listed and left alone.

    Between its vote and being told, a participant holds its locks: a coordinator that dies at that moment blocks others
    until somebody calls `recover()`. Call it when a process starts, and now and then.

    Thread safety: yes; a Transaction belongs to one thread or task.

    Cost: three durable writes of the log, and two of each participant that has changed something. For tasks all
    participants are asked at the same time, for threads one after another.

    Args:
        log: Where decisions are kept. Losing it leaves what is prepared in doubt.
        participants: All that may ever take part; recovery asks them.
        name: The coordinator's, the same in all its processes and for ever: 1 to 40 ASCII letters, digits, '-', '_'.
        chance: Gives a number of so many bytes, in hexadecimal, that nobody else gets.

    Attributes:
        log: Where decisions are kept.
        name: As given.

    Raises:
        ConfigError: Two participants have one name, or one is none.

    Source: Mohan, Lindsay 1983, "Efficient Commit Protocols for the Tree of Processes Model of Distributed
        Transactions".
    """

    kind = KIND_NAME

    def __init__(
        self,
        log: TransactionLog,
        participants: Iterable[Participant],
        *,
        name: str = "coordinator",
        chance: Callable[[int], str] = secrets.token_hex,
    ) -> None:
        self.log = log
        self._driver = driver_of(log.journal)
        self.name = name_of(name, "name")
        self._chance = chance
        self._log_id: str | None = None
        self._participants: dict[str, Participant] = {}
        for participant in participants:
            self._add(participant)

    def _add(self, participant: Participant) -> None:
        if not isinstance(participant, Participant):
            raise ConfigError(
                f"a participant has a name, prepare, commit and abort, got {participant!r}; see Participant"
            )
        if name_of(participant.name, "the name of a participant") in self._participants:
            raise ConfigError(f"two participants are called {participant.name!r}; give each a name of its own")
        self._participants[participant.name] = participant

    def _known(self, participant: Participant | str) -> Participant:
        name = participant if isinstance(participant, str) else getattr(participant, "name", None)
        known = self._participants.get(str(name))
        if known is None or not (isinstance(participant, str) or participant is known):
            raise ConfigError(
                f"{name!r} is no participant of coordinator {self.name!r}, so recovery could not reach it; give it to "
                "TwoPhaseCommit"
            )
        return known

    def transaction(self) -> Transaction:
        """A new transaction, for `with` or `async with`."""
        return Transaction(self)

    # Every call has a twin for tasks.

    def check(self) -> None:
        """See that each participant can do its part; a database must have prepared transactions switched on.

        Raises:
            ConfigError: One cannot; the message says what to set.
        """
        take(self._checked(), self._driver)

    async def check_async(self) -> None:
        """`check` for a task."""
        await take_async(self._checked(), self._driver)

    def lint(self) -> tuple[Finding, ...]:
        """Settings of the participants' servers that will hurt, each with its remedy."""
        return take(self._linted(), self._driver)

    async def lint_async(self) -> tuple[Finding, ...]:
        """`lint` for a task."""
        return await take_async(self._linted(), self._driver)

    def recover(self, transaction: str | None = None) -> Recovery:
        """Finish what was left: tell of commits that are in the log, abort what is prepared without one.

        Guarantees: what a living coordinator is at is left to it. May be called at any time, by any process.

        Args:
            transaction: Only this one; None for all.
        """
        return take(recovery.recovered_all(self, transaction), self._driver)

    async def recover_async(self, transaction: str | None = None) -> Recovery:
        """`recover` for a task."""
        return await take_async(recovery.recovered_all(self, transaction), self._driver)

    def resume(self, transaction: str) -> Result:
        """Finish one transaction whose coordinator is gone.

        Raises:
            TransactionUnknown: There is none, in the log or held ready.
            TransactionBusy: A living coordinator has it.
            TransactionError: Somebody could not be told; the message says who.
        """
        return take(recovery.resumed(self, transaction), self._driver)

    async def resume_async(self, transaction: str) -> Result:
        """`resume` for a task."""
        return await take_async(recovery.resumed(self, transaction), self._driver)

    def in_doubt(self) -> tuple[InDoubt, ...]:
        """Transactions that are not over, by the log and by what participants hold ready; changes nothing."""
        return take(recovery.listed(self), self._driver)

    async def in_doubt_async(self) -> tuple[InDoubt, ...]:
        """`in_doubt` for a task."""
        return await take_async(recovery.listed(self), self._driver)

    def outcome(self, transaction: str) -> Outcome:
        """How a transaction ended, for a participant that asks; IN_DOUBT: not decided yet, ask again.

        Guarantees: ABORTED is final: who is told so may undo its part.

        Raises:
            TransactionError: It is not a transaction of this coordinator and this log, which may presume nothing of it.
        """
        return take(self._asked(transaction), self._driver)

    async def outcome_async(self, transaction: str) -> Outcome:
        """`outcome` for a task."""
        return await take_async(self._asked(transaction), self._driver)

    def close(self) -> None:
        """Close what participants hold open for threads; the log is its engine's."""
        take(self._all("close"), self._driver)

    async def close_async(self) -> None:
        """`close` for a task: what they hold open in this loop, too."""
        await take_async(self._all("close"), self._driver)

    # What they do.

    def _checked(self) -> Course[None]:
        yield from self._identity()
        for answer in (yield from self._all("check")):
            if isinstance(answer, Exception):
                raise answer

    def _linted(self) -> Course[tuple[Finding, ...]]:
        durability = self.log.journal.guarantees.durability
        found = [] if durability >= Durability.disk else [_FORGETFUL._replace(value=durability.name)]
        for answer in (yield from self._all("lint")):
            if isinstance(answer, Exception):
                raise answer
            found += answer
        return tuple(found)

    def _all(self, method: str, *args: Any) -> Course[tuple[Any, ...]]:
        able = [each for each in self._participants.values() if hasattr(each, method)]
        answers: tuple[Any, ...] = yield Calls(tuple(Call(each, method, args) for each in able))
        return answers

    def _identity(self) -> Course[str]:
        """Which log this is: a log that was lost and made anew must not speak for transactions of the old one."""
        if self._log_id is None:
            stream = f"identity/{KIND_NAME}/{self.name}"
            journal = self.log.journal
            records = yield Run(journal._do_scan(stream, limit=1))
            if not records:
                with suppress(Conflict):  # another process has just made it
                    yield Run(journal._do_append(stream, self._chance(4).encode(), expected=0))
                records = yield Run(journal._do_scan(stream, limit=1))
            self._log_id = records[0].data.decode()
        return self._log_id

    def _new_id(self) -> Course[str]:
        identity = yield from self._identity()
        return f"{self.name}.{identity}.{self._chance(16)}"

    def _ended(self, transaction: Transaction) -> Course[None]:
        enlisted = transaction._enlisted
        try:
            begun = self.log.entry("begun", participants=list(enlisted))
            owned = yield Run(self.log._do_begin(KIND_NAME, transaction.id, begun))
            if not isinstance(owned, Owned):
                raise UnknownOutcome(f"transaction {transaction.id} was begun, but by whom is not known")  # noqa: TRY301
        except BaseException:
            transaction.result = yield from self._undone(transaction.id, enlisted)
            raise
        ending = Ending(self.log, owned, enlisted)
        try:
            yield from ending.commit()
        finally:
            transaction.result = ending.result
        _raise_unless_committed(ending)

    def _undone(self, id: str, enlisted: Mapping[str, Participant]) -> Course[Result]:
        """Before anybody was asked to prepare: nothing is in the log, and nothing need be."""
        answers = yield Calls(tuple(Call(each, "abort", (id,)) for each in enlisted.values()))
        untold = tuple(name for name, answer in zip(enlisted, answers, strict=True) if isinstance(answer, Exception))
        return Result(id, Outcome.ABORTED, untold)

    def _asked(self, transaction: str) -> Course[Outcome]:
        mine = yield from self._identity()
        if not transaction.startswith(f"{self.name}.{mine}."):
            raise TransactionError(
                f"transaction {transaction!r} is not of coordinator {self.name!r} with log {mine}, which may presume "
                "nothing of it; ask the coordinator it names",
                kind=KIND_NAME,
                id=transaction,
            )
        found = yield Run(self.log._do_own(KIND_NAME, transaction))
        if isinstance(found, Owned):
            yield Run(self.log._do_let_go(found))
        elif isinstance(found, History) and not found.finished and committed_to(found.entries) is None:
            return Outcome.IN_DOUBT
        return _outcome(found)


def _outcome(found: Owned | History | None) -> Outcome:
    # Who owned it until now has lost its claim and writes no more; nobody begins a transaction that others have
    # prepared. So what has no record of a commit will never have one.
    is_committed = found is not None and committed_to(found.entries) is not None
    return Outcome.COMMITTED if is_committed else Outcome.ABORTED


def _raise_unless_committed(ending: Ending) -> None:
    result = ending.result
    if result.outcome is Outcome.COMMITTED:
        return
    cause = next(iter(ending.causes.values()), None)
    if result.outcome is Outcome.IN_DOUBT:
        raise TransactionInDoubt(
            f"transaction {result.id} is in doubt: the log did not say whether the commit is in it; do not repeat its "
            "work, recover() finds out",
            kind=KIND_NAME,
            id=result.id,
        ) from cause
    who = ", ".join(ending.against)
    why = f"{who} voted no" if who else "the log did not take the commit"
    raise TransactionAborted(
        f"transaction {result.id} was aborted: {why}{f' ({cause})' if cause else ''}", kind=KIND_NAME, id=result.id
    ) from cause
