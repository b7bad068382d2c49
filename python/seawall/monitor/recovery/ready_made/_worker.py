"""The last resort: a new worker, from whoever manages the process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from seawall.errors import ConfigError
from seawall.monitor.recovery._action import Action

Way = Literal["term", "hup_parent", "exit"]


def restart_worker(
    way: Way = "term",
    *,
    exit_code: int = 75,
    before: Callable[[], object] | None = None,
    name: str | None = None,
    send: Callable[[int, int], object] = os.kill,
    leave: Callable[[int], object] = os._exit,
    **bounds: Any,
) -> Action:
    """Have this worker replaced.

    | way | what is done | who replaces it |
    |---|---|---|
    | term | SIGTERM to this process | gunicorn, uvicorn --workers, systemd (Restart=always), a container's policy |
    | hup_parent | SIGHUP to the parent | gunicorn: all its workers, one after the other |
    | exit | `before()`, then the process ends with `exit_code` | systemd (Restart=on-failure), a container's policy |

    A new worker knows nothing of what the old one tried. Give the action a budget in a segment, or a condition that a
    restart does not cure restarts for ever.

    Args:
        way: See the table.
        exit_code: 1 to 255, of the way "exit"; 75 is EX_TEMPFAIL.
        before: Called first; for "exit" it is the only chance to let requests end. What it raises calls it off.
        name: Of the action.
        send: Sends a signal to a process.
        leave: Ends the process.
        bounds: timeout, settle, cooldown and budget, as of an Action.

    Raises:
        ConfigError: an option is out of range.
    """
    if way not in ("term", "hup_parent", "exit"):
        raise ConfigError(f"way must be 'term', 'hup_parent' or 'exit', got {way!r}")
    if isinstance(exit_code, bool) or not isinstance(exit_code, int) or not 1 <= exit_code <= 255:
        raise ConfigError(f"exit_code must be 1 to 255, got {exit_code!r}; with 0 a manager takes the end for wanted")

    def work() -> str:
        if before is not None:
            before()
        if way == "exit":
            leave(exit_code)
            return f"exit code {exit_code}"
        pid, which = (os.getppid(), signal.SIGHUP) if way == "hup_parent" else (os.getpid(), signal.SIGTERM)
        if way == "hup_parent" and _is_init(pid):
            raise RuntimeError(f"the parent is process {pid}, the system's init: the process manager is gone")
        send(pid, which)
        return f"{which.name} to process {pid}"

    return Action(name or f"restart worker ({way})", work, **bounds)


def _is_init(pid: int) -> bool:
    # In a container the process manager itself may be process 1.
    if pid != 1:
        return False
    try:
        return Path("/proc/1/comm").read_text().strip() in ("systemd", "init")
    except OSError:
        return True
