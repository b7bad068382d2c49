"""Runs transactions of one kind, and goes on with those whose conductor died."""

from __future__ import annotations

import math
import secrets
import threading
from collections.abc import Iterable, Set
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Any, Generic, Self

from seawall.distributed.transactions._conducting._course import Ask, Course
from seawall.distributed.transactions._conducting._journey import Journey
from seawall.distributed.transactions._conducting._rest import Rest
from seawall.distributed.transactions._conducting._runners import run, run_async
from seawall.distributed.transactions._conducting._way import D, R, S, T, Way
from seawall.distributed.transactions._conducting._worker import work, work_async
from seawall.distributed.transactions._keeper import Keeper
from seawall.distributed.transactions._kinds import PARKED
from seawall.distributed.transactions._log import TransactionLog, Wall
from seawall.distributed.transactions._orders import Order
from seawall.distributed.transactions._owned import History, Owned
from seawall.distributed.transactions._records import LogEntry, as_json
from seawall.engines import Engine
from seawall.errors import ConfigError, SeawallError, TransactionBusy, TransactionUnknown
from seawall.patterns import Signal

_PAGE = 200
_PATIENCE_US = 1_000_000
# A person may release what is parked, a definition may come with a deployment: both are looked for so often.
_LOOK_AGAIN_US = 10_000_000


class Conductor(Generic[D, S, R, T]):
    """Runs transactions whose every step is recorded before it begins and after it ended, so any process can go on.

    Guarantees: of all conductors on one namespace one has a transaction at a time, and only that one can write. What
    was cancelled or interrupted is left at once to whoever recovers it.

    Thread safety: yes; any number of transactions at once, in threads and tasks.

    Args:
        way: Of their kind.
        engine: Where the log is kept.
        definitions: All that this process can run.
        owner: Name of this conductor, for people.
        namespace: Of the log.
        ttl: How long a transaction waits after its conductor was killed, in seconds, 0.1 to 86,400.
        wall: What stamps the records.
    """

    def __init__(
        self,
        way: Way[D, S, R, T],
        engine: Engine,
        definitions: Iterable[D],
        *,
        owner: str | None,
        namespace: str,
        ttl: float | timedelta,
        wall: Wall | None,
    ) -> None:
        self._way = way
        self.log = TransactionLog(engine, namespace=namespace, owner=owner, ttl=ttl, wall=wall)
        self._definitions = _by_name(way, definitions)
        self._keeper = Keeper(self.log)
        self._rest = Rest()
        self.ended: Signal[R] = Signal(f"{way.kind}.ended", way.result)
        """A transaction has come to an end here, or is parked."""
        self.troubled: Signal[T] = Signal(f"{way.kind}.troubled", way.trouble)
        """A worker could not go on with a transaction, or not look for any; it tries again."""

    @property
    def kind(self) -> str:
        """Of its transactions: their name in the log and on the command line."""
        return self._way.kind

    def run(self, name: str, input: Any = None, *, id: str | None = None) -> R:
        """Begin a transaction and run it to its end; or go on with the one that has this id, if nobody else has it.

        Coroutine functions are run, too, each in a loop of its own; what they share needs `run_async`.

        Args:
            name: Of one of the definitions.
            input: JSON; recorded, and told to every function.
            id: Makes it idempotent: what was begun with the same id and input is not begun again. By default a new one.

        Returns:
            Its end, or how it is parked.

        Raises:
            ConfigError: There is no such definition, or the input is no JSON.
            TransactionExists: The id has been begun with another name or input.
            TransactionBusy: Another conductor runs it at present.
            LeaseLost: This process was away for longer than `ttl`; another goes on with it.
            Unavailable, UnknownOutcome: The engine failed; `recover` goes on with it.
            DeadlineExceeded: The Deadline of the caller has passed; `recover` goes on with it.
        """
        return run(self.log, self._run(name, input, id, math.inf))

    async def run_async(self, name: str, input: Any = None, *, id: str | None = None) -> R:
        """`run` in this task; coroutine functions are awaited, plain ones get a thread."""
        return await run_async(self.log, self._run(name, input, id, math.inf))

    def start(self, name: str, input: Any = None, *, id: str | None = None) -> R:
        """Begin a transaction and leave it to whoever recovers; how it stands when it has been begun before."""
        return run(self.log, self._start(name, input, id))

    async def start_async(self, name: str, input: Any = None, *, id: str | None = None) -> R:
        """`start` in this task."""
        return await run_async(self.log, self._start(name, input, id))

    def resume(self, id: str) -> R:
        """Go on with a transaction that nobody has; how it ended, when it has.

        Raises:
            TransactionUnknown: There is no such transaction, or it has been pruned.
            TransactionBusy: Another conductor runs it at present.
            ConfigError: Its definition was not given, or has other steps now.
        """
        return run(self.log, self._resume(id, math.inf))

    async def resume_async(self, id: str) -> R:
        """`resume` in this task."""
        return await run_async(self.log, self._resume(id, math.inf))

    def status(self, id: str) -> R | None:
        """How a transaction stands, whoever has it; None when there is none, or it has been pruned."""
        return self._result_or_none(self.log.load(self.kind, id))

    async def status_async(self, id: str) -> R | None:
        """`status` in this task."""
        return self._result_or_none(await self.log.load_async(self.kind, id))

    def order(self, id: str, what: Order, *, by: str, why: str) -> R:
        """Write what a person has decided about a transaction that nobody has; `resume` or a worker then does it.

        Args:
            id: Of the transaction.
            what: "park": nobody goes on with it. "resolve": it is finished as it is, somebody has seen to it.
                "compensate": it goes back, or is cancelled, where it still can be. "retry": it goes on where it was
                parked, with all its attempts again.
            by: Who decides, for the history.
            why: For the history.

        Raises:
            TransactionUnknown: There is no such transaction.
            TransactionBusy: Another conductor runs it at present.
            TransactionError: The decision makes no sense where it stands.
        """
        return run(self.log, self._order(id, what, by, why))

    async def order_async(self, id: str, what: Order, *, by: str, why: str) -> R:
        """`order` in this task."""
        return await run_async(self.log, self._order(id, what, by, why))

    def recover(self, *, limit: int = 1_000) -> list[R]:
        """Go on with what nobody has, one after the other; what has to wait longer than a second is left.

        Those whose definition was not given, or has other steps, are left to others.

        Args:
            limit: How many at most.
        """
        found = []
        for id in run(self.log, self._waiting(limit, frozenset())):
            if (result := run(self.log, self._recover(id))) is not None:
                found.append(result)
        return found

    async def recover_async(self, *, limit: int = 1_000) -> list[R]:
        """`recover` in this task."""
        found = []
        for id in await run_async(self.log, self._waiting(limit, frozenset())):
            if (result := await run_async(self.log, self._recover(id))) is not None:
                found.append(result)
        return found

    def prune(self, *, older: float | timedelta) -> int:
        """Forget transactions that ended longer ago than `older` seconds; how many. Their ids may be begun again."""
        return self.log.prune(self.kind, older=older)

    async def prune_async(self, *, older: float | timedelta) -> int:
        """`prune` in this task."""
        return await self.log.prune_async(self.kind, older=older)

    def work(self, stop: threading.Event, *, poll: float | timedelta = 1.0, concurrency: int = 4) -> None:
        """Recover again and again until `stop` is set; then what is under way is brought to its end.

        Args:
            stop: Ends it.
            poll: Seconds between two looks, 0.01 to 3,600.
            concurrency: How many at once, 1 to 1,000.
        """
        work(self, stop, poll, concurrency)

    async def work_async(self, *, poll: float | timedelta = 1.0, concurrency: int = 4) -> None:
        """Recover again and again until cancelled; what is under way is then cancelled, too, and left to others."""
        await work_async(self, poll, concurrency)

    def close(self) -> None:
        """End the thread that renews claims, if there is one; the engine stays open."""
        self._keeper.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.log.owner!r} of {', '.join(self._definitions)} on {self.log.engine.name}>"

    # What these do, for threads and tasks alike.

    def _run(self, name: str, input: Any, id: str | None, patience_us: float) -> Course[R]:
        definition, begun = self._begun(name, input)
        journey = self._journey(definition, patience_us)
        id = secrets.token_hex(16) if id is None else id
        history = yield from self._travel(journey, journey.begin(id, begun))
        if journey.owned is None and not history.finished:
            return (yield from self._resume(id, patience_us))
        result = self._way.result_of(history)
        return result if journey.owned is None else self._told(result)

    def _start(self, name: str, input: Any, id: str | None) -> Course[R]:
        _, begun = self._begun(name, input)
        beginning = yield Ask(self.log._do_begin(self.kind, secrets.token_hex(16) if id is None else id, begun))
        if isinstance(beginning, Owned):
            yield Ask(self.log._do_let_go(beginning))
            return self._way.result_of(beginning.history())
        return self._way.result_of(beginning)

    def _resume(self, id: str, patience_us: float) -> Course[R]:
        owned = yield Ask(self.log._do_own(self.kind, id))
        if owned is None:
            raise TransactionUnknown(f"there is no {self.kind} {id!r}, or it has been pruned", kind=self.kind, id=id)
        if isinstance(owned, Owned):
            return (yield from self._go_on(owned, patience_us))
        if not owned.finished:
            raise TransactionBusy(
                f"{self.kind} {id!r} is run by another {self._way.conductor} at present; ask for its status, or "
                "again later",
                kind=self.kind,
                id=id,
            )
        return self._way.result_of(owned)

    def _order(self, id: str, what: Order, by: str, why: str) -> Course[R]:
        self._rest.end(id)
        history = yield Ask(self.log._do_order(self.kind, id, what, by=by, why=why))
        return self._way.result_of(history)

    def _go_on(self, owned: Owned, patience_us: float) -> Course[R]:
        state = self._way.fold(owned.entries)
        definition = self._definitions.get(state.name)
        if definition is None or definition.shape != state.shape:
            yield Ask(self.log._do_let_go(owned))
            raise _not_ours(self._way, owned.key.id, state.name, definition)
        journey = self._journey(definition, patience_us)
        return self._told(self._way.result_of((yield from self._travel(journey, journey.go_on(owned)))))

    def _recover(self, id: str) -> Course[R | None]:
        """What became of a transaction that nobody had; None when there was nothing to do."""
        history = yield Ask(self.log._do_load(self.kind, id))
        if history is None or history.finished:
            return None
        state, now_us = self._way.fold(history.entries), self.log.now_us()
        if (until_us := self._rests_until(state, now_us)) > now_us:
            self._rest.set(id, until_us)
            return None
        owned = yield Ask(self.log._do_own(self.kind, id))
        return (yield from self._go_on(owned, _PATIENCE_US)) if isinstance(owned, Owned) else None

    def _rests_until(self, state: S, now_us: int) -> int:
        """When recovery looks at a transaction again, if it can do nothing for it now."""
        definition = self._definitions.get(state.name)
        if state.phase == PARKED or definition is None or definition.shape != state.shape:
            return now_us + _LOOK_AGAIN_US
        move = self._way.next_move(definition, state, now_us, frozenset())
        due_us = now_us if move.start or move.then or move.wake_us is None else move.wake_us
        return now_us if due_us <= now_us + _PATIENCE_US else min(due_us, now_us + _LOOK_AGAIN_US)

    def _waiting(self, limit: int, busy: Set[str]) -> Course[list[str]]:
        """Ids of those nobody has and that need not rest, at most `limit`."""
        found: list[str] = []
        now_us, after = self.log.now_us(), ""
        while len(found) < limit:
            page = yield Ask(self.log._do_keys(self.kind, unowned=True, after=after, limit=_PAGE))
            found += (key.id for key in page if key.id not in busy and not self._rest.is_on(key.id, now_us))
            if len(page) < _PAGE:
                break
            after = page[-1].id
        return found[:limit]

    def _begun(self, name: str, input: Any) -> tuple[D, LogEntry]:
        definition = self._definitions.get(name)
        if definition is None:
            raise ConfigError(
                f"{self.kind} must be one of {', '.join(self._definitions)}, got {name!r}; give its definition to the "
                f"{type(self).__name__}"
            )
        plan = self._way.plan(definition)
        return definition, self.log.entry("begun", name=name, input=as_json(input, "input"), plan=plan)

    def _journey(self, definition: D, patience_us: float) -> Journey[D, S, R, T]:
        return Journey(self.log, self._way, definition, patience_us, self._keeper.add)

    def _told(self, result: R) -> R:
        if self.ended and (result.finished or result.state == PARKED):
            self.ended.send(result)
        return result

    def _result_or_none(self, history: History | None) -> R | None:
        return None if history is None else self._way.result_of(history)

    def _trouble(self, id: str, error: BaseException) -> None:
        if id:
            self._rest.set(id, self.log.now_us() + _PATIENCE_US)
        if self.troubled:
            self.troubled.send(self._way.trouble(id, error))

    def _travel(self, journey: Journey[D, S, R, T], course: Course[History]) -> Course[History]:
        """Bring a journey to its end; cut short, it is left to others at once."""
        try:
            return (yield from course)
        except BaseException:
            if journey.owned is not None and journey.owned.lost is None:
                self._keeper.remove(journey.owned)
                with suppress(SeawallError):
                    yield Ask(self.log._do_let_go(journey.owned))
            raise
        finally:
            if journey.owned is not None:
                self._keeper.remove(journey.owned)


def _by_name(way: Way[D, S, R, T], definitions: Iterable[D]) -> dict[str, D]:
    kind, type_name = way.kind, way.definition.__name__
    found: dict[str, D] = {}
    for each in definitions:
        if not isinstance(each, way.definition):
            raise ConfigError(f"{kind}s must be {type_name} objects, got {each!r}")
        if found.setdefault(each.name, each) is not each:
            raise ConfigError(f"two {kind}s are named {each.name!r}; recovery could not tell them apart")
    if not found:
        raise ConfigError(f"{kind}s must be at least one {type_name}, got none")
    return found


def _not_ours(way: Way[D, S, R, T], id: str, name: str, definition: D | None) -> ConfigError:
    if definition is None:
        return ConfigError(f"{way.kind} {id!r} is of {name!r}, whose definition this {way.conductor} was not given")
    return ConfigError(
        f"{way.kind} {id!r} was begun with other steps than {name!r} has now; go on with it by the definition "
        "it was begun with, or resolve it by hand: give a definition whose steps change a new name"
    )
