"""What importing costs a process, over the bare interpreter."""

from __future__ import annotations

import importlib.util

from benchmarks._case import OURS, Case, Missing, Probe, Target, is_none

JOB = "start an interpreter and import"
OTHERS = {
    "limits": "limits",
    "pyrate_limiter": "pyrate-limiter",
    "throttled": "throttled-py",
    "prometheus_client": "prometheus-client",
}


def _program(text: str) -> Probe:
    return Probe("exec(program)", {"program": text}, is_none)


def cases() -> list[Case | Missing]:
    """All cases of the area."""
    bare = Case(JOB, "python", "-c pass", lambda: _program("pass"), of=f"{JOB}: python -c pass", how="process")
    ours = Case(
        JOB,
        OURS,
        "import seawall",
        lambda: _program("import seawall"),
        Target(15, "ms more"),
        of=bare.name,
        how="process",
    )
    found: list[Case | Missing] = [bare, ours]
    for module, library in OTHERS.items():
        if importlib.util.find_spec(module) is None:
            found.append(Missing(library, f"not installed: no module named {module!r}"))
        else:
            program = f"import {module}"
            found.append(
                Case(JOB, library, program, lambda program=program: _program(program), of=bare.name, how="process")
            )
    return found
