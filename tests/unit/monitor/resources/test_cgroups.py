"""Control groups as recorded in tests/golden/cgroups, and what is read from them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.monitor.resources import container_limits
from seawall.monitor.resources._cgroup import _places as places
from seawall.monitor.resources._cgroup import _text as text
from seawall.monitor.resources._cgroup._container import Container, container

TREES = Path(__file__).resolve().parents[4] / "tests" / "golden" / "cgroups"
GOLDEN = TREES / "containers.json"
NAMES = sorted(path.stem for path in TREES.glob("*.txt"))


def files(name: str) -> dict[str, str]:
    """The files of a recorded tree, by path."""
    found: dict[str, str] = {}
    for part in ("\n" + (TREES / f"{name}.txt").read_text()).split("\n== ")[1:]:
        path, _, content = part.partition("\n")
        found[path] = content if content.endswith("\n") else content + "\n"
    return found


def lay(name: str, root: Path) -> Path:
    """The tree, as files below `root`."""
    for path, content in files(name).items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    return root


def read(name: str) -> Container:
    """What is read from a tree."""
    return container(files(name).get)


def told(name: str) -> dict[str, object]:
    """The same as plain data."""
    return {key: value for key, value in dataclasses.asdict(read(name)).items() if value not in (None, {})}


def table() -> str:
    """All trees, as the golden file has them."""
    return json.dumps({name: told(name) for name in NAMES}, indent=1) + "\n"


def test_what_is_read_from_every_tree_is_the_golden_file() -> None:
    """It changes only on purpose: `python -m tests.unit.monitor.resources.test_cgroups` rewrites it."""
    assert table() == GOLDEN.read_text()


@pytest.mark.parametrize("name", NAMES)
def test_the_same_is_read_from_real_files(name: str, tmp_path: Path) -> None:
    """Laid out in a directory that stands for the root."""
    assert container_limits(lay(name, tmp_path)) == read(name)


@pytest.mark.parametrize(
    ("name", "version", "cpus", "memory", "pids"),
    [
        ("v2-systemd", "v2", 1.5, 1 << 30, 4915),
        ("v2-kubernetes", "v2", 0.5, 256 << 20, 1024),
        ("v2-nested", "v2", 1.0, 512 << 20, 110),
        ("v1-docker", "v1", 1.5, 512 << 20, 200),
        ("v1-unlimited", "v1", None, None, 10813),
        ("v1-above", "v1", None, 128 << 20, None),
        ("hybrid-systemd", "hybrid", None, 24 << 30, None),
        ("none", "none", None, None, None),
        ("odd", "v2", None, None, 9),
    ],
)
def test_the_tightest_limit_of_all_groups_above_counts(
    name: str, version: str, cpus: float | None, memory: int | None, pids: int | None
) -> None:
    """By hand, from the files."""
    found = read(name)
    assert (found.version, found.cpu_limit, found.memory_limit, found.pids_limit) == (version, cpus, memory, pids)


def test_use_is_that_of_the_group_whose_limit_counts() -> None:
    """What its neighbours use counts against it too; file cache that can be dropped does not."""
    assert read("v2-systemd").memory_used == 734003200 - 104857600
    assert read("v2-nested").memory_used == 430000000
    assert read("v2-nested").pids == 55
    assert read("v1-docker").memory_used == 350000000
    assert read("hybrid-systemd").memory_used == 1500000000


def test_this_machine_has_groups_that_can_be_read() -> None:
    """Whatever they are."""
    found = container_limits()
    assert found.version in ("v1", "v2", "hybrid", "none")
    assert found.cpuset is None or found.cpuset > 0


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("max", None), ("-1", None), ("9223372036854771712", None), ("0", 0), (" 42\n", 42), ("4_2", None),
        ("٤٢", None), ("", None), (None, None), ("1e3", None), ("9" * 5000, None),
    ],
)  # fmt: skip
def test_numbers(said: str | None, meant: int | None) -> None:
    """And what stands for no limit."""
    assert text.number(said) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [("0-3", 4), ("0", 1), ("0-3,8,10-11", 7), ("", None), ("a-b", None), ("3-1", None), ("0-99999999999", None)],
)
def test_sets_of_processors(said: str, meant: int | None) -> None:
    """Ranges and single ones."""
    assert text.cpuset(said) == meant


def test_pressure_with_and_without_full() -> None:
    """Older kernels do not say it of processors."""
    found = text.pressure("some avg10=1.50 avg60=100.00 avg300=0.00 total=2500000\n")
    assert found == text.Pressure(text.Stalled(0.015, 1.0, 0.0, 2.5))
    assert text.pressure("full avg10=0.00 avg60=0.00 avg300=0.00 total=0") is None


LINES = st.text(st.sampled_from("0123456789-,. =:/max_somefullavgtotal\n\x00é"), max_size=200) | st.text(max_size=100)


@given(LINES)
def test_no_text_breaks_a_parser(rubbish: str) -> None:
    """What is not understood is None, and what is, is in its range."""
    for parse in (text.number, text.cpu_max, text.cpuset):
        found = parse(rubbish)
        assert found is None or found >= 0
    assert all(value >= 0 for value in text.fields(rubbish).values())
    pressure = text.pressure(rubbish)
    assert pressure is None or 0 <= pressure.some.avg10 <= 1


@given(LINES, LINES)
def test_no_text_breaks_the_search_for_groups(membership: str, mountinfo: str) -> None:
    """Also with a mount that fits."""
    mountinfo += "\n40 30 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw"
    found = places.places(places.memberships(membership + "\n0::" + membership), places.mounts(mountinfo))
    assert all(place.startswith("/") or place for place in found.unified)


@given(st.dictionaries(st.sampled_from(sorted(files("v2-nested"))), LINES))
def test_no_file_breaks_a_reading(rubbish: dict[str, str]) -> None:
    """Any of a tree's files may hold anything."""
    container((files("v2-nested") | rubbish).get)


@given(st.lists(st.sampled_from(["a", "b", "c.slice"]), max_size=5), st.integers(0, 5))
def test_groups_are_found_from_ones_own_to_the_top_that_is_mounted(names: list[str], depth: int) -> None:
    """For any place the mount begins at."""
    path, root = "/" + "/".join(names), "/" + "/".join(names[:depth])
    found = places.places(places.memberships(f"0::{path}"), places.mounts(f"1 2 0:1 {root} /cg rw - cgroup2 x rw"))
    below = names[depth:]
    assert found.unified == tuple("/".join(["/cg", *below[:count]]) for count in range(len(below), -1, -1))


if __name__ == "__main__":
    GOLDEN.write_text(table())
