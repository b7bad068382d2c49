"""Several orchestrators that want one saga: one has it at a time, and only that one writes."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.contract.saga_ground import KINDS, LOST, bring_to_its_end
from tests.saga_world import World, saga_of

from seawall.distributed.transactions.saga import Orchestrator, Saga, Step, StepContext
from seawall.engines import open_engine
from seawall.errors import TransactionBusy

pytestmark = [pytest.mark.proof, pytest.mark.parametrize("backend", KINDS, indirect=True)]


def test_threads_that_want_one_saga_take_turns(ground):
    """Of eight that begin it at once one does all of it; the others find it busy, or done."""
    inside, most = 0, 0
    lock, start = threading.Lock(), threading.Barrier(8)

    def act(context: StepContext) -> int:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        with lock:
            inside -= 1
        return threading.get_ident()

    saga = Saga("raced", *(Step(name, act) for name in "abcdef"))
    with open_engine(ground.url) as engine:

        def begin(number: int) -> Any:
            orchestrator = Orchestrator(engine, [saga], owner=f"o{number}", namespace=ground.namespace)
            start.wait()
            try:
                return orchestrator.run("raced", {}, id="1")
            except TransactionBusy as error:
                return str(error)
            finally:
                orchestrator.close()

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(begin, range(8)))
        history = Orchestrator(engine, [saga], namespace=ground.namespace).log.load("saga", "1")
    assert most == 1
    assert history.finished
    whats = [entry.what for entry in history.entries]
    assert whats == ["begun", *["started", "done"] * 6, "finished"]
    assert len({entry.data["result"] for entry in history.entries if entry.what == "done"}) == 1
    busy = "saga '1' is run by another orchestrator at present; ask for its status, or again later"
    assert {answer if isinstance(answer, str) else answer.state for answer in answers} <= {busy, "done"}


@pytest.mark.parametrize("seed", [1, 3])
def test_who_was_stopped_beyond_its_claim_writes_nothing_more(ground, seed):
    """SIGSTOP at every place; another brings the saga to its end; then the first wakes up and is refused."""
    ground.parallel = False  # no other thread is stopped in the middle of a transaction
    with open_engine(ground.url) as engine:
        places = ground.life(seed, "whole", -1)
        codes = set()
        for at in range(places):
            id = f"stopped-{at}"
            pid, reading = ground.born(seed, id, at, signal.SIGSTOP)
            _, status = os.waitpid(pid, os.WUNTRACED)
            if os.WIFSTOPPED(status):
                codes.add(_overtake(ground, engine, seed, id, pid))
            os.close(reading)
        assert codes == {0, LOST}


def _overtake(ground: Any, engine: Any, seed: int, id: str, pid: int) -> int:
    ground.expire()
    try:
        ended = bring_to_its_end(ground, engine, seed, id)
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    world = World(ground.database, seed)
    log = Orchestrator(engine, [saga_of(world, parallel=False)], namespace=ground.namespace).log
    before, effects = log.load("saga", id), world.effects(id)
    os.kill(pid, signal.SIGCONT)
    _, status = os.waitpid(pid, 0)
    if ended == "never begun":  # it was stopped before it began, and begins now
        assert bring_to_its_end(ground, engine, seed, id) != "never begun"
    else:
        assert log.load("saga", id) == before
        assert world.effects(id) == effects
    world.close()
    return os.waitstatus_to_exitcode(status)
