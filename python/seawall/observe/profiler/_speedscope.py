"""Profiles as speedscope reads them.

Source: speedscope's file format, https://www.speedscope.app/file-format-schema.json.
"""

from __future__ import annotations

import json
from importlib import metadata

from seawall.observe.profiler._profile import Profile, Values
from seawall.observe.profiler._stack import Frame, Stack

SCHEMA = "https://www.speedscope.app/file-format-schema.json"
_UNITS = {"nanoseconds": "nanoseconds", "bytes": "bytes"}


def speedscope(profile: Profile, kind: str | None, name: str) -> str:
    """The file as text."""
    i = profile.index(kind)
    frames: dict[Frame, int] = {}
    groups: dict[tuple[str, str], list[tuple[Stack, Values]]] = {}
    for stack, values in profile.stacks.items():
        if values[i] > 0:
            groups.setdefault((stack.sort, stack.group), []).append((stack, values))
    known = profile.kinds[i]
    profiles = [
        _sampled(f"{group} ({known.name})", _UNITS.get(known.unit, "none"), members, i, frames)
        for (_, group), members in sorted(groups.items(), key=lambda one: -sum(v[i] for _, v in one[1]))
    ]
    whole = {
        "$schema": SCHEMA,
        "name": name,
        "exporter": f"seawall {metadata.version('seawall')}",
        "activeProfileIndex": 0,
        "shared": {"frames": [_frame(frame) for frame in frames]},
        "profiles": profiles or [_sampled(f"nothing ({known.name})", _UNITS.get(known.unit, "none"), [], i, frames)],
    }
    return json.dumps(whole, separators=(",", ":"))


def _sampled(
    name: str, unit: str, members: list[tuple[Stack, Values]], i: int, frames: dict[Frame, int]
) -> dict[str, object]:
    weights = [values[i] for _, values in members]
    samples = [[frames.setdefault(frame, len(frames)) for frame in stack.frames] for stack, _ in members]
    return {
        "type": "sampled",
        "name": name,
        "unit": unit,
        "startValue": 0,
        "endValue": sum(weights),
        "samples": samples,
        "weights": weights,
    }


def _frame(frame: Frame) -> dict[str, object]:
    told: dict[str, object] = {"name": frame.function}
    if frame.file:
        told["file"] = frame.file
    if frame.line:
        told["line"] = frame.line
    return told
