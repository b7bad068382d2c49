"""The log behind `seawall tx`: what it finds there, and whom it asks to go on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from seawall.cli._target import thing_of
from seawall.distributed.transactions import Ends, History, Summary, TransactionLog, kind_of, kinds
from seawall.distributed.transactions.saga import Orchestrator, Saga
from seawall.distributed.transactions.tcc import Coordinator, Tcc
from seawall.engines import open_engine
from seawall.errors import ConfigError, TransactionUnknown


@dataclass(frozen=True, slots=True)
class Found:
    """A transaction: its records and what they mean."""

    history: History
    summary: Summary

    @classmethod
    def of(cls, history: History) -> Found:
        """Read its records; those of a kind that is not known are shown as they are."""
        reader = kind_of(history.key.kind)
        unknown = Summary("", "finished" if history.finished else "unknown", history.finished)
        return cls(history, unknown if reader is None else reader.summary(history.entries))

    @property
    def ends(self) -> Ends:
        """Which states are ends, of its kind."""
        reader = kind_of(self.history.key.kind)
        return Ends() if reader is None else reader.ends

    def has_ended(self) -> bool:
        """Whether it has come to an end by itself."""
        return self.ends.has_ended(self.summary.state)

    def has_gone_back(self) -> bool:
        """Whether nothing is left of it."""
        return self.summary.state in self.ends.back

    @classmethod
    def load(cls, log: TransactionLog, kind: str, id: str) -> Found:
        """By its id.

        Raises:
            TransactionUnknown: There is none.
        """
        if kind_of(kind) is None:
            raise ConfigError(f"kind must be one that is known, got {kind!r}; for example saga")
        history = log.load(kind, id)
        if history is None:
            raise TransactionUnknown(f"there is no {kind} {id!r}, or it has been pruned", kind=kind, id=id)
        return cls.of(history)


@contextmanager
def look(url: str, namespace: str) -> Iterator[TransactionLog]:
    """The log of an engine that is closed afterwards."""
    with open_engine(url) as engine:
        yield TransactionLog(engine, namespace=namespace)


def is_over(kind: str | None, state: str | None) -> bool:
    """Whether those in this state are to be found among the finished ones."""
    known = (kind_of(name) for name in (kinds() if kind is None else (kind,)))
    return state is not None and any(each is not None and each.ends.is_over(state) for each in known)


def find(log: TransactionLog, kind: str | None, state: str | None, finished: bool, limit: int) -> list[Found]:
    """Transactions in order of kind and id, at most `limit`."""
    found: list[Found] = []
    for key in log.keys(kind, finished=finished, limit=10_000):
        history = log.load(*key)
        if history is None:
            continue
        each = Found.of(history)
        if state is None or each.summary.state == state:
            found.append(each)
        if len(found) == limit:
            break
    return found


def runners_of(text: str, log: TransactionLog) -> dict[str, Any]:
    """Who goes on with transactions, by kind: an object with `kind`, `resume(id)` and `recover()`."""
    given = thing_of(text, "sagas", "shop.orders:sagas")
    if callable(given) and not hasattr(given, "resume"):
        given = given()
    things = [given] if isinstance(given, (Saga, Tcc)) or hasattr(given, "resume") else given
    things = list(things) if isinstance(things, Iterable) else []
    runners = {thing.kind: thing for thing in things if hasattr(thing, "resume")}
    sagas = [thing for thing in things if isinstance(thing, Saga)]
    tccs = [thing for thing in things if isinstance(thing, Tcc)]
    if not things or len(sagas) + len(tccs) + len(runners) != len(things):
        raise ConfigError(
            f"sagas must be a Saga or Tcc, several, or an orchestrator, got {text!r}, which is {given!r:.100}"
        )
    for runner in runners.values():
        _check_same(runner, log)
    if sagas:
        runners["saga"] = Orchestrator(log.engine, sagas, namespace=log.journal.namespace)
    if tccs:
        runners["tcc"] = Coordinator(log.engine, tccs, namespace=log.journal.namespace)
    return runners


def _check_same(runner: Any, log: TransactionLog) -> None:
    theirs, ours = (f"{each.engine.name} in {each.journal.namespace!r}" for each in (runner.log, log))
    if theirs != ours:
        raise ConfigError(f"sagas must have their log in {ours}, got {runner!r}, whose log is {theirs}")


def resume_one(runners: dict[str, Any], kind: str, id: str) -> tuple[str, str]:
    """Go on with one transaction."""
    if kind not in runners:
        raise ConfigError(f"kind must be one of {', '.join(runners)}, for which there are definitions, got {kind!r}")
    runners[kind].resume(id)
    return kind, id


def resume_all(runners: dict[str, Any]) -> list[tuple[str, str]]:
    """Go on with all that nobody has."""
    return [(kind, result.id) for kind, runner in runners.items() for result in runner.recover()]
