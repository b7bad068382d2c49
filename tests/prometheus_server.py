"""A real Prometheus of the distribution on a port of the loopback, in a directory of its own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tests.ports import free_ports

from seawall.clock import SystemClock

CLOCK = SystemClock()
LONGEST_NS = 60_000_000_000
MISSING = "prometheus and promtool are not installed: apt-get install prometheus"


def installed() -> bool:
    """Whether the distribution's package is there."""
    return bool(shutil.which("prometheus") and shutil.which("promtool"))


def version() -> tuple[int, ...]:
    """Of the installed one."""
    told = subprocess.run(["prometheus", "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"version (\d+)\.(\d+)", told.stdout + told.stderr)
    assert found is not None
    return int(found[1]), int(found[2])


class PrometheusServer:
    """One server that scrapes twice a second, native histograms too.

    Args:
        directory: For its data, settings and log.
        jobs: The `scrape_configs`, as JSON, which is YAML, too.
    """

    def __init__(self, directory: Path, jobs: list[dict[str, Any]]) -> None:
        self.directory = directory
        (self.port,) = free_ports(1)
        whole: dict[str, Any] = {"scrape_interval": "500ms", "scrape_timeout": "400ms"}
        if version() >= (3, 8):  # until then a feature flag is what asks for native histograms
            whole["scrape_native_histograms"] = True
        settings = {"global": whole, "scrape_configs": jobs}
        self.settings = directory / "prometheus.json"
        self.settings.write_text(json.dumps(settings))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it is ready."""
        command = ["prometheus", f"--config.file={self.settings}", f"--storage.tsdb.path={self.directory / 'data'}"]
        command += [f"--web.listen-address=127.0.0.1:{self.port}", "--storage.tsdb.retention.time=1d"]
        command += ["--enable-feature=native-histograms,exemplar-storage"]
        with (self.directory / "log").open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self.until(lambda: self.get("/-/ready") is not None)

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)

    def get(self, path: str, **query: str) -> Any:
        """What the API answers; None when it does not."""
        url = f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                body = response.read()
        except (urllib.error.URLError, OSError):
            return None
        return json.loads(body)["data"] if path.startswith("/api/") else body

    def query(self, text: str) -> list[tuple[dict[str, str], Any]]:
        """(labels, value) of each series that an instant query finds."""
        answer = self.get("/api/v1/query", query=text)
        return [
            (each["metric"], each.get("histogram", each.get("value"))[1])
            for each in (answer or {"result": ()})["result"]
        ]

    def until(self, good: Any) -> None:
        """Wait for something, a minute at most."""
        until = CLOCK.now_ns() + LONGEST_NS
        while not good():
            assert CLOCK.now_ns() < until, (self.directory / "log").read_text()[-4000:]
            CLOCK.sleep(0.05)
