"""What a request for health is answered: the part that ASGI and WSGI share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from seawall.errors import ConfigError
from seawall.monitor.health._words import Probe

if TYPE_CHECKING:
    from seawall.monitor.health._health import Health
    from seawall.monitor.health._reports import Report

PATHS = {"/livez": Probe.LIVE, "/readyz": Probe.READY, "/startupz": Probe.STARTUP}
_NO = ("0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that is to be answered with a report."""

    probe: Probe
    verbose: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    code: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def checked_prefix(prefix: str) -> str:
    """A prefix of paths without a slash at its end.

    Raises:
        ConfigError: It is none.
    """
    if not isinstance(prefix, str) or (prefix and not prefix.startswith("/")):
        raise ConfigError(f"prefix must begin with '/' or be empty, got {prefix!r}")
    return prefix.rstrip("/")


def probe_at(path: str, prefix: str) -> Probe | None:
    """The probe that answers at a path; None when it is not ours."""
    return PATHS.get(path[len(prefix) :]) if path.startswith(prefix) else None


def read(health: Health, probe: Probe, method: str, query: str, authorization: str) -> Asked | Answer:
    """What is asked for, or the answer that refuses it: before anything is run."""
    if method not in ("GET", "HEAD"):
        return _plain(405, "health is asked with GET or HEAD", ("Allow", "GET, HEAD"))
    if not _is_verbose(query):
        return Asked(probe, verbose=False)
    if not health.access.possible:
        return _plain(403, "there is no verbose page: the service has set no token for it")
    if not health.access.admits(authorization):
        return _plain(401, "the verbose page needs Authorization: Bearer TOKEN", ("WWW-Authenticate", "Bearer"))
    return Asked(probe, verbose=True)


def answer(health: Health, report: Report, *, verbose: bool) -> Answer:
    """A report as the draft health+json has it."""
    body = report.to_dict(verbose=verbose)
    if verbose and health.service:
        body["serviceId"] = health.service
    if verbose and health.version:
        body["releaseId"] = health.version
    return _json(report.code, body, "application/health+json")


def not_found() -> Answer:
    """The answer at any other path."""
    return _plain(404, "there is " + ", ".join(PATHS))


def _is_verbose(query: str) -> bool:
    try:
        values = parse_qs(query, keep_blank_values=True, max_num_fields=20).get("verbose")
    except ValueError:
        return False
    return values is not None and values[-1].lower() not in _NO


def _plain(code: int, title: str, *headers: tuple[str, str]) -> Answer:
    return _json(code, {"title": title, "status": code}, "application/problem+json", *headers)


def _json(code: int, body: dict[str, Any], kind: str, *headers: tuple[str, str]) -> Answer:
    data = json.dumps(body, ensure_ascii=True).encode()
    # A cached yes would outlive the service.
    fixed = (("Content-Type", kind), ("Content-Length", str(len(data))), ("Cache-Control", "no-store"))
    return Answer(code, (*fixed, *headers), data)
