"""The memory of this process."""

from __future__ import annotations

from tests.contract.backends._base import Backend


class Memory(Backend):
    """Nothing to start."""

    name = "memory"
    title = "memory"
    sample_url = "memory://"
    manual = True
    short = 0.1
    url = "memory://"  # type: ignore[assignment]  # a constant where others compute
    history_option = "history"
