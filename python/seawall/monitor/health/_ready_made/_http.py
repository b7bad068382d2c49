"""Does an HTTP service answer?"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from seawall.errors import ConfigError
from seawall.monitor.health._ready_made._addresses import checked_url, host_of, secrets_of
from seawall.monitor.health._words import Outcome

_MOST_BODY = 64 * 1024


class HttpCheck:
    """Asks a URL; good when the status is one of those expected and, if given, the text is in the answer.

    A new connection for each run, so that it also tells whether one can be made. Redirects are not followed.

    Args:
        url: http:// or https://.
        expect: The good statuses; by default 200 to 299.
        contains: What the first 64 KiB of the answer must hold.
        headers: Sent along; their values are never shown.
        method: By default GET.
    """

    remote = True

    def __init__(
        self,
        url: str,
        *,
        expect: Collection[int] = range(200, 300),
        contains: str = "",
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
    ) -> None:
        self.url = checked_url(url, ("http", "https"))
        if isinstance(expect, (int, str)) or not expect:
            raise ConfigError(f"expect must be statuses such as (200, 204) or range(200, 300), got {expect!r}")
        self.expect = expect
        self.contains = contains
        self.method = method
        self.headers = dict(headers or {})
        # Now, not in the first run: it takes a good part of a run's time, and stops the loop that long.
        import aiohttp

        self._aiohttp = aiohttp
        self.secrets = (*secrets_of(url), *self.headers.values())

    async def __call__(self) -> Outcome:
        """Ask once."""
        aiohttp = self._aiohttp
        # The check's own time bounds it; without this a run that was given up would still be ended by aiohttp.
        timeout = aiohttp.ClientTimeout(total=60)
        async with (
            aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(force_close=True)) as session,
            session.request(self.method, self.url, headers=self.headers, allow_redirects=False) as answer,
        ):
            if answer.status not in self.expect:
                return Outcome.failed(f"{host_of(self.url)} answered {answer.status}", value=answer.status)
            if self.contains and self.contains not in await _start_of(answer.content):
                return Outcome.failed(f"{host_of(self.url)} answered without what is expected", value=answer.status)
            return Outcome.passed(value=answer.status)

    def __repr__(self) -> str:
        return f"<HttpCheck {self.method} {host_of(self.url)}>"


async def _start_of(content: object) -> str:
    body = b""
    async for chunk in content.iter_chunked(16 * 1024):  # type: ignore[attr-defined]
        body += chunk
        if len(body) >= _MOST_BODY:
            break
    return body[:_MOST_BODY].decode("utf-8", "replace")
