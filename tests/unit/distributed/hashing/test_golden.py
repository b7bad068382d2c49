"""The contract of the stable hash, and of everything that stands on it, in numbers: tests/golden/hashing.json."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.oracles import hashing as oracle

from seawall.distributed.hashing import Maglev, Rendezvous, Ring, jump, stable_hash

ROOT = Path(__file__).resolve().parents[4]
GOLDEN = ROOT / "tests" / "golden" / "hashing.json"
TEXTS = ["", "a", "abc", "user:42", "h\u00e9llo \u4e16\u754c \U0001f30a", "x" * 31, "y" * 32, "z" * 100]
BYTES = [b"", b"\x00", b"abc", bytes(range(64))]
NUMBERS = [0, 1, 42, -1, 2**63 - 1, -(2**63), 2**64 - 1]
WEIGHTS = {"cache-1": 1.0, "cache-2": 1.0, "cache-3": 2.0, "\u00fcber": 0.5}
KEYS = [f"user:{n}" for n in range(12)]


def vectors() -> dict[str, Any]:
    """What this build answers."""
    alike = list(WEIGHTS)
    return {
        "str": {text: f"{stable_hash(text):016x}" for text in TEXTS},
        "bytes": {raw.hex(): f"{stable_hash(raw):016x}" for raw in BYTES},
        "int": {str(number): f"{stable_hash(number):016x}" for number in NUMBERS},
        "jump": {key: [jump(key, buckets) for buckets in (1, 2, 10, 1_000, 2**31 - 1)] for key in KEYS},
        "weights": WEIGHTS,
        "ring": {key: Ring(WEIGHTS).nodes(key, 4) for key in KEYS},
        "rendezvous": {key: Rendezvous(WEIGHTS).nodes(key, 4) for key in KEYS},
        "rendezvous alike": {key: Rendezvous(alike).nodes(key, 4) for key in KEYS},
        "maglev": {key: Maglev(WEIGHTS).node(key) for key in KEYS},
        "maglev of 13 slots": [Maglev(alike, slots=13).node(key) for key in KEYS],
    }


def written(answers: dict[str, Any]) -> str:
    """As the file has them."""
    return json.dumps(answers, indent=1, ensure_ascii=True) + "\n"


def test_the_golden_vectors_hold() -> None:
    """They never change; `python -m tests.unit.distributed.hashing.test_golden` adds new ones."""
    assert written(vectors()) == GOLDEN.read_text()


def test_the_description_alone_gives_the_golden_vectors() -> None:
    """Plain Python after docs/reference/stable-hash.md answers the same."""
    golden = json.loads(GOLDEN.read_text())
    assert {text: f"{oracle.stable_hash(text):016x}" for text in golden["str"]} == golden["str"]
    assert {raw: f"{oracle.stable_hash(bytes.fromhex(raw)):016x}" for raw in golden["bytes"]} == golden["bytes"]
    assert {text: f"{oracle.stable_hash(int(text)):016x}" for text in golden["int"]} == golden["int"]
    points = oracle.ring_points(golden["weights"], 160)
    assert {key: oracle.ring_order(points, key) for key in KEYS} == golden["ring"]
    assert {key: oracle.rendezvous_order(golden["weights"], key) for key in KEYS} == golden["rendezvous"]
    table = oracle.maglev_table(golden["weights"], 65_537)
    assert {key: table[oracle.stable_hash(key) % 65_537] for key in KEYS} == golden["maglev"]


@pytest.mark.parametrize("seed", ["0", "1", "12345"])
def test_every_process_gives_the_same_answers(seed: str) -> None:
    """Whatever PYTHONHASHSEED is."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.distributed.hashing.test_golden", "--show"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == GOLDEN.read_text()


if __name__ == "__main__":
    if "--show" in sys.argv:
        sys.stdout.write(written(vectors()))
    else:
        GOLDEN.write_text(written(vectors()))
