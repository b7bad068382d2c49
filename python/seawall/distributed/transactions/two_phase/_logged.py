"""A participant with a durable log of its own, around a store of the user's."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

from seawall.distributed.transactions._log import TransactionLog
from seawall.distributed.transactions._owned import History, Owned
from seawall.distributed.transactions.two_phase._course import Calls, Course, Run, one, take, take_async
from seawall.distributed.transactions.two_phase._machine import Member, MemberStep, Standing, member_recovered
from seawall.distributed.transactions.two_phase._messages import (
    COMMITTED,
    PREPARED,
    Finish,
    Force,
    Message,
    Outcome,
    Vote,
)
from seawall.distributed.transactions.two_phase._names import MEMBER_NAME, name_of
from seawall.distributed.transactions.two_phase._participant import InDoubt, Participant, Recovery
from seawall.engines.operation import driver_of
from seawall.errors import SeawallError, TransactionBusy, TransactionError

_PAGE = 1_000


class LoggedParticipant:
    """Lets a store take part that can hold a change ready and then do or undo it, but keeps no account of that.

    Guarantees: a vote of yes is on disk before it is given, and so is a commit before it is done; after a crash
    `recover` undoes what was not voted on, does again what was told, and asks about the rest. Two calls for one
    transaction, from any processes, never run at the same time: the second raises TransactionBusy, and is told again.

    Thread safety: as the store's.

    Cost: three durable writes for a commit, besides the store's.

    Args:
        name: As the coordinator knows it.
        store: Its `prepare`, `commit` and `abort` are called, each perhaps again after a crash, also `abort` for what
            was prepared half or not at all. What it has prepared must outlive a crash. `..._async` are used by tasks.
        log: On a disk of this process.
    """

    def __init__(self, name: str, store: Any, log: TransactionLog) -> None:
        self.name = name_of(name, "name")
        self._store = store
        self._log = log
        self._driver = driver_of(log.journal)

    def prepare(self, transaction: str) -> Vote:
        """Prepare in the store, log it, vote.

        Raises:
            TransactionBusy: Another call is at it.
        """
        return take(self._prepare(transaction), self._driver)

    async def prepare_async(self, transaction: str) -> Vote:
        """`prepare` for a task."""
        return await take_async(self._prepare(transaction), self._driver)

    def commit(self, transaction: str) -> None:
        """Log it, do it in the store.

        Raises:
            TransactionBusy: Another call is at it.
            TransactionError: This participant has not voted yes, or was told to abort by hand.
        """
        take(self._commit(transaction), self._driver)

    async def commit_async(self, transaction: str) -> None:
        """`commit` for a task."""
        await take_async(self._commit(transaction), self._driver)

    def abort(self, transaction: str) -> None:
        """Undo it in the store, log that.

        Raises:
            TransactionBusy: Another call is at it.
        """
        take(self._abort(transaction), self._driver)

    async def abort_async(self, transaction: str) -> None:
        """`abort` for a task."""
        await take_async(self._abort(transaction), self._driver)

    def recover(self, ask: Callable[[str], Any]) -> Recovery:
        """After a crash, and now and then: end what is left.

        Args:
            ask: Gives the Outcome of a transaction: `coordinator.outcome`, or what asks it over the network. An
                exception leaves the transaction in doubt.
        """
        return take(self._recover(_Asked(ask)), self._driver)

    async def recover_async(self, ask: Callable[[str], Any]) -> Recovery:
        """`recover` for a task; `ask` may be a coroutine function."""
        return await take_async(self._recover(_Asked(ask)), self._driver)

    def in_doubt(self) -> tuple[InDoubt, ...]:
        """Transactions that this participant holds ready, or has not ended."""
        return take(self._in_doubt(), self._driver)

    async def in_doubt_async(self) -> tuple[InDoubt, ...]:
        """`in_doubt` for a task."""
        return await take_async(self._in_doubt(), self._driver)

    # What they do.

    def _id(self, transaction: str) -> str:
        return f"{self.name}/{transaction}"

    def _prepare(self, transaction: str) -> Course[Vote]:
        begun = self._log.entry("begun", participant=self.name, transaction=transaction)
        found = yield Run(self._log._do_begin(MEMBER_NAME, self._id(transaction), begun))
        if isinstance(found, Owned):
            return (yield from self._first_vote(found, transaction))
        if found.finished:
            return Vote.NO
        owned = yield from self._own(transaction)
        if not isinstance(owned, Owned):
            return Vote.NO
        last = owned.entries[-1].what
        # Whoever was at it has died before it voted, if "begun" is all there is.
        step = Member().told(Message.ABORT) if last == "begun" else member_recovered(None)
        yield from self._take(owned, transaction, step)
        return Vote.YES if last == PREPARED else Vote.NO

    def _first_vote(self, owned: Owned, transaction: str) -> Course[Vote]:
        try:
            vote = yield from one(self._store, "prepare", transaction)
            step = Member().asked(Vote(vote))
        except BaseException:
            yield from self._take(owned, transaction, Member().told(Message.ABORT))
            raise
        yield from self._take(owned, transaction, step, silent="read_only" if vote is Vote.READ_ONLY else "")
        return Vote(vote)

    def _commit(self, transaction: str) -> Course[None]:
        owned = yield from self._own(transaction)
        if isinstance(owned, Owned):
            yield from self._told_to_commit(owned, transaction)
        elif owned is not None and owned.entries[-1].what == "aborted":
            raise self._never(transaction, "it has undone its part")

    def _told_to_commit(self, owned: Owned, transaction: str) -> Course[None]:
        last = owned.entries[-1].what
        if last == "begun":
            yield Run(self._log._do_let_go(owned))
            raise self._never(transaction, "it has not voted")
        step = member_recovered(last)
        if step.state.standing is Standing.PREPARED:
            step = step.state.told(Message.COMMIT)
        yield from self._take(owned, transaction, step)

    def _abort(self, transaction: str) -> Course[None]:
        owned = yield from self._own(transaction)
        if owned is None:
            yield from one(self._store, "abort", transaction)
        elif isinstance(owned, Owned):
            step = member_recovered(owned.entries[-1].what)
            standing = Member() if owned.entries[-1].what == "begun" else step.state
            yield from self._take(owned, transaction, standing.told(Message.ABORT))

    def _take(self, owned: Owned, transaction: str, step: MemberStep, *, silent: str = "") -> Course[None]:
        """Take the actions; conclude the log when the store is done, let go when not, also after a failure.

        What is told to the coordinator is the result of the call, and asking is the caller's.
        """
        finished = silent
        try:
            for action in step.actions:
                if isinstance(action, Force):
                    yield Run(self._log._do_write(owned, self._log.entry(action.record)))
                elif isinstance(action, Finish):
                    yield from one(self._store, "commit" if action.commit else "abort", transaction)
                    finished = "ended" if action.commit else "aborted"
            if finished:
                yield Run(self._log._do_finish(owned, self._log.entry(finished)))
                return
        except BaseException:
            yield from self._let_go(owned)
            raise
        yield from self._let_go(owned)

    def _let_go(self, owned: Owned) -> Course[None]:
        with suppress(SeawallError):  # it expires by itself
            yield Run(self._log._do_let_go(owned))

    def _own(self, transaction: str) -> Course[Owned | History | None]:
        found = yield Run(self._log._do_own(MEMBER_NAME, self._id(transaction)))
        if isinstance(found, History) and not found.finished:
            raise TransactionBusy(
                f"another call of participant {self.name!r} is at transaction {transaction!r}; tell it again",
                kind=MEMBER_NAME,
                id=transaction,
            )
        return found  # type: ignore[no-any-return]

    def _never(self, transaction: str, why: str) -> TransactionError:
        return TransactionError(
            f"participant {self.name!r} was told to commit transaction {transaction!r} but {why}; see "
            "`seawall tx show`, and put right by hand what the others have done",
            kind=MEMBER_NAME,
            id=transaction,
        )

    def _open(self) -> Course[list[str]]:
        prefix, ids = f"{self.name}/", list[str]()
        while True:
            after = ids[-1] if ids else prefix
            page = yield Run(self._log._do_keys(MEMBER_NAME, after=after, limit=_PAGE))
            ids += (key.id for key in page if key.id.startswith(prefix))
            if len(page) < _PAGE or not page[-1].id.startswith(prefix):
                return [id.removeprefix(prefix) for id in ids]

    def _recover(self, asked: _Asked) -> Course[Recovery]:
        ended: dict[Outcome, list[str]] = {outcome: [] for outcome in Outcome}
        left: list[InDoubt] = []
        for transaction in (yield from self._open()):
            outcome, why = yield from self._recover_one(transaction, asked)
            ended[outcome].append(transaction)
            if outcome is Outcome.IN_DOUBT:
                left.append(InDoubt(transaction, outcome, (self.name,), why))
        return Recovery(tuple(ended[Outcome.COMMITTED]), tuple(ended[Outcome.ABORTED]), tuple(left))

    def _recover_one(self, transaction: str, asked: _Asked) -> Course[tuple[Outcome, str]]:
        try:
            owned = yield from self._own(transaction)
            if not isinstance(owned, Owned):
                return Outcome.COMMITTED if owned and owned.entries[-1].what == "ended" else Outcome.ABORTED, ""
            outcome = yield from self._outcome_of(owned, transaction, asked)
            if outcome is Outcome.COMMITTED:
                yield from self._told_to_commit(owned, transaction)
            elif outcome is Outcome.ABORTED:
                yield from self._take(owned, transaction, Member().told(Message.ABORT))
            else:
                yield Run(self._log._do_let_go(owned))
        except Exception as error:  # noqa: BLE001 - one that cannot be ended does not hold up the others
            return Outcome.IN_DOUBT, str(error)
        return outcome, "the coordinator has not decided"

    def _outcome_of(self, owned: Owned, transaction: str, asked: _Asked) -> Generator[Run | Calls, Any, Outcome]:
        last = owned.entries[-1].what
        if last == PREPARED:
            return Outcome((yield from self._or_let_go(owned, one(asked, "outcome", transaction))))
        return Outcome.COMMITTED if last == COMMITTED else Outcome.ABORTED

    def _or_let_go(self, owned: Owned, course: Course[Any]) -> Course[Any]:
        try:
            return (yield from course)
        except BaseException:
            yield from self._let_go(owned)
            raise

    def _in_doubt(self) -> Course[tuple[InDoubt, ...]]:
        left = []
        for transaction in (yield from self._open()):
            history = yield Run(self._log._do_load(MEMBER_NAME, self._id(transaction)))
            if history is not None and not history.finished:
                last = history.entries[-1].what
                outcome = Outcome.COMMITTED if last == COMMITTED else Outcome.IN_DOUBT
                left.append(InDoubt(transaction, outcome, (self.name,), last))
        return tuple(left)

    def __repr__(self) -> str:
        return f"<LoggedParticipant {self.name} of {self._store!r}>"


class _Asked:
    """What asks the coordinator, as courses call it."""

    def __init__(self, ask: Callable[[str], Any]) -> None:
        self.outcome = ask


def _is_participant(logged: LoggedParticipant) -> Participant:
    return logged
