"""What every wire to a server has to keep to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from seawall.engines import open_engine
from seawall.errors import EngineError, Unavailable


@pytest.mark.parametrize("face", ["sync", "async"])
@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:1", "postgresql://127.0.0.1:1/d", "etcd://127.0.0.1:1", "nats://127.0.0.1:1"]
)
@pytest.mark.parametrize("seconds", [0.0, 1e-9, 5.0])
def test_a_call_without_the_time_to_connect_is_unavailable(url, face, seconds):
    """However little there is: the waits before it may have taken all of it."""
    engine = open_engine(url)
    what, wire = next(engine.key_value()._do_get("a")).what, engine._driver.wire

    def ask() -> Any:
        return wire.execute(what, seconds) if face == "sync" else asyncio.run(wire.execute_async(what, seconds))

    with pytest.raises(EngineError) as refused:
        ask()
    assert isinstance(refused.value, Unavailable)
    engine.close()
