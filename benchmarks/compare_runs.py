"""`python -m benchmarks.compare_runs`: how often `compare` is right about a real server.

Every run has a server process of its own. Runs of the plain and of the slowed server take turns; neighbours are
compared as a slow-down, and of each server every two runs in a row as no change. So each run is in one comparison of
each kind, and the comparisons of a kind do not depend on each other.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks._machine import machine_line
from seawall.measure import Comparison, Constant, LoadResult, LoadTest, compare

RESULT = Path(__file__).parent / "results" / "compare.md"
WORDS = ("slower", "cannot tell", "same", "faster")
ALLOWED, WANTED = 0.05, 0.9


@contextmanager
def serving(median: float, sigma: float, seed: int) -> Iterator[str]:
    """The URL of a server in a process of its own, which ends with the block."""
    command = [sys.executable, "-m", "benchmarks._delayed", str(median), str(sigma), str(seed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
        finally:
            process.stdin.close()
            process.wait(10)


def one_run(asked: argparse.Namespace, slower: float, seed: int) -> LoadResult:
    """A load test of a fresh server, after a short warm-up that is not measured."""
    with serving(asked.median * 1e-3 * (1 + slower), asked.sigma, seed) as url:
        LoadTest(url, Constant(asked.rate), duration=0.3).run()
        return LoadTest(url, Constant(asked.rate), duration=asked.seconds).run()


def all_runs(asked: argparse.Namespace) -> tuple[list[LoadResult], list[LoadResult]]:
    """The runs of the plain and of the slowed server, in turns."""
    plain: list[LoadResult] = []
    slowed: list[LoadResult] = []
    for i in range(asked.times):
        plain.append(one_run(asked, 0.0, 2 * i))
        slowed.append(one_run(asked, asked.slower / 100, 2 * i + 1))
    return plain, slowed


def compared(asked: argparse.Namespace) -> dict[str, list[Comparison]]:
    """All comparisons, by what is true of them."""
    plain, slowed = all_runs(asked)
    pairs = [(side[i], side[i + 1]) for side in (plain, slowed) for i in range(0, len(side) - 1, 2)]
    tolerance = asked.tolerance / 100
    return {
        "the same server": [compare(a, b, tolerance=tolerance) for a, b in pairs],
        f"{asked.slower:g} % more delay": [
            compare(a, b, tolerance=tolerance) for a, b in zip(plain, slowed, strict=True)
        ],
    }


def document(asked: argparse.Namespace, found: dict[str, list[Comparison]], took: float) -> str:
    """The Markdown page."""
    lines = ["# compare", "", machine_line(["aiohttp"]), ""]
    lines += ["Written by `python -m benchmarks.compare_runs --write`.", "", __doc__.split("\n\n", 1)[1].strip(), ""]
    lines += [
        f"{asked.rate:g} requests a second for {asked.seconds:g} s; delay: median {asked.median:g} ms, "
        f"sigma {asked.sigma:g}; tolerance {asked.tolerance:g} %, confidence 95 %. All in {took / 60:.1f} minutes.",
        "",
        f"| truth | comparisons | {' | '.join(WORDS)} | target | change of P50 |",
        "|---|--:|--:|--:|--:|--:|---|--:|",
    ]
    targets = (f"slower in at most {ALLOWED:.0%}", f"slower in at least {WANTED:.0%}")
    for (truth, comparisons), target in zip(found.items(), targets, strict=True):
        counts = Counter(one.verdict for one in comparisons)
        changes = sorted(one.differences[0].change for one in comparisons)
        cells = [str(counts[word]) for word in WORDS]
        middle = f"{changes[len(changes) // 2]:+.1%} ({changes[0]:+.1%} to {changes[-1]:+.1%})"
        lines.append(f"| {truth} | {len(comparisons)} | {' | '.join(cells)} | {target} | {middle} |")
    return "\n".join([*lines, *_reasons(found), ""])


def _reasons(found: dict[str, list[Comparison]]) -> list[str]:
    doubts = Counter(one.split(": ")[1] for side in found.values() for c in side for one in c.doubts)
    return (
        ["", *(f"- cannot tell: {doubt}, in {times} runs compared" for doubt, times in sorted(doubts.items()))]
        if doubts
        else []
    )


def options() -> argparse.Namespace:
    """What was asked on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare_runs", description=__doc__)
    parser.add_argument("--times", type=int, default=100, help="comparisons of each kind, an even number")
    parser.add_argument("--rate", type=float, default=800.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=2.5, help="length of a run")
    parser.add_argument("--median", type=float, default=2.0, help="of the delay, in milliseconds")
    parser.add_argument("--sigma", type=float, default=0.1, help="of the delay's logarithm")
    parser.add_argument("--slower", type=float, default=5.0, help="how much more delay, in percent")
    parser.add_argument("--tolerance", type=float, default=1.0, help="in percent")
    parser.add_argument("--write", action="store_true", help=f"rewrite {RESULT.relative_to(RESULT.parents[2])}")
    asked = parser.parse_args()
    if asked.times < 2 or asked.times % 2:
        parser.error(f"--times must be an even number from 2, got {asked.times}; runs are compared in pairs")
    return asked


def main() -> None:
    """Measure, print and perhaps keep."""
    asked, start = options(), time.monotonic()
    found = compared(asked)
    page = document(asked, found, time.monotonic() - start)
    print(page)
    if asked.write:
        RESULT.write_text(page)


if __name__ == "__main__":
    main()
