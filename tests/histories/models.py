"""What the ports of an engine are to look like: as if all calls came one after another."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.histories.checker import Call


class Version(NamedTuple):
    """A key as it is.

    Attributes:
        value: None when it is not there.
        revision: 0 when it is not there; None when it was written by a call that was never answered.
        highest: Revisions to come are above it.
    """

    value: Any = None
    revision: int | None = 0
    highest: int = 0

    def seen_at(self, revision: int) -> Version | None:
        """The state if this is its revision; None if it cannot be."""
        if self.revision is not None:
            return self if revision == self.revision else None
        return Version(self.value, revision, revision) if revision > self.highest else None

    def changed(self, value: Any, revision: int | None) -> Version | None:
        """The state after a change; None if it cannot have this revision."""
        if revision is not None and revision <= self.highest:
            return None
        shown = revision if value is not None else 0
        return Version(value, shown, self.highest if revision is None else revision)


def versioned(state: Version, call: Call) -> tuple[bool, Version]:
    """A key with revisions that grow.

    get() -> (value, revision), at() -> revision, put(value) -> revision, cas(expected, value) and
    delete() -> (whether it was done, its revision or the one that was found).
    """
    after = (_opened if call.is_open else _ANSWERED[call.name])(state, call)
    return after is not None, state if after is None else after


def _opened(state: Version, call: Call) -> Version | None:
    if call.name == "put":
        return state.changed(call.args[0], None)
    if call.name == "cas":
        found = state.seen_at(call.args[0])
        return state if found is None else found.changed(call.args[1], None)
    return state.changed(None, None) if call.name == "delete" and state.value is not None else state


def _get(state: Version, call: Call) -> Version | None:
    value, revision = call.result
    return state.seen_at(revision) if value == state.value else None


def _at(state: Version, call: Call) -> Version | None:
    return state.seen_at(call.result)


def _put(state: Version, call: Call) -> Version | None:
    return state.changed(call.args[0], call.result)


def _cas(state: Version, call: Call) -> Version | None:
    (expected, value), (done, revision) = call.args, call.result
    if not done and revision is None:  # what was found instead is not told
        return state if state.revision is None or state.revision != expected else None
    if not done:
        return state.seen_at(revision) if revision != expected else None
    found = state.seen_at(expected)
    return None if found is None else found.changed(value, revision)


def _delete(state: Version, call: Call) -> Version | None:
    done, revision = call.result
    if done:
        return state.changed(None, revision) if state.value is not None else None
    return state.seen_at(revision) if state.value is None else None


_ANSWERED = {"get": _get, "at": _at, "put": _put, "cas": _cas, "delete": _delete}
