"""The stream of one namespace and port: made when first needed, and looked at."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from seawall.engines.nats import _errors as errors
from seawall.engines.nats._call import Call

_MUST = {
    "allow_rollup_hdrs": True,
    "allow_msg_ttl": True,
    "allow_atomic": True,
    "deny_delete": False,
    "deny_purge": False,
}
_UNLIMITED = {"max_msgs": -1, "max_bytes": -1, "max_age": 0, "max_msgs_per_subject": -1}
_PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream.

    Args:
        port: In its name and subjects.
        namespace: In its name and subjects.
        storage: file or memory.
        replicas: How many servers are to have it.
        engine: For messages.
        settled: The names of streams that are known to be there and usable, shared by the ports of an engine.
    """

    port: str
    namespace: str
    storage: str
    replicas: int
    engine: str
    settled: set[str] = field(repr=False)

    @property
    def name(self) -> str:
        """Its name in the server."""
        return f"seawall_{self.port}_{self.namespace}"

    def subject(self, kind: str, tokens: str = "") -> str:
        """A subject of it, or a filter."""
        return f"seawall.{self.port}.{self.namespace}.{kind}{'.' if tokens else ''}{tokens}"

    async def ready(self, call: Call) -> None:
        """Go on only with a stream that can keep what is asked of it.

        Raises:
            Damaged: It is there and cannot.
        """
        if self.name in self.settled:
            return
        with call.helping():
            config = await self._make(call)
        if why := self._unusable(config):
            raise errors.unusable(self.name, why, self.engine)
        if config.get("num_replicas", 1) > 1:
            call.replicated.add(self.name)
        self.settled.add(self.name)

    async def _make(self, call: Call) -> dict[str, Any]:
        wanted = _MUST | _UNLIMITED | {
            "name": self.name, "subjects": [self.subject(">")], "storage": self.storage, "retention": "limits",
            "discard": "new", "num_replicas": self.replicas, "allow_direct": False,
        }  # fmt: skip
        while True:
            try:
                reply = await call.api(f"STREAM.INFO.{self.name}")
            except errors.Refused as error:
                if error.code != errors.NO_STREAM:
                    raise
                await self._create(call, wanted)
            else:
                config: dict[str, Any] = reply["config"]
                return config

    async def _create(self, call: Call, wanted: dict[str, Any]) -> None:
        # A cluster in which another is just making it may never answer.
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                try:
                    await call.api(f"STREAM.CREATE.{self.name}", wanted, changes=True)
                except errors.Refused as error:
                    if error.code != errors.OTHER_STREAM:
                        raise

    def _unusable(self, config: dict[str, Any]) -> str:
        wrong = [
            f"{name}: {config[name]}"
            for name, value in _UNLIMITED.items()
            if config.get(name, value) not in (value, 0, -1)
        ]
        wrong += [
            f"{name}: {config.get(name, False)}" for name, value in _MUST.items() if config.get(name, False) != value
        ]
        if self.storage == "file" and config.get("storage") != "file":
            wrong.append(f"storage: {config.get('storage')}")
        return ", ".join(wrong)
