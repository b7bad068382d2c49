"""What an engine's connections must do for the driver."""

from __future__ import annotations

from typing import Any, Protocol


class Wire(Protocol):
    """Carries what operations send, over a pool of connections, for threads and for tasks.

    Guarantees asked of an implementation, which the driver builds on:

    - It raises `Unavailable` only when `what` surely changed nothing (not connected, not sent, refused unread), and
      `UnknownOutcome` when it may have changed something. The driver retries the first always, the second only for
      `Send(again=True)`.
    - Every other error of the client library is translated: nothing but EngineError, cancellation, and
      ConfigError for a use that can never work leaves a wire.
    - It keeps to `timeout`, in seconds, connecting included. What a timed out or cancelled call used is thrown away:
      its late answer must not be the answer to the next call.
    - Connections are opened when first needed, belong to the process (and the loop) that opened them, and are not used
      by a forked child.
    - It does not retry by itself: the client library's own retries are switched off.

    A client library that only knows asyncio goes behind a `PortalWire`.
    """

    def execute(self, what: Any, timeout: float) -> Any:
        """The reply to `what`, for a thread."""

    async def execute_async(self, what: Any, timeout: float) -> Any:
        """The reply to `what`, for a task."""

    def close(self) -> None:
        """Close all connections; what is under way fails or ends. May be called twice."""

    async def close_async(self) -> None:
        """`close` for a task."""
