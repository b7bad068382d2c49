"""The current span in threads, tasks, executors, worker processes and forked children."""

import asyncio
import json
import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from tests.otlp_collector import Collector, from_json

from seawall.clock import Deadline
from seawall.errors import current_context, error_context
from seawall.observe.tracing import Carrying, FileExporter, Tracer, carry, current_span, extract, inject

# Forking a process with threads is what is tested.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


@pytest.fixture
def tracer():
    """One that keeps everything."""
    return Tracer("shop")


def parents(tracer):
    """name: (trace, name of the parent) of all kept spans."""
    spans = [span for trace in tracer.store.traces() for span in trace.spans]
    names = {span.span_id: span.name for span in spans}
    return {span.name: (span.trace_id, names.get(span.parent_id)) for span in spans}


def test_threads_begin_without_a_trace_and_carry_one(tracer):
    """A bare thread has none; what was carried may run any number of times, also at once."""
    barrier = threading.Barrier(3)

    def work(name, meet=True):
        with tracer.span(name):
            if meet:
                barrier.wait(30)

    with tracer.span("request", {}) as request, Deadline(60) as deadline:
        seen = []
        carried = carry(work)
        threads = [threading.Thread(target=carried, args=(f"w{n}",)) for n in range(3)]
        threads.append(threading.Thread(target=work, args=("bare", False)))
        threads.append(threading.Thread(target=carry(lambda: seen.append(Deadline.current()))))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = parents(tracer)
    assert {name: found[name] for name in ("w0", "w1", "w2")} == dict.fromkeys(
        ("w0", "w1", "w2"), (request.trace_id, "request")
    )
    assert found["bare"][0] != request.trace_id
    assert seen == [deadline]


def test_an_executor_carries_the_context_of_who_submits(tracer):
    """Of each submit its own, in submit and in map."""
    with Carrying(ThreadPoolExecutor(2)) as pool:
        with tracer.span("one") as one:
            first = pool.submit(lambda: current_span().span_id)
        with tracer.span("two") as two:
            mapped = list(pool.map(lambda _: current_span().span_id, range(3)))
        none = pool.submit(current_span)
        assert (first.result(), mapped, none.result()) == (one.span_id, [two.span_id] * 3, None)


async def test_tasks_see_the_span_they_were_made_in(tracer):
    """Also when they run after it has ended, and beside others."""

    async def work(name):
        await asyncio.sleep(0)
        with tracer.span(name):
            await asyncio.sleep(0)

    with tracer.span("a"):
        tasks = [asyncio.create_task(work(f"a{n}")) for n in range(3)]
    with tracer.span("b"):
        tasks += [asyncio.create_task(work(f"b{n}")) for n in range(3)]
        await asyncio.gather(*tasks)
    found = parents(tracer)
    assert {name: parent for name, (_, parent) in found.items()} == {
        "a": None, "b": None, **{f"{p}{n}": p for p in "ab" for n in range(3)},
    }  # fmt: skip


async def test_a_loops_executor_carries_what_is_carried(tracer):
    """run_in_executor carries nothing by itself."""
    with tracer.span("request") as span:
        loop = asyncio.get_running_loop()
        assert await loop.run_in_executor(None, carry(lambda: current_span().span_id)) == span.span_id
        assert await asyncio.to_thread(lambda: current_span().span_id) == span.span_id


def in_worker(path):
    """Runs in a process of its own; the file gets its span when the process ends."""
    tracer = Tracer("worker", exporters=[FileExporter(path, interval=3_600)])
    with tracer.span("in worker"):
        return inject({}), current_context().correlation_id


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_process_pool_carries_trace_and_correlation_id(tracer, tmp_path, method):
    """A worker's span is below the one it was submitted in, and is sent when the worker ends."""
    path = tmp_path / "traces.jsonl"
    pool = Carrying(ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)))
    with pool, tracer.span("request") as span, error_context(correlation_id="r-17"):
        headers, correlation = pool.submit(in_worker, str(path)).result(120)
        assert list(pool.map(extract, [{}, {}])) == [None, None]
    assert correlation == "r-17"
    (line,) = path.read_bytes().splitlines()
    (told,) = from_json(line).resource_spans[0].scope_spans[0].spans
    assert told.trace_id.hex() == span.trace_id == extract(headers).trace_id
    assert told.parent_span_id.hex() == span.span_id
    assert told.name == "in worker"


def forked(work):
    """What `work` returns in a forked child, as JSON."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.write(write, json.dumps(work()).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        text = answer.read()
    assert os.waitpid(pid, 0)[1] == 0
    return json.loads(text)


def test_forked_children_draw_other_ids(tracer):
    """Workers forked from one parent do not number their traces alike."""

    def draw():
        return [tracer.span("s").trace_id for _ in range(100)]

    drawn = [id_ for ids in (forked(draw), forked(draw), draw()) for id_ in ids]
    assert len(set(drawn)) == 300


def test_what_was_begun_before_a_fork_is_the_parents():
    """The child's spans are below it, are sent by the child, and the parent's are sent by the parent alone."""
    with Collector() as collector:
        from seawall.observe.tracing import OtlpExporter

        tracer = Tracer("shop", exporters=[OtlpExporter(collector.url, interval=3_600)])
        with tracer.span("before"):
            pass
        with tracer.span("request") as request:

            def child():
                with tracer.span("in child") as span:
                    pass
                request.end()
                return tracer.close(30), span.parent_id, tracer.exporters[0].stats().sent

            answer = forked(child)
        assert answer == [True, request.span_id, 1]
        assert tracer.close(30)
        assert collector.names() == {"before": 1, "request": 1, "in child": 1}
