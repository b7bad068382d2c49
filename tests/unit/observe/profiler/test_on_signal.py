"""Profiles by signal, in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from seawall.errors import ConfigError
from seawall.observe.profiler import Profile, ProfileOnSignal

SERVICE = """
import os, pathlib, signal, sys
from seawall.observe.profiler import ProfileOnSignal, Profiler
folder = pathlib.Path(sys.argv[1])
def hot(): return sum(i * i for i in range(200_000))
def serve_until(done):
    while not done(): hot()
profiler = Profiler(rate=500, budget=0.5)
with ProfileOnSignal(folder, keep=2, formats=(".pb.gz", ".html"), profiler=profiler) as asked:
    for turn in range(3):
        os.kill(os.getpid(), signal.SIGUSR2)
        serve_until(lambda: profiler.running and profiler.profile().sampling.samples > 10)
        os.kill(os.getpid(), signal.SIGUSR2)
        serve_until(lambda: len(asked.files) == 2 * min(turn + 1, 2) and asked._count == turn + 1)
    # One that is under way when the service ends is written, too.
    os.kill(os.getpid(), signal.SIGUSR2)
    serve_until(lambda: profiler.running and profiler.profile().sampling.samples > 10)
print(*[path.name for path in asked.files], sep="\\n")
assert signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL
"""


def test_signals_start_and_stop_a_profile(tmp_path: Path) -> None:
    """Two signals make a profile with the hot function in it; of four the last two stay; the signal is given back."""
    command = [sys.executable, "-c", SERVICE, str(tmp_path / "profiles")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stderr.count("Traceback"), done.returncode) == (0, 0), done.stderr
    names = done.stdout.split()
    assert sorted(names) == sorted(path.name for path in (tmp_path / "profiles").iterdir())
    assert len(names) == 4
    for name in names:
        data = (tmp_path / "profiles" / name).read_bytes()
        if name.endswith(".pb.gz"):
            assert Profile.from_pprof(data).only(group="MainThread").share("hot") > 0.3
        else:
            assert data.startswith(b"<!doctype html>")


def test_a_profile_ends_by_itself(tmp_path: Path) -> None:
    """One signal is enough: after its seconds it is written."""
    asked = ProfileOnSignal(tmp_path, seconds=0.05, formats=(".collapsed",))
    with asked:
        signal.raise_signal(signal.SIGUSR2)
        while not asked.files:
            sum(range(10_000))
    assert [path.suffix for path in tmp_path.iterdir()] == [".collapsed"]


def test_a_folder_that_cannot_be_made_is_logged_and_the_next_signal_works(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure to write costs that profile only."""
    (tmp_path / "file").write_text("")
    asked = ProfileOnSignal(tmp_path / "file", seconds=0.01, formats=(".collapsed",))
    with asked:
        signal.raise_signal(signal.SIGUSR2)
        while not any(record.exc_info for record in caplog.records):
            sum(range(10_000))
        (tmp_path / "file").unlink()
        signal.raise_signal(signal.SIGUSR2)
        while not asked.files:
            sum(range(10_000))
    assert "a profile that was asked for by SIGUSR2 failed" in [record.message for record in caplog.records]


def test_a_signal_that_is_taken_is_not_taken_away() -> None:
    """Another's handler stays, and the message names it."""

    def theirs(signum: int, frame: object) -> None: ...

    before = signal.signal(signal.SIGUSR2, theirs)
    try:
        with pytest.raises(ConfigError) as caught:
            ProfileOnSignal(".").install()
        assert str(caught.value) == f"SIGUSR2 has a handler already: {theirs!r}; give another signum="
        assert signal.getsignal(signal.SIGUSR2) is theirs
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_misuse_is_told() -> None:
    """Formats, how many to keep, and where handlers are set."""
    with pytest.raises(ConfigError) as caught:
        ProfileOnSignal(".", formats=(".svg",))
    assert str(caught.value) == ("formats must be some of .html, .speedscope.json, .pb.gz, .collapsed, got ('.svg',)")
    with pytest.raises(ConfigError, match=r"^keep must be 1 to 10,000 profiles, got 0; 20 is the default$"):
        ProfileOnSignal(".", keep=0)
    told: list[str] = []

    def elsewhere() -> None:
        try:
            ProfileOnSignal(".").install()
        except ConfigError as error:
            told.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert told == ["signal handlers are set in the main thread; install() there, when the service starts"]
