"""Goodput behind an adaptive limit and behind static ones, on this machine; about 20 s."""

from __future__ import annotations

import argparse

from benchmarks.adaptive._run import PATIENCE, RATE, played
from benchmarks.adaptive._server import MEAN, WORKERS

STATIC = ("8", "12", "16", "32", "100")


def main() -> None:
    """Run and tell, as a table for the documents."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each static run; the adaptive one takes 3 times")
    asked = parser.parse_args()
    print(f"{WORKERS} workers of {MEAN * 1e3:g} ms, {RATE} requests/s by chance, callers wait {PATIENCE * 1e3:g} ms\n")
    print("| limit | answered in time, 1/s | refused, 1/s | too late, 1/s |\n|---|---|---|---|")
    static = [played(limit, asked.seconds) for limit in STATIC]
    adaptive = played("adaptive", 3 * asked.seconds)
    for one in (*static, adaptive):
        end = f", {one.stats['limit']} at the end" if one is adaptive else ""
        print(f"| {one.limit}{end} | {one.goodput:.0f} | {one.refused:.0f} | {one.late:.0f} |")
    best = max(static, key=lambda one: one.goodput)
    print(f"\n{adaptive.goodput / best.goodput:.1%} of the best static limit, {best.limit}")


if __name__ == "__main__":
    main()
