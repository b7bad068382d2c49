"""`seawall tx` on two-phase commits."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from seawall.cli import main

SHOP = """
from seawall.distributed.transactions import TransactionLog
from seawall.distributed.transactions.two_phase import TwoPhaseCommit, Vote
from seawall.engines import open_engine


class Part:
    name = "stock"
    away = True

    def prepare(self, transaction):
        return Vote.YES

    def commit(self, transaction):
        if self.away:
            raise OSError("gone")

    def abort(self, transaction):
        pass


OPENED = []


def coordinator():
    OPENED.append(open_engine("sqlite:///log.db"))
    return TwoPhaseCommit(TransactionLog(OPENED[-1]), [Part()], name="shop")


def repaired():
    Part.away = False
    return coordinator()
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `seawall tx` beside a module shop_2pc, whose one transaction has committed and not been told."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "shop_2pc.py").write_text(SHOP)
    import shop_2pc

    shop = shop_2pc.coordinator()
    with shop.transaction() as tx:
        tx.enlist("stock")
    assert tx.result is not None
    assert tx.result.untold == ("stock",)

    def run(*words: str) -> Result:
        there = [tx.id if word == "ID" else word for word in words]
        return CliRunner().invoke(main, ["tx", *there, "--engine", "sqlite:///log.db"])

    yield run
    for engine in shop_2pc.OPENED:
        engine.close()
    del sys.modules["shop_2pc"]


def test_what_is_to_be_told_is_listed_shown_and_resumed(run):
    """The list says committing; the history says who is to be told; resume tells it, and can be repeated."""
    (listed,) = json.loads(run("list", "--kind", "2pc", "--json").output)
    assert (listed["state"], listed["name"]) == ("committing", "stock")
    assert "commit decided; stock to be told" in run("show", "ID", "--kind", "2pc").output
    refused = run("resume", "ID", "--kind", "2pc", "--sagas", "shop_2pc:coordinator")
    assert refused.exit_code == 5
    assert "is not over (stock): committed, still to be told" in refused.output
    done = run("resume", "ID", "--kind", "2pc", "--sagas", "shop_2pc:repaired")
    assert (done.exit_code, done.output.split()[-1]) == (0, "committed")
    assert run("resume", "ID", "--kind", "2pc", "--sagas", "shop_2pc:repaired").exit_code == 0
    assert run("resume", "x", "--kind", "2pc", "--sagas", "shop_2pc:repaired").exit_code == 4
    assert json.loads(run("list", "--kind", "2pc", "--json").output) == []
    assert len(json.loads(run("list", "--kind", "2pc", "--state", "committed", "--json").output)) == 1


def test_all_can_be_resumed(run):
    """Every coordinator's transactions that nobody has."""
    done = run("resume", "--all", "--sagas", "shop_2pc:repaired", "--json")
    assert [each["state"] for each in json.loads(done.output)] == ["committed"]


def test_a_person_may_resolve_it_and_do_no_more(run):
    """Nobody changes a decision by an order."""
    assert run("compensate", "ID", "--kind", "2pc", "--why", "x").exit_code == 5
    assert run("resolve", "ID", "--kind", "2pc", "--why", "burnt down").exit_code == 0
    assert json.loads(run("list", "--kind", "2pc", "--json").output) == []
