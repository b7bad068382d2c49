"""`seawall compare` as people run it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from seawall.cli import main
from seawall.measure import Histogram, HlogInterval, LoadResult
from seawall.measure.load import Throughput, Verdict


def save(file: Path, *, scale: float = 1.0, each: int = 1000, verdict: Verdict | None = None) -> str:
    """Save a run of 20 blocks of log-normal times around 10 ms; return its name."""
    rng, whole, blocks = np.random.default_rng(len(file.name)), Histogram(), []
    for i in range(20):
        block = Histogram()
        block.record_many(scale * 0.01 * rng.lognormal(0.0, 0.3, each))
        whole.merge(block)
        blocks.append(HlogInterval(float(i), 1.0, None, block))
    n = each * 20
    counts = dict.fromkeys(("planned", "sent", "completed"), n)
    result = LoadResult(
        response_time=whole,
        service_time=whole,
        schedule_error=Histogram(),
        throughput=Throughput(20.0, (float(n),), (n,), (n,), (n,), (0,)),
        outcomes={"2xx": n},
        **counts,
        late=0,
        dropped=0,
        first_error=None,
        verdict=verdict or Verdict(True),
        duration=20.0,
        interrupted=False,
        blocks=tuple(blocks),
    )
    file.write_text(result.to_json())
    return str(file)


def run(*words: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["compare", *words])


def lines(result: Result) -> list[str]:
    """What was printed, without the layout."""
    return [" ".join(line.split()) for line in result.output.splitlines() if line.strip()]


def test_a_slower_run_is_exit_1(tmp_path: Path) -> None:
    """The table has each percentile with its interval, the errors and the verdict."""
    result = run(save(tmp_path / "a.json"), save(tmp_path / "after.json", scale=1.3))
    assert result.exit_code == 1, result.output
    told = lines(result)
    assert told[0] == "a b change interval at 95 % verdict"
    assert [line.split()[0] for line in told[2:7]] == ["P50", "P90", "P95", "P99", "errors"]
    assert all(line.endswith("slower") for line in told[2:6])
    assert told[6] == "errors 0.00% 0.00%"
    assert told[-1] == "slower (tolerance 5 %)"


def test_a_run_within_the_tolerance_or_faster_is_exit_0(tmp_path: Path) -> None:
    """What 5 % calls slower, a tolerance of a half calls the same; the other way round it is faster."""
    before, after = save(tmp_path / "a.json"), save(tmp_path / "after.json", scale=1.3)
    same = run(before, after, "--tolerance", "0.5")
    assert (same.exit_code, lines(same)[-1]) == (0, "same (tolerance 50 %)")
    faster = run(after, before, "--tolerance", "5 %", "--confidence", "90%")
    assert (faster.exit_code, lines(faster)[-1]) == (0, "faster (tolerance 5 %)")


def test_what_cannot_be_told_is_exit_4(tmp_path: Path) -> None:
    """Too few requests, or a generator that did not keep up, are said in words."""
    few = run(save(tmp_path / "a.json", each=10), save(tmp_path / "after.json", each=10))
    assert few.exit_code == 4, few.output
    assert "P99: 200 requests, 1,000 are needed" in lines(few)
    choked = Verdict(False, ("3 of 9 requests were never sent",))
    doubtful = run(save(tmp_path / "a.json"), save(tmp_path / "b.json", verdict=choked))
    assert doubtful.exit_code == 4, doubtful.output
    assert "run 1 of b: the generator was the bottleneck: 3 of 9 requests were never sent" in lines(doubtful)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["none.json", "none.json"],
            "a must be a file that can be read, got 'none.json': No such file or directory",
        ),
        (
            ["a", "b", "c"],
            "compare takes two sides, before and after, got 3; join several runs of a side by commas, give a folder of "
            "them, or name a baseline with --baseline",
        ),
        (
            ["a,,b", "c"],
            "side must be files joined by commas, got 'a,,b'; for example before-1.json,before-2.json",
        ),
        (
            ["a", "b", "--json", "/nowhere/at/all.json"],
            "json must be a file in a directory that exists, got '/nowhere/at/all.json'; make the directory first",
        ),
        (
            ["a", "b", "--tolerance", "little"],
            "Invalid value for '--tolerance': share must be a number or a percentage, got 'little'; "
            "for example 5% or 0.05",
        ),
        (
            ["a", "b", "--tolerance", "500%"],
            "tolerance must be between 0.001 and 1 of the time, got 5; 0.05 is 5 %",
        ),
    ],
)
def test_bad_usage_is_exit_2(words: list[str], message: str) -> None:
    """What cannot be read is refused with the value, the range and the way out."""
    result = run(*words)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {message}"


def test_a_side_may_be_several_files_or_a_folder(tmp_path: Path) -> None:
    """Files joined by commas, and a folder with all its *.json, are the same side; the table says how many runs."""
    before, after = tmp_path / "before", tmp_path / "after"
    for folder in (before, after):
        folder.mkdir()
    files = [save(before / f"run{'x' * i}.json") for i in range(3)]
    other = [save(after / f"run{'x' * i}.json", scale=1.3) for i in range(2)]
    joined, folders = run(",".join(files), ",".join(other)), run(str(before), str(after))
    assert (joined.exit_code, joined.output) == (1, folders.output)
    assert lines(joined)[0] == "a (3 runs) b (2 runs) change interval at 95 % verdict"
    odd = save(tmp_path / "a,b.json")
    assert run(odd, odd).exit_code == 0


def test_the_comparison_can_be_written_down(tmp_path: Path) -> None:
    """As JSON for programs and as Markdown for people; - is standard output, and the table goes to standard error."""
    before, after = save(tmp_path / "a.json"), save(tmp_path / "after.json", scale=1.3)
    facts, comment = tmp_path / "facts.json", tmp_path / "comment.md"
    assert run(before, after, "--json", str(facts), "--markdown", str(comment)).exit_code == 1
    assert json.loads(facts.read_text())["verdict"] == "slower"
    assert comment.read_text().startswith("### Load tests compared: **slower** (tolerance 5 %)\n")
    printed = run(before, after, "--json", "-")
    assert json.loads(printed.stdout) == json.loads(facts.read_text())
    assert "slower" in printed.stderr


def test_a_baseline_is_saved_listed_and_compared_with(tmp_path: Path) -> None:
    """A job can keep runs by name and fail on what is slower than they were."""
    folder = ["--folder", str(tmp_path / "kept")]
    before, after = save(tmp_path / "a.json"), save(tmp_path / "after.json", scale=1.3)
    saved = CliRunner().invoke(main, ["baseline", "save", "main", f"{before},{before}", *folder, "--revision", "abc"])
    assert (saved.exit_code, saved.output) == (0, "baseline 'main' has 2 runs now\n")
    shown = CliRunner().invoke(main, ["baseline", "list", *folder])
    assert [line.split()[0] for line in lines(shown)[2:]] == ["main", "main"]
    assert all(" abc " in line and " 20,000 " in line for line in lines(shown)[2:])
    assert run("--baseline", "main", before, *folder).exit_code == 0
    slower = run("--baseline", "main", after, after, *folder)
    assert slower.exit_code == 1
    assert lines(slower)[0] == "a (2 runs) b (2 runs) change interval at 95 % verdict"


def test_no_baseline_yet_has_an_exit_code_of_its_own(tmp_path: Path) -> None:
    """The first run of a job is told apart from a failure, or let through."""
    folder = str(tmp_path / "kept")
    after = save(tmp_path / "after.json")
    told = f"no baseline 'main' in {folder!r}: nothing to compare with; save one with `seawall baseline save`\n"
    first = run("--baseline", "main", after, "--folder", folder)
    assert (first.exit_code, first.output) == (5, told)
    allowed = run("--baseline", "main", after, "--folder", folder, "--allow-missing")
    assert (allowed.exit_code, allowed.output) == (0, told)
    none = CliRunner().invoke(main, ["baseline", "list", "--folder", folder])
    assert (none.exit_code, none.output) == (0, f"no baselines in {folder!r}\n")


def test_a_bad_name_of_a_baseline_is_exit_2(tmp_path: Path) -> None:
    """A name cannot be a path, neither to read nor to write."""
    file = save(tmp_path / "a.json")
    for words in (["baseline", "save", "../up", file], ["compare", "--baseline", "../up", file]):
        result = CliRunner().invoke(main, [*words, "--folder", str(tmp_path / "kept")])
        assert result.exit_code == 2
        assert result.stderr.splitlines()[-1] == (
            "Error: name of a baseline must be letters, digits and . _ -, at most 100, the first a letter or a digit, "
            "got '../up'; for example main or release-1.2"
        )
    assert not (tmp_path / "up").exists()
