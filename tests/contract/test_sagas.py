"""A saga is the same on every engine."""

from __future__ import annotations

from typing import Any

import pytest

from seawall.distributed.transactions.saga import Orchestrator, Parallel, Saga, Step
from seawall.engines import Engine
from seawall.errors import StepRefused, TransactionExists


@pytest.fixture
def faced(backend: Any, engine: Engine, namespace: str, runner: Any) -> Any:
    """Runs an orchestrator's calls on either face."""
    if "journal" not in backend.ports:
        pytest.skip(f"{backend.name} has no journal")

    def refuse(context: Any) -> None:
        raise StepRefused("no")

    def act(context: Any) -> str:
        return context.key

    bought = Saga("bought", Step("a", act, act), Parallel(Step("b", act, act), Step("c", act, act)), Step("d", act))
    refused = Saga("refused", Step("a", act, act), Step("b", act, act), Step("c", refuse, act))
    with Orchestrator(engine, [bought, refused], namespace=namespace) as orchestrator:

        def call(name: str, *args: Any, **kwargs: Any) -> Any:
            if runner is None:
                return getattr(orchestrator, name)(*args, **kwargs)

            async def made() -> Any:
                return await getattr(orchestrator, f"{name}_async")(*args, **kwargs)

            return runner.run(made())

        yield call


def test_a_saga_is_done_or_undone_on_every_engine(faced):
    """Begun once by its id, found afterwards, recovered when it was only begun, and pruned."""
    done = faced("run", "bought", [1], id="1")
    assert (done.state, dict(done.results)) == ("done", {name: f"1/{name}" for name in "abcd"})
    assert faced("run", "bought", [1], id="1") == faced("status", "1") == faced("resume", "1") == done
    with pytest.raises(TransactionExists):
        faced("run", "bought", [2], id="1")
    undone = faced("run", "refused", id="2")
    assert (undone.state, undone.reason) == ("compensated", "step 'c': StepRefused: no")
    assert faced("start", "bought", id="3").state == "running"
    assert [(each.id, each.state) for each in faced("recover")] == [("3", "done")]
    assert faced("recover") == []
    assert faced("prune", older=0) == 3
    assert faced("status", "1") is None


def test_a_person_decides_on_every_engine(faced):
    """Parked, sent back, and done by whoever resumes; another is resolved."""
    for id in ("1", "2"):
        faced("start", "bought", id=id)
        assert faced("order", id, "park", by="ada", why="wait").state == "parked"
    assert faced("recover") == []
    faced("order", "1", "compensate", by="ada", why="no more")
    assert faced("resume", "1").state == "compensated"
    assert faced("order", "2", "resolve", by="ada", why="by hand").state == "resolved"
    assert faced("status", "2").reason == "by hand"
