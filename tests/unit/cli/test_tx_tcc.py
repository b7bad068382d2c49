"""`seawall tx` for TCCs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seawall.cli import main
from seawall.distributed.transactions.tcc import Coordinator
from seawall.engines import open_engine

SHOP = """
from seawall.distributed.transactions.tcc import Branch, Tcc
from seawall.guard.retry import Retry

broken = True


def ok(context):
    return context.branch


def confirm(context):
    if broken:
        raise ConnectionError("warehouse is shut")


order = Tcc("order", Branch("stock", ok, confirm, ok, confirm_retry=Retry(1)), Branch("payment", ok, ok, ok))
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A shop in the current directory, with an order that is parked and two that wait."""
    name = f"shop_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(SHOP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("SEAWALL_ENGINE", "sqlite:///state.db?durability=os")
    module = __import__(name)
    with open_engine("sqlite:///state.db?durability=os") as engine:
        coordinator = Coordinator(engine, [module.order])
        coordinator.run("order", id="stuck")
        coordinator.start("order", id="waits")
        coordinator.start("order", id="unwanted")
        coordinator.close()
    yield module
    del sys.modules[name]


def run(*words: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["tx", *words])


def states(*words: str) -> dict[str, str]:
    """Ids and states as a program reads them."""
    return {each["id"]: each["state"] for each in json.loads(run("list", "--json", *words).output)}


def test_tccs_are_listed_shown_and_gone_on_with(shop):
    """As sagas are; confirmed and cancelled are ends that went as they should."""
    assert states("--kind", "tcc") == {"stuck": "parked", "waits": "trying", "unwanted": "trying"}
    shown = run("show", "stuck", "--kind", "tcc").output
    assert "confirm of stock: ConnectionError: warehouse is shut" in " ".join(shown.split())
    code = f"{shop.__name__}:order"
    assert run("resume", "waits", "--kind", "tcc", "--sagas", code).exit_code == 1
    shop.broken = False
    done = run("retry", "stuck", "--kind", "tcc", "--why", "repaired", "--sagas", code)
    assert (done.exit_code, states("--state", "confirmed")) == (0, {"stuck": "confirmed"})
    done = run("compensate", "unwanted", "--kind", "tcc", "--why", "not wanted", "--sagas", code)
    assert (done.exit_code, states("--state", "cancelled")) == (0, {"unwanted": "cancelled"})


def test_a_decided_tcc_cannot_be_cancelled(shop):
    """Branches may have been confirmed."""
    refused = run("compensate", "stuck", "--kind", "tcc", "--why", "enough")
    assert refused.exit_code == 5
    assert refused.output == (
        "Error: cannot compensate tcc 'stuck': it was decided to confirm it, and branches may have been confirmed\n"
    )
