"""Silences put into and taken out of the state."""

from __future__ import annotations

from dataclasses import replace

from seawall.errors import ConfigError
from seawall.observe.alerts._mutes import MOST_SILENCES, Silence
from seawall.observe.alerts._state import State


def with_silence(state: State, silence: Silence) -> State:
    """The state with one more.

    Raises:
        ConfigError: there are too many.
    """
    if silence.id not in state.silences and len(state.silences) >= MOST_SILENCES:
        raise ConfigError(f"there are {MOST_SILENCES:,} silences already; those that ended go after five days")
    return replace(state, silences={**state.silences, silence.id: silence})


def expired(state: State, which: str, now: float) -> State:
    """The state in which one has ended; one that had not begun is gone.

    Raises:
        KeyError: there is none of that id.
    """
    if which not in state.silences:
        raise KeyError(f"there is no silence {which!r}")
    silence = state.silences[which]
    left = {key: each for key, each in state.silences.items() if key != which}
    if silence.starts_at < now:
        left[which] = replace(silence, ends_at=min(now, silence.ends_at))
    return replace(state, silences=left)
