"""Those who do what a course says: a thread, or a task."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from seawall._callables import is_coroutine_function
from seawall.distributed.transactions._conducting._course import Ask, Await, Course, End, Pause, Task
from seawall.distributed.transactions._log import TransactionLog
from seawall.distributed.transactions._records import as_json
from seawall.engines.operation import driver_of, perform, perform_async
from seawall.errors import is_cancellation

R = TypeVar("R")


def run(log: TransactionLog, course: Course[R]) -> R:
    """Do what a course says, in this thread; branches that run at the same time get threads of their own."""
    driver, flight = driver_of(log), _Threads()

    def do(step: Ask | Pause | Await) -> Any:
        try:
            if isinstance(step, Ask):
                return driver.run(step.operation)
            return driver.clock.sleep(step.seconds) if isinstance(step, Pause) else flight.ends(step)
        except BaseException:
            # What is under way ends first: nobody else may take the transaction over as long as it runs.
            flight.close()
            raise

    try:
        return perform(course, do)
    finally:
        flight.close()


async def run_async(log: TransactionLog, course: Course[R]) -> R:
    """Do what a course says, in this task."""
    driver, flight = driver_of(log), _Tasks()

    async def do(step: Ask | Pause | Await) -> Any:
        try:
            if isinstance(step, Ask):
                return await driver.run_async(step.operation)
            return await (driver.clock.sleep_async(step.seconds) if isinstance(step, Pause) else flight.ends(step))
        except BaseException:
            await flight.close()
            raise

    try:
        return await perform_async(course, do)
    finally:
        await flight.close()


class _Threads:
    """Tasks under way in threads; a single one runs in the caller's own."""

    def __init__(self) -> None:
        self.futures: set[Future[End]] = set()
        self._pool: ThreadPoolExecutor | None = None

    def ends(self, step: Await) -> list[End]:
        if len(step.tasks) == 1 and step.seconds is None and not self.futures:
            return [_perform(step.tasks[0])]
        for task in step.tasks:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(64, thread_name_prefix="seawall-step")
            self.futures.add(self._pool.submit(contextvars.copy_context().run, _perform, task))
        done, self.futures = wait(self.futures, timeout=step.seconds, return_when=FIRST_COMPLETED)
        return [future.result() for future in done]

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True)
        self.futures = set()


class _Tasks:
    """Tasks under way in tasks; a single one runs in the caller's own."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[End]] = set()

    async def ends(self, step: Await) -> list[End]:
        if len(step.tasks) == 1 and step.seconds is None and not self.tasks:
            return [await _perform_async(step.tasks[0])]
        self.tasks.update(asyncio.create_task(_perform_async(task)) for task in step.tasks)
        done, self.tasks = await asyncio.wait(self.tasks, timeout=step.seconds, return_when=asyncio.FIRST_COMPLETED)
        return [task.result() for task in done]

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await _outlast(self.tasks)
        self.tasks = set()


def _perform(task: Task) -> End:
    action, guard = task.action, task.guard
    try:
        if is_coroutine_function(action):
            result = asyncio.run(action(task.context) if guard is None else guard.call_async(action, task.context))
        else:
            result = action(task.context) if guard is None else guard.call(action, task.context)
        return End(task.call, as_json(result, f"the result of step {task.call[0]!r}"))
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is how the step ended
        return _failed(task, error)


async def _perform_async(task: Task) -> End:
    action, guard = task.action, task.guard
    try:
        if is_coroutine_function(action):
            made = action(task.context) if guard is None else guard.call_async(action, task.context)
            result = await made
        elif guard is None:
            result = await _in_thread(action, task.context)
        else:
            result = await _in_thread(guard.call, action, task.context)
        return End(task.call, as_json(result, f"the result of step {task.call[0]!r}"))
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is how the step ended
        return _failed(task, error)


async def _in_thread(call: Callable[..., Any], *args: Any) -> Any:
    """Run it in a thread to its end, also when cancelled: as long as it runs, nobody else may begin it again."""
    running = asyncio.ensure_future(asyncio.to_thread(call, *args))
    await _outlast({running})
    return running.result()


async def _outlast(tasks: set[asyncio.Task[Any]]) -> None:
    """Wait for their ends, and only then be cancelled."""
    cancelled: asyncio.CancelledError | None = None
    while left := {task for task in tasks if not task.done()}:
        try:
            await asyncio.wait(left)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        for task in tasks:
            if not task.cancelled():
                task.exception()  # seen: nobody else will ask
        raise cancelled


def _failed(task: Task, error: Exception) -> End:
    if is_cancellation(error):
        raise error
    return End(task.call, error=error)
