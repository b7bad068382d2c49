"""Permits of policies that are entered by `with` themselves: found again by whoever leaves."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

_entered: ContextVar[tuple[tuple[Any, Any], ...]] = ContextVar("seawall_entered", default=())


def remember(policy: Any, permit: Any) -> None:
    """The newest permit of a policy in this context."""
    _entered.set((*_entered.get(), (policy, permit)))


def take_back(policy: Any, kind: str, variable: str) -> Any:
    """The newest permit of a policy in this context, which is forgotten."""
    entered = _entered.get()
    mine = [i for i, (one, _) in enumerate(entered) if one is policy]
    if not mine:
        raise RuntimeError(
            f"{kind} {policy.name!r} was entered in another context than it is left in (another task or "
            f"thread); use `with {variable}.enter():`, whose permit knows its call"
        )
    _entered.set((*entered[: mine[-1]], *entered[mine[-1] + 1 :]))
    return entered[mine[-1]][1]
