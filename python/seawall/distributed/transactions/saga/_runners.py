"""Those who do what a course says: a thread, or a task."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from seawall._callables import is_coroutine_function
from seawall.distributed.transactions._log import TransactionLog
from seawall.distributed.transactions._records import as_json
from seawall.distributed.transactions.saga._course import Ask, Await, Course, End, Pause, Task
from seawall.engines.operation import driver_of
from seawall.errors import is_cancellation

R = TypeVar("R")


def run(log: TransactionLog, course: Course[R]) -> R:
    """Do what a course says, in this thread; branches that run at the same time get threads of their own."""
    driver, flight = driver_of(log), _Threads()
    reply: Any = None
    error: BaseException | None = None
    try:
        while True:
            try:
                step = course.send(reply) if error is None else course.throw(error)
            except StopIteration as done:
                result: R = done.value
                return result
            reply, error = None, None
            try:
                if isinstance(step, Ask):
                    reply = driver.run(step.operation)
                elif isinstance(step, Pause):
                    driver.clock.sleep(step.seconds)
                else:
                    reply = flight.ends(step)
            except BaseException as raised:  # noqa: BLE001 -- the course's to handle, also cancellation
                # What is under way ends first: nobody else may take the saga over as long as it runs.
                flight.close()
                error = raised
    finally:
        flight.close()


async def run_async(log: TransactionLog, course: Course[R]) -> R:
    """Do what a course says, in this task."""
    driver, flight = driver_of(log), _Tasks()
    reply: Any = None
    error: BaseException | None = None
    try:
        while True:
            try:
                step = course.send(reply) if error is None else course.throw(error)
            except StopIteration as done:
                result: R = done.value
                return result
            reply, error = None, None
            try:
                if isinstance(step, Ask):
                    reply = await driver.run_async(step.operation)
                elif isinstance(step, Pause):
                    await driver.clock.sleep_async(step.seconds)
                else:
                    reply = await flight.ends(step)
            except BaseException as raised:  # noqa: BLE001 -- the course's to handle, also cancellation
                await flight.close()
                error = raised
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
                self._pool = ThreadPoolExecutor(64, thread_name_prefix="seawall-saga")
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
