"""`seawall tx` as people run it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seawall.cli import main
from seawall.distributed.transactions.saga import Orchestrator
from seawall.engines import open_engine

SHOP = """
from seawall.distributed.transactions.saga import Saga, Step
from seawall.errors import StepRefused
from seawall.guard.retry import Retry

broken = True


def ok(context):
    return context.step


def charge(context):
    if context.input["poor"]:
        raise StepRefused("card declined")


def release(context):
    if broken:
        raise ConnectionError("warehouse is shut")


once = Retry(1)
order = Saga(
    "order",
    Step("reserve", ok, release, compensation_retry=once),
    Step("charge", charge, pivot=True),
    Step("mail", ok),
)
sagas = [order]
nothing = 7
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A shop in the current directory, with an order that is done, one that is parked and one that waits."""
    name = f"shop_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(SHOP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("SEAWALL_ENGINE", "sqlite:///state.db?durability=os")
    monkeypatch.setenv("COLUMNS", "80")
    module = __import__(name)
    with open_engine("sqlite:///state.db?durability=os") as engine:
        orchestrator = Orchestrator(engine, module.sagas)
        orchestrator.run("order", {"poor": False}, id="rich")
        orchestrator.run("order", {"poor": True}, id="poor")
        orchestrator.start("order", {"poor": False}, id="waits")
    yield module
    del sys.modules[name]


def run(*words: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["tx", *words])


def lines(result: Result) -> list[str]:
    """What was printed, without the layout."""
    return [" ".join(line.split()) for line in result.output.splitlines() if line.strip()]


def states(*words: str) -> dict[str, str]:
    """Ids and states as a program reads them."""
    return {each["id"]: each["state"] for each in json.loads(run("list", "--json", *words).output)}


def test_list_shows_what_is_under_way_and_why_it_stands(shop):
    """Finished ones are asked for; every line fits into 80 columns."""
    result = run("list")
    assert result.exit_code == 0
    told = lines(result)
    assert told[0] == "id name state steps since"
    assert told[1].startswith("poor order parked 1/3 ")
    assert told[2] == "compensation of step 'reserve': ConnectionError: warehouse is shut"
    assert told[3].startswith("waits order running 0/3 ")
    assert max(map(len, result.output.splitlines())) <= 80
    assert states() == {"poor": "parked", "waits": "running"}
    assert states("--finished") == states("--state", "done") == {"rich": "done"}
    assert states("--state", "parked") == {"poor": "parked"}
    assert states("--kind", "saga", "--limit", "1") == {"poor": "parked"}
    assert lines(run("list", "--namespace", "other")) == ["no transactions"]


def test_show_tells_the_history_with_times(shop):
    """One line for each record, in words; as JSON with everything that was recorded."""
    told = lines(run("show", "poor"))
    assert told[0] == "saga poor order parked 1 of 3 steps"
    assert told[2].startswith("begun 20")
    assert [line.split(" s ", 1)[1] for line in told[3:] if line.startswith("+")] == [
        "begun saga order",
        "started reserve, attempt 1",
        "done reserve",
        "started charge, attempt 1",
        "failed charge: StepRefused: card declined (refused)",
        "back step 'charge': StepRefused: card declined",
        "started compensation of reserve, attempt 1",
        "failed compensation of reserve: ConnectionError: warehouse is shut",
        "parked compensation of step 'reserve': ConnectionError: warehouse is",
    ]
    found = json.loads(run("show", "poor", "--json").output)
    assert found["records"][0]["input"] == {"poor": True}
    assert found["records"][2]["result"] == "reserve"
    assert found["parked"]


def test_resume_goes_on_with_what_nobody_has(shop):
    """One, or all; a parked one stays parked, and says so by its exit code."""
    name = shop.__name__
    result = run("resume", "waits", "--sagas", f"{name}:sagas")
    assert (result.exit_code, lines(result)) == (0, ["saga waits done"])
    result = run("resume", "poor", "--sagas", f"{name}:order")
    assert result.exit_code == 1
    assert lines(result)[0].startswith("saga poor parked: compensation of step 'reserve'")
    result = run("resume", "--all", "--sagas", f"{name}:sagas")
    assert (result.exit_code, lines(result)) == (0, ["nothing to go on with"])


def test_retry_lets_a_parked_one_go_on(shop):
    """At once with its definitions, else for a worker; with the reason in the history."""
    result = run("retry", "poor", "--why", "perhaps now", "--by", "ada", "--sagas", f"{shop.__name__}:sagas")
    assert result.exit_code == 1
    shop.broken = False
    result = run("retry", "poor", "--why", "it is back", "--by", "ada", "--sagas", f"{shop.__name__}:sagas")
    assert (result.exit_code, lines(result)) == (
        0,
        ["saga poor compensated: step 'charge': StepRefused: card declined"],
    )
    assert "ordered retry, ada, it is back" in [line.split(" s ", 1)[-1] for line in lines(run("show", "poor"))]
    result = run("retry", "poor", "--why", "again")
    assert (result.exit_code, result.output) == (
        5, "Error: cannot retry saga 'poor': it is compensated, and nothing more can happen to it\n"
    )  # fmt: skip


def test_a_person_may_park_compensate_and_resolve(shop):
    """Each is a record with who and why; what is resolved is finished."""
    assert run("park", "waits", "--why", "the courier is on strike").exit_code == 0
    assert states() == {"poor": "parked", "waits": "parked"}
    result = run("compensate", "waits", "--why", "it takes too long", "--sagas", f"{shop.__name__}:sagas")
    assert (result.exit_code, lines(result)) == (0, ["saga waits compensated: it takes too long"])
    result = run("compensate", "poor", "--why", "again")
    assert result.exit_code == 5
    assert result.output == "Error: cannot compensate saga 'poor': it is compensating already; order retry\n"
    result = run("resolve", "poor", "--why", "released by hand")
    assert (result.exit_code, lines(result)) == (0, ["saga poor resolved: released by hand"])
    assert states() == {}


def test_an_orchestrator_of_another_log_is_refused(shop, tmp_path):
    """It would go on with something else than what is shown; one of this log, or a function that makes it, will do."""
    with open_engine("sqlite:///state.db?durability=os") as engine:
        shop.other = Orchestrator(engine, shop.sagas, namespace="other", owner="x")
        shop.make = lambda: Orchestrator(engine, shop.sagas)
        result = run("resume", "waits", "--sagas", f"{shop.__name__}:other")
        name = engine.name
        assert result.exit_code == 2
        assert result.output.splitlines()[-1] == (
            f"Error: sagas must have their log in {name} in 'transactions', got <Orchestrator 'x' of order on {name}>, "
            f"whose log is {name} in 'other'"
        )
        assert run("resume", "waits", "--sagas", f"{shop.__name__}:make").exit_code == 0


def test_what_cannot_be_done_has_its_exit_code(shop, tmp_path):
    """2 for bad usage, 3 for an engine that is not there, 4 for an id that is not there, 5 for what is owned."""
    for words, told in (
        (("resume", "waits"), "resume needs --sagas module:name: the code of its steps"),
        (("resume", "--sagas", "x:y"), "give the ID of one transaction, or --all"),
        (("show", "x", "--kind", "y"), "kind must be one that is known, got 'y'; for example saga"),
        (
            ("resume", "waits", "--sagas", f"{shop.__name__}:nothing"),
            f"sagas must be a Saga or Tcc, several, or an orchestrator, got '{shop.__name__}:nothing', which is 7",
        ),
        (("park", "x"), "Missing option '--why'."),
    ):
        result = run(*words)
        assert (result.exit_code, result.output.splitlines()[-1]) == (2, f"Error: {told}")
    assert run("list", "--engine", f"sqlite:///{tmp_path}/none/state.db").exit_code == 3
    result = run("show", "none")
    assert (result.exit_code, result.output) == (4, "Error: there is no saga 'none', or it has been pruned\n")
    with open_engine("sqlite:///state.db?durability=os") as engine:
        assert Orchestrator(engine, shop.sagas).log.own("saga", "waits") is not None
    result = run("park", "waits", "--why", "now")
    assert (result.exit_code, result.output) == (
        5, "Error: saga 'waits' is being worked on at present; try again later\n"
    )  # fmt: skip


def test_prune_forgets_what_ended_long_ago(shop):
    """And nothing else."""
    assert run("prune", "--older", "1h").output == "0 forgotten\n"
    assert json.loads(run("prune", "--older", "0s", "--json").output) == {"pruned": 1}
    assert states("--finished") == {}
    assert states() == {"poor": "parked", "waits": "running"}
