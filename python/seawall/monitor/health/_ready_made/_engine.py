"""Does an engine answer?"""

from __future__ import annotations

from seawall.engines import Engine
from seawall.errors import ConfigError
from seawall.monitor.health._words import Outcome


class EngineCheck:
    """Asks an engine of seawall: it is reached, lets us in, and has a version we know.

    Args:
        engine: What `open_engine` gave.
    """

    remote = True

    def __init__(self, engine: Engine) -> None:
        if not isinstance(engine, Engine):
            raise ConfigError(f"engine must be what open_engine(url) gives, got {type(engine).__name__}")
        self.engine = engine

    async def __call__(self) -> Outcome:
        """Ask once."""
        await self.engine.check_async()
        return Outcome.passed()

    def blocking(self) -> Outcome:
        """`__call__` for a thread."""
        self.engine.check()
        return Outcome.passed()

    def __repr__(self) -> str:
        return f"<EngineCheck {self.engine.name}>"
