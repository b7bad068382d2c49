"""Several policies around one callee."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast

from seawall._core import guarded as _core
from seawall.errors import ConfigError
from seawall.guard._custom import Custom
from seawall.guard._made import tell
from seawall.guard._policy import Face, Policy, name_of
from seawall.guard._protect import Guarded, awaited, called_plainly, carried, protect

P = ParamSpec("P")
R = TypeVar("R")


class PipelineStats(NamedTuple):
    """A snapshot of a pipeline: what each policy has done so far, outermost first."""

    name: str
    policies: tuple[Any, ...]


class Pipeline:
    """Policies around a callee, outermost first: `Pipeline(Fallback(...), Retry(...), breaker, limiter, Timeout(...))`.

    A call goes inward through every policy, reaches the callee, and its outcome goes outward through them. The pipeline
    knows no policy: each says what it wants done. It decorates functions, coroutine functions, generators, async
    generators and methods, and keeps names, signatures and types. What is raised carries a note of the policies passed.

    Guarantees: every policy that a call entered hears exactly once how it ended, also by cancellation.
    Thread safety: yes; threads, tasks and event loops. Cost: about 15 ns a policy beside its own.

    Args:
        policies: Policies, pipelines (taken apart), or objects with the hooks `before` and `after`; at most 8.
        name: For messages, statistics and `pipelines`.

    Raises:
        ConfigError: Nothing to compose, too much, or something that is no policy.

    Example:
        >>> import seawall as sw
        >>> guard = Pipeline(sw.TokenBucket(100), sw.TokenBucket(5, per=60, name="slow"), name="calls")
        >>> guard.call(len, "abc")
        3
        >>> [p.admitted for p in guard.stats().policies]
        [1, 1]
    """

    def __init__(self, *policies: Any, name: str = "pipeline") -> None:
        self.name = name_of(name, "pipeline")
        self._route = _core.Route(arranged(policies))
        self._reloading = Lock()
        self._written: tuple[tuple[str, dict[str, Any]], ...] = ()  # the configuration it was made of
        tell(self)

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The policies, outermost first."""
        return self._route.policies

    def __iter__(self) -> Iterator[Policy]:
        return iter(self.policies)

    def __len__(self) -> int:
        return len(self.policies)

    def __getitem__(self, name: str) -> Any:
        """The policy of that name."""
        for policy in self.policies:
            if policy.name == name:
                return policy
        raise KeyError(f"pipeline {self.name} has no policy {name!r}; there is: {', '.join(p.name for p in self)}")

    def __call__(self, fn: Callable[P, R]) -> Guarded[P, R]:
        return protect(fn, self._route, self)

    def call(self, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a plain function through the policies, blocking where they wait."""
        called_plainly(fn)
        return cast(R, _core.call(self._route, carried(fn, self.policies), args, kwargs))

    async def call_async(self, fn: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        """Await a coroutine function through the policies."""
        awaited(fn)
        return cast(R, await _core.call_async(self._route, fn, args, kwargs))

    def describe(self) -> str:
        """The policies and their settings and states, outermost first, a line each."""
        return "\n".join([f"{self.name}:", *(f"  {i}. {policy!r}" for i, policy in enumerate(self, 1)), "  callee"])

    def stats(self) -> PipelineStats:
        """What each policy has done so far."""
        return PipelineStats(self.name, tuple(cast(Any, policy).stats() for policy in self))

    def reload(self, config: Mapping[str, Any]) -> tuple[str, ...]:
        """Follow another configuration while calls are under way; what changed, a line each.

        A policy of the same type and name keeps its state and takes the new options; one whose clock, segment or kind
        of thread changes is made anew; others come and go. Calls under way end as they began. All or nothing: an option
        that can never work changes nothing.

        Args:
            config: As for `from_dict`; of a TOML file, what tomllib reads.

        Raises:
            ConfigError: Names the policy and the option.
            SegmentError: A new policy's segment cannot be used.
        """
        from seawall.guard.pipeline._reload import reload

        return reload(self, config)

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> Pipeline:
        """A pipeline from `{"name": ..., "policies": [{"type": "retry", "attempts": 3}, ...]}`.

        Raises:
            ConfigError: Names the policy and the option.
        """
        from seawall.guard.pipeline._config import build

        return build(config)

    @classmethod
    def from_toml(cls, source: str | Path) -> Pipeline:
        """A pipeline from TOML text, or a file given as a Path: `name = "..."` and a `[[policies]]` table a policy."""
        from seawall.guard.pipeline._config import build, read_toml

        return build(read_toml(source))

    @classmethod
    def from_env(cls, prefix: str, base: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Pipeline:
        """A pipeline from `base`, with options replaced by variables like `PREFIX__RETRY__ATTEMPTS=5`.

        The middle part is the policy's name or type in capitals; values are read as TOML, else as text.
        """
        from seawall.guard.pipeline._config import build, overlaid

        return build(overlaid(base, prefix, environment))

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.policies, self.name, self._written)

    def __repr__(self) -> str:
        return f"<Pipeline {self.name!r}: {' > '.join(policy._title() for policy in self)}>"


def _again(
    kind: type[Pipeline], policies: tuple[Policy, ...], name: str, written: tuple[tuple[str, dict[str, Any]], ...]
) -> Pipeline:
    made = kind(*policies, name=name)
    made._written = written
    return made


def arranged(policies: Iterable[Any]) -> tuple[Policy, ...]:
    """Policies in one row: pipelines taken apart, objects with hooks made policies."""
    row: list[Policy] = []
    for policy in policies:
        if isinstance(policy, Pipeline):
            row.extend(policy.policies)
        elif isinstance(policy, Policy) and isinstance(policy, Face):
            row.append(policy)
        elif isinstance(policy, Policy):
            raise ConfigError(f"{policy!r} decides by key and cannot stand in a pipeline; call it with a key inside")
        elif isinstance(policy, type):
            raise ConfigError(f"a pipeline is made of policies, got the class {policy.__name__}; call it first")
        else:
            row.append(Custom(policy))
    if not 1 <= len(row) <= _core.MOST_POLICIES:
        raise ConfigError(
            f"a pipeline has 1 to {_core.MOST_POLICIES} policies, got {len(row)}; guard a guarded function for more"
        )
    return tuple(row)
