"""DBOS: workflows whose steps are recorded in a database; on SQLite, as it comes and with a write-ahead log."""

from __future__ import annotations

import atexit
from functools import cache, partial
from typing import Any

from dbos import DBOS
from dbos._dbos import _get_dbos_instance

from benchmarks._case import Probe, WrongAnswer
from benchmarks._scratch import scratch_folder
from benchmarks.versus._kinds import Makers


@cache
def _workflow() -> Any:
    """The workflow of three steps; DBOS is one for a process, and so is its database."""
    DBOS(
        config={
            "name": "bench",
            "system_database_url": f"sqlite:///{scratch_folder() / 'dbos.db'}",
            "log_level": "ERROR",
            "run_admin_server": False,
        }
    )

    @DBOS.step()
    def add(x: int) -> int:
        return 1 + x

    @DBOS.workflow()
    def three(x: int) -> list[int]:
        first = add(x)
        second = add(first)
        return [first, second, add(first + second)]

    DBOS.launch()
    atexit.register(DBOS.destroy)
    return three


def _settle(journal: str) -> None:
    """All connections from here on use this journal; the mode is kept in the file, the level in each connection."""
    engine = _get_dbos_instance()._sys_db.engine
    engine.dispose()
    with engine.connect() as connection:
        mode = connection.exec_driver_sql(f"PRAGMA journal_mode = {journal}").scalar()
        level = connection.exec_driver_sql("PRAGMA synchronous").scalar()
    if (mode, level) != (journal, 2):
        raise WrongAnswer(f"journal_mode is {mode}, synchronous {level}; {journal} and 2 are to be measured")


def _saga(journal: str) -> Probe:
    three = _workflow()
    _settle(journal)
    three(1)
    if [step["function_name"].rpartition(".")[2] for step in DBOS.list_workflow_steps(_last_id())] != ["add"] * 3:
        raise WrongAnswer("the steps of a workflow are not recorded")
    return Probe("three(1)", {"three": three}, lambda value: value == [2, 3, 6], reset=partial(_settle, journal))


def _last_id() -> str:
    return DBOS.list_workflows(limit=1, sort_desc=True)[0].workflow_id


def saga() -> Makers:
    """A workflow of three steps."""
    return {
        "workflow, rollback journal": lambda: _saga("delete"),
        "workflow, write-ahead log": lambda: _saga("wal"),
    }
