"""A call that may hang, made where it can keep nobody."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import Context
from typing import Any

from seawall._callables import is_coroutine_function
from seawall.clock import AsyncBell, Bell, Clock, Deadline


class Flight:
    """One call under way: of a coroutine function as a task of the loop that asks, of anything else in a thread.

    Guarantees: whoever waits for it waits no longer than until `until_ns`. A thread is a daemon of its own, so that one
    that hangs neither takes a place in a pool nor keeps the interpreter from exiting. The call sees nothing of the
    context of whoever happened to start it; a `Deadline` of its own time is in force in it.

    Thread safety: yes; any number of threads and loops may wait for it.

    Args:
        fn: Called without arguments; may return an awaitable.
        seconds: Its time.
        clock: What measures it.
        name: Of its thread.
        task: Call a coroutine function in a task of the running loop; else in a loop of the thread's own.
    """

    __slots__ = ("_fn", "_given_up", "_loop", "_pid", "_seconds", "_task", "clock", "future", "started_ns", "until_ns")

    def __init__(self, fn: Callable[[], Any], seconds: float, clock: Clock, name: str, *, task: bool) -> None:
        # What can do both blocks its own thread rather than start a loop there.
        self._fn: Callable[[], Any] = fn if task else getattr(fn, "blocking", fn)
        self._seconds = seconds
        self._given_up = False
        self._pid = os.getpid()
        self.clock = clock
        self.future: Future[Any] = Future()
        self.started_ns = clock.now_ns()
        self.until_ns = self.started_ns + round(seconds * 1e9)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        if task and is_coroutine_function(fn):
            self._start_task()
        else:
            threading.Thread(target=Context().run, args=(self._run,), name=name, daemon=True).start()

    @property
    def done(self) -> bool:
        """Whether the call has ended."""
        return self.future.done()

    @property
    def lost(self) -> bool:
        """Whether it was under way in the process that this one was forked from: here it never ends."""
        return not self.done and self._pid != os.getpid()

    @property
    def overdue(self) -> bool:
        """Whether its time is up and it has not ended."""
        return not self.done and self.clock.now_ns() >= self.until_ns

    def wait(self) -> None:
        """Wait until it has ended or its time is up."""
        bell = Bell()
        self.future.add_done_callback(lambda _: bell.ring())
        while not self.done and not self.overdue:
            self.clock.park(bell, self.until_ns)

    async def wait_async(self) -> None:
        """`wait` for a task."""
        bell = AsyncBell()
        self.future.add_done_callback(lambda _: bell.ring())
        while not self.done and not self.overdue:
            await self.clock.park_async(bell, self.until_ns)

    def give_up(self) -> None:
        """Nobody waits for it any more: a coroutine is cancelled, a plain function runs on."""
        self._given_up = True
        loop, task = self._loop, self._task
        if loop is not None and task is not None and not self.done:
            with contextlib.suppress(RuntimeError):  # the loop has closed, and the task with it
                loop.call_soon_threadsafe(task.cancel)

    def _start_task(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._await(self._fn), context=Context())
        self._task.add_done_callback(self._ended)

    async def _await(self, fn: Callable[[], Any]) -> Any:
        try:
            with Deadline(self._seconds, clock=self.clock):
                return await fn()
        except SystemExit as error:  # a task would throw it into the loop, and so end the service
            self.future.set_exception(error)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if self.future.done():
            return
        if task.cancelled():
            self.future.set_exception(asyncio.CancelledError())
        elif (error := task.exception()) is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(task.result())

    def _run(self) -> None:
        try:
            with Deadline(self._seconds, clock=self.clock):
                answer = self._fn()
                if inspect.isawaitable(answer):
                    answer = asyncio.run(self._own_loop(answer))
        except BaseException as error:  # noqa: BLE001 - the waiter's to handle, also SystemExit
            self.future.set_exception(error)
        else:
            self.future.set_result(answer)

    async def _own_loop(self, answer: Any) -> Any:
        self._task = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        if self._given_up:  # before there was anything to cancel
            getattr(answer, "close", bool)()
            raise asyncio.CancelledError
        return await answer
