"""A running pipeline follows another configuration: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from seawall.errors import ConfigError
from seawall.guard.pipeline._config import Entry, entries_of
from seawall.guard.pipeline._pipeline import Pipeline, arranged
from seawall.guard.pipeline._values import resolved

# What is said once, at the start: a reload that changes one of these makes another policy.
_FIXED = ("name", "clock", "shared", "on_conflict", "max_limit", "max_keys")
_Written = tuple[str, dict[str, Any]]
_Key = tuple[type, str]


def reload(pipeline: Pipeline, config: Mapping[str, Any]) -> tuple[str, ...]:
    """Make a running pipeline follow `config`; what changed."""
    entries = entries_of(config)
    if config.get("name", pipeline.name) != pipeline.name:
        raise ConfigError(f"pipeline {pipeline.name} cannot follow the configuration of {config['name']!r}")
    # Everything is made once beside the running policies: what can never work is found before anything changes.
    trial = [entry.make(shared=None) for entry in entries]
    arranged(trial)
    with pipeline._reloading:
        changes = _Changes(pipeline, trial, entries)
        changes.apply()
        pipeline._route.lead(arranged(changes.row))
        pipeline._written = tuple((entry.kind, entry.options) for entry in entries)
    return tuple(changes.said)


class _Changes:
    """What a configuration changes: who stays, who is new, who follows."""

    def __init__(self, pipeline: Pipeline, trial: Sequence[Any], entries: Sequence[Entry]) -> None:
        self.said: list[str] = []
        self.row: list[Any] = []
        self._old = pipeline.policies
        self._follows: list[tuple[int, Entry]] = []
        present = _by_key(pipeline)
        # Without a record of what was written, every policy is told all of its options.
        before = dict(zip(present, pipeline._written, strict=True)) if pipeline._written else {}
        for tried, entry in zip(trial, entries, strict=True):
            key = type(tried), tried.name
            self._place(present.pop(key, None), before.get(key), entry)
        self.said += [f"{policy._title()} is gone" for policy in present.values()]

    def _place(self, policy: Any, before: _Written | None, entry: Entry) -> None:
        if policy is None:
            policy = entry.make()
            self.said.append(f"{policy._title()} is new")
        elif before != (entry.kind, entry.options):
            if _fixed(before[1] if before else {}) != _fixed(entry.options):
                policy = self._replaced(entry)
            else:
                self._follows.append((len(self.row), entry))
        self.row.append(policy)

    def _replaced(self, entry: Entry) -> Any:
        made = entry.make()
        self.said.append(f"{made._title()} is replaced")
        return made

    def apply(self) -> None:
        """Let those follow who can; when one cannot take its options, all have theirs back."""
        undo: list[Callable[[], None]] = []
        try:
            for at, entry in self._follows:
                undone = _follow(self.row[at], entry)
                if undone is None:
                    self.row[at] = self._replaced(entry)
                else:
                    undo.append(undone)
                    self.said.append(f"{self.row[at]._title()} follows")
            _same_carriers(self._old, self.row)
        except BaseException:
            for step in reversed(undo):
                step()
            raise


def _follow(policy: Any, entry: Entry) -> Callable[[], None] | None:
    wanted = resolved(entry.where, entry.options)
    shadow, enforce = wanted.pop("shadow", False), wanted.pop("enforce", 1.0)
    lenience = policy.shadow, policy.enforce
    policy._lenience(shadow, enforce)
    try:
        undo: Callable[[], None] | None = policy._follow({n: v for n, v in wanted.items() if n not in _FIXED})
    except ConfigError as error:
        policy._lenience(*lenience)
        raise ConfigError(f"{entry.where}: {error}") from None
    if undo is None:
        policy._lenience(*lenience)
        return None

    def back() -> None:
        policy._lenience(*lenience)
        undo()

    return back


def _by_key(pipeline: Pipeline) -> dict[_Key, Any]:
    present: dict[_Key, Any] = {}
    for policy in pipeline.policies:
        key = type(policy), policy.name
        if key in present:
            raise ConfigError(
                f"pipeline {pipeline.name} has two policies {policy._title()} and cannot tell which one is meant; "
                "give each a name"
            )
        present[key] = policy
    return present


def _fixed(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in _FIXED if name != "name" and options.get(name) is not None}


def _same_carriers(before: Sequence[Any], after: Sequence[Any]) -> None:
    """What runs calls in threads is around the callee since it was decorated."""
    if _carriers(before) != _carriers(after):
        raise ConfigError(
            "a policy that runs calls in threads cannot be added, moved, replaced or taken away by a reload; "
            "make another pipeline"
        )


def _carriers(row: Sequence[Any]) -> list[int]:
    return [id(policy) for policy in row if getattr(policy, "_carries", False)]
