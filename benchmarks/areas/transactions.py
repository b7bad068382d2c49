"""A saga of three steps, each recorded on a disk before it begins and after it ended.

All write to SQLite with `synchronous = FULL`: whoever acknowledges has waited for the disk. seawall uses a write-ahead
log, DBOS as it comes a rollback journal; its other case gets a write-ahead log, too.
"""

from __future__ import annotations

from typing import Any

from benchmarks._case import OURS, Case, Missing, Probe, Target, WrongAnswer
from benchmarks._scratch import scratch_folder
from benchmarks.versus import rivals
from seawall.distributed.transactions.saga import Orchestrator, Saga, SagaResult, Step, StepContext
from seawall.engines import open_engine

JOB = "a saga of three steps on SQLite"


def _add(context: StepContext) -> int:
    before: dict[str, int] = context.results
    return 1 + (sum(before.values()) if before else context.input)


def _undo(context: StepContext) -> None:
    raise WrongAnswer(f"{context.key} is undone")


def _is_done(result: object) -> bool:
    return isinstance(result, SagaResult) and result.ok and result.results == {"a": 2, "b": 3, "c": 6}


def _orchestrator(durability: str) -> Orchestrator:
    file = scratch_folder() / f"seawall-{durability}.db"
    saga = Saga("three", *(Step(name, _add, _undo) for name in "abc"))
    made = Orchestrator(open_engine(f"sqlite:///{file}", durability=durability), [saga])
    made.run("three", 1, id="proof")
    history = made.log.load("saga", "proof")
    told = [] if history is None else [entry.what for entry in history.entries]
    if told != ["begun", *["started", "done"] * 3, "finished"]:
        raise WrongAnswer(f"a saga left the records {told}")
    return made


def _saga(durability: str) -> Probe:
    return Probe("orchestrator.run('three', 1)", {"orchestrator": _orchestrator(durability)}, _is_done)


def _on_memory() -> Probe:
    saga = Saga("three", *(Step(name, _add, _undo) for name in "abc"))
    made: Any = Orchestrator(open_engine("memory://"), [saga])
    return Probe("orchestrator.run('three', 1)", {"orchestrator": made}, _is_done)


def cases() -> list[Case | Missing]:
    """All cases of the area."""
    reference = f"{JOB}: dbos workflow, rollback journal"
    found = list(rivals({"saga": JOB}))
    ratio = any(isinstance(case, Case) for case in found)
    target, of = (Target(1 / 3), reference) if ratio else (None, None)
    return [
        Case(JOB, OURS, "Orchestrator.run", lambda: _saga("disk"), target, of=of),
        Case("a saga of three steps, no wait for the disk", OURS, "Orchestrator.run, SQLite", lambda: _saga("os")),
        Case("a saga of three steps, no wait for the disk", OURS, "Orchestrator.run, memory", _on_memory),
        *found,
    ]
