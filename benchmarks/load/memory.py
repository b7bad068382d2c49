"""How large the generator grows with many answers outstanding, and what a call leaves allocated."""

from __future__ import annotations

import resource

from benchmarks._case import WrongAnswer
from benchmarks.load._ours import child, load
from benchmarks.load._section import Section, Target
from benchmarks.load._server import serving
from benchmarks.load._sizes import Sizes
from benchmarks.load._words import megabytes

_MOST = 300e6
_OTHER_FILES = 128
_RECORDED = 100_000
# What may stay of a run however many calls it made: caches of the interpreter, not calls.
_MOST_LEFT = 200


def measure(sizes: Sizes) -> list[Section]:
    """The size of the process, then blocks."""
    return [_outstanding(sizes), _allocations(sizes)]


def _outstanding(sizes: Sizes) -> Section:
    many, rate = sizes.connections, sizes.slow_rate
    section = Section(
        "Memory with answers outstanding",
        f"{many:,} requests at {rate:,} a second; the server answers each {sizes.answer_after:g} s late. So "
        "all are under way at once, each on a connection of its own. The server's own count of that is checked. Peak "
        "of the generator's process, the interpreter with all modules included.",
        ["", "before", "peak", "for each request"],
    )
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if limit != resource.RLIM_INFINITY and limit < many + _OTHER_FILES:
        section.notes.append(f"not measured: it needs {many + _OTHER_FILES:,} open files, `ulimit -Hn` is {limit:,}")
        return section
    with _raised_limit(), serving(answer_after=sizes.answer_after) as server:
        for name, engine in (("engine in C++", "native"), ("aiohttp", "aiohttp")):
            # aiohttp opens connections more slowly, and all must be open before the first answer.
            speed = rate if engine == "native" else min(rate, many / sizes.answer_after * 1.1)
            facts = load(
                server, rate=speed, seconds=many / speed, max_concurrency=many, engine=engine, timeout=30, interval=1
            )
            most = server.tell().most_waiting
            if engine == "native" and most != many:
                raise WrongAnswer(f"only {most:,} of {many:,} requests were under way at once")
            before, peak = facts["memory_before"], facts["memory"]
            each = f"{(peak - before) / many / 1e3:.1f} kB"
            section.add(f"seawall, {name}, {most:,} at once", megabytes(before), megabytes(peak), each)
            if engine == "native":
                section.targets.append(Target(f"at most {megabytes(_MOST)}", megabytes(peak), peak <= _MOST))
    return section


class _raised_limit:  # noqa: N801  # read as a statement
    """As many open files as the process may have, for the server as well, which inherits it."""

    def __enter__(self) -> None:
        self._soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (self._soft, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def _allocations(sizes: Sizes) -> Section:
    section = Section(
        "Allocations",
        "Blocks of memory of Python that are still there after a run of few and of many async calls "
        "(`sys.getallocatedblocks`, after collection), and around recording alone. That a thread of the engine in C++ "
        "allocates nothing after its start is a test with a counting `operator new`: csrc/tests/http_engine.",
        ["", "calls", "blocks left"],
    )
    facts = child("blocks", few=sizes.blocks[0], many=sizes.blocks[1])
    for name in ("few", "many"):
        section.add(f"seawall, async run of {name} calls", f"{facts[name]:,}", f"{facts[f'left_of_{name}']:,}")
    recorded = child("record", calls=_RECORDED)
    section.add("seawall, `start` and `end` of a call recorded", f"{recorded['calls']:,}", f"{recorded['left']:,}")
    grown = facts["left_of_many"] - facts["left_of_few"]
    if grown > _MOST_LEFT or recorded["left"] > _MOST_LEFT:
        raise WrongAnswer(f"{grown:,} more blocks after {facts['many']:,} calls than after {facts['few']:,}")
    words = f"{grown:+,} blocks for {facts['many'] - facts['few']:,} more calls"
    section.targets.append(Target("nothing is left that grows with the number of calls", words, grown <= _MOST_LEFT))
    section.notes.append(
        f"recording asked Python for at most {recorded['peak_bytes']:,} bytes at once in {recorded['calls']:,} calls: "
        "the numbers of the loop around it, which are freed at once"
    )
    section.notes.append(
        f"asyncio itself: a task with its coroutine is {facts['task_blocks']:.0f} blocks, {facts['task_bytes']:,.0f} "
        "bytes, while it has not ended; every async call in the open model is such a task"
    )
    return section
