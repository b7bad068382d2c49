"""The endpoints as a WSGI app."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from seawall.monitor.health._page import Asked, answer, checked_prefix, not_found, probe_at, read

if TYPE_CHECKING:
    from seawall.monitor.health._health import Health


class HealthWsgi:
    """`/livez`, `/readyz` and `/startupz`; made by `Health.wsgi`. Serve it alone, or put it around an app."""

    def __init__(self, health: Health, app: Any, prefix: str) -> None:
        self._health = health
        self._app = app
        self._prefix = checked_prefix(prefix)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request, or pass it on."""
        probe = probe_at(environ.get("PATH_INFO", ""), self._prefix)
        method = environ.get("REQUEST_METHOD", "GET")
        if probe is not None:
            found: Any = read(
                self._health, probe, method, environ.get("QUERY_STRING", ""), environ.get("HTTP_AUTHORIZATION", "")
            )
            if isinstance(found, Asked):
                found = answer(self._health, self._health.ask(probe), verbose=found.verbose)
        elif self._app is not None:
            passed_on: Iterable[bytes] = self._app(environ, start_response)
            return passed_on
        else:
            found = not_found()
        start_response(f"{found.code} {HTTPStatus(found.code).phrase}", list(found.headers))
        return [b"" if method == "HEAD" else found.body]
