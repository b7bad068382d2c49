"""What was going on when an alert fired: profiles, traces, logs and metrics, kept in a folder for each alert."""

from __future__ import annotations

import json
import logging
import os
import queue
import re
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from seawall.clock import Clock, SystemClock
from seawall.observe.alerts._alert import Alert
from seawall.observe.alerts._checks import name_of, seconds_of, whole_of
from seawall.observe.alerts._times import rfc3339

Provider = Callable[[Alert], tuple[str, bytes]]
_LOG = logging.getLogger("seawall.alerts")
_MANIFEST = "manifest.json"


class Evidence:
    """Asks providers when an alert fires, in the background, and keeps what they return.

    Guarantees: bounded: so many bundles (the oldest go), so many bytes in each, so many alerts waiting. A provider that
    fails or takes too long is noted in the manifest and keeps none of the others from being asked; as long as it has
    not returned it is not asked again. A bundle appears whole, with its manifest, or not at all.
    Thread safety: yes.

    Args:
        directory: Where bundles are kept; nothing else should be in it.
        providers: By name: a function of the Alert that returns a file name and bytes.
        timeout: Seconds for each provider.
        most: Bundles kept.
        max_bytes: Of all files of a bundle; what does not fit is left out and noted.
        severities: Of which alerts evidence is collected; None for all.
        link: What is put before the name of the bundle in the annotation `evidence`; by default its path.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        providers: Mapping[str, Provider],
        *,
        timeout: float = 30.0,
        most: int = 50,
        max_bytes: int = 50_000_000,
        severities: tuple[str, ...] | None = None,
        link: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.directory = Path(directory)
        self._providers = {name_of(name, "providers"): each for name, each in providers.items()}
        self._timeout = seconds_of(timeout, "timeout", least=1e-3)
        self._most = whole_of(most, "most", 1, 10_000, 50)
        self._max_bytes = whole_of(max_bytes, "max_bytes", 1_000, 10**12, 50_000_000)
        self._severities = severities
        self._link = link
        self._clock = clock or SystemClock()
        self._queue: queue.Queue[Alert | None] = queue.Queue(100)
        self._running: dict[str, threading.Thread] = {}
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self.dropped = 0

    def wanted(self, alert: Alert) -> bool:
        """Whether evidence is collected for an alert."""
        return self._severities is None or alert.labels.get("severity") in self._severities

    def annotations(self, alert: Alert) -> dict[str, str]:
        """Where the evidence of an alert will be, for its notification."""
        if not self.wanted(alert):
            return {}
        name = bundle_name(alert)
        return {"evidence": str(self.directory / name) if self._link is None else self._link.rstrip("/") + "/" + name}

    def collect(self, alert: Alert) -> None:
        """Collect it in the background; the first call starts the thread that does."""
        try:
            self._queue.put_nowait(alert)
        except queue.Full:
            self.dropped += 1
            return
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="seawall-evidence", daemon=True)
                self._thread.start()

    def stop(self, timeout: float = 5.0) -> bool:
        """Let what waits be collected; False when that took too long."""
        thread = self._thread
        if thread is None:
            return True
        try:
            self._queue.put(None, timeout=timeout)
        except queue.Full:
            return False
        thread.join(timeout)
        return not thread.is_alive()

    def gather(self, alert: Alert) -> Path:
        """Collect it now, in the caller's thread.

        Returns:
            The folder, with a `manifest.json`.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        place = self.directory / bundle_name(alert)
        beside = place.with_name(f".{place.name}.{os.getpid()}.new")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(mode=0o700)
        try:
            entries = self._ask_all(alert, beside)
            manifest = {
                "alert": alert.to_dict(), "fingerprint": alert.fingerprint, "fired": rfc3339(alert.starts_at),
                "evidence": entries,
            }  # fmt: skip
            (beside / _MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")
            if place.exists():
                shutil.rmtree(place)
            beside.rename(place)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        self._forget()
        return place

    def bundles(self) -> tuple[Path, ...]:
        """Those that are kept, oldest first."""
        if not self.directory.is_dir():
            return ()
        found = [path for path in self.directory.iterdir() if (path / _MANIFEST).is_file() and path.name[0] != "."]
        return tuple(sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name)))

    def _run(self) -> None:
        while (alert := self._queue.get()) is not None:
            try:
                self.gather(alert)
            except Exception:  # noqa: BLE001 - a full disk must not end the thread
                _LOG.exception("the evidence of alert %s could not be kept", alert.name)

    def _ask_all(self, alert: Alert, into: Path) -> list[dict[str, Any]]:
        entries, left = [], self._max_bytes
        for name, provider in self._providers.items():
            entry: dict[str, Any] = {"provider": name}
            found = self._ask(name, provider, alert)
            if isinstance(found, str):
                entry["error"] = found
            elif len(found[1]) > left:
                entry["error"] = f"{len(found[1]):,} bytes do not fit into the {left:,} that are left"
            else:
                entry["file"], entry["bytes"] = _written(into, *found), len(found[1])
                left -= len(found[1])
            entries.append(entry)
        return entries

    def _ask(self, name: str, provider: Provider, alert: Alert) -> tuple[str, bytes] | str:
        """What it returned, or why there is nothing."""
        before = self._running.get(name)
        if before is not None and before.is_alive():
            return "it still works on an earlier alert"
        answer: list[tuple[str, bytes] | str] = []
        thread = threading.Thread(
            target=_answered, args=(provider, alert, answer), name=f"evidence-{name}", daemon=True
        )
        self._running[name] = thread
        thread.start()
        thread.join(self._timeout)
        return answer[0] if answer else f"it did not return within {self._timeout:g} s"

    def _forget(self) -> None:
        for path in self.bundles()[: -self._most]:
            shutil.rmtree(path, ignore_errors=True)

    def __repr__(self) -> str:
        return f"<Evidence in {str(self.directory)!r} of {', '.join(self._providers) or 'nobody'}>"


def bundle_name(alert: Alert) -> str:
    """The name of the folder: what fired, who, and since when."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", alert.name)[:60]
    stamp = rfc3339(alert.starts_at).replace(":", "").replace(".", "-")
    return f"{stamp}-{name}-{alert.fingerprint}"


def _answered(provider: Provider, alert: Alert, into: list[tuple[str, bytes] | str]) -> None:
    try:
        name, content = provider(alert)
        into.append((str(name), bytes(content)))
    except BaseException as error:  # noqa: BLE001 - noted in the manifest, whatever it is
        into.append(f"{type(error).__name__}: {error}"[:500])


def _written(into: Path, name: str, content: bytes) -> str:
    """Under this name, or one like it that is safe and free."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(name).name).lstrip(".")[:100] or "file"
    while safe == _MANIFEST or (into / safe).exists():
        safe = f"1-{safe}"
    (into / safe).write_bytes(content)
    return safe
