"""Policies of one's own, by hooks, and objects whose hooks have other names, by an Adapter."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.guard.witness import Witness

import seawall as sw
from seawall.errors import ConfigError
from seawall.guard import Custom, Hooks, Pipeline
from seawall.patterns import Adapter


class Foreign:
    """Does the same with other words."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    def enter(self) -> int:
        return len(self.log)

    def leave(self, token: Any, result: Any, error: BaseException | None) -> None:
        self.log.append((token, result, error))

    def stats(self) -> int:
        return len(self.log)


def test_an_adapter_gives_a_foreign_object_the_names_of_hooks() -> None:
    """What calls its hooks otherwise stands in a pipeline all the same."""
    foreign = Foreign()
    adapted = Adapter(Hooks).wrap(foreign, rename={"before": "enter", "after": "leave"})
    guard = Pipeline(Custom(adapted, name="foreign"), Custom(Witness()))
    assert guard.call(lambda: 7) == 7
    assert foreign.log == [(0, 7, None)]


@pytest.mark.parametrize(
    ("hooks", "message"),
    [
        (Foreign(), "Foreign is no Hooks: before is missing; after is missing"),
        (type("Half", (), {"before": lambda self: None})(), "Half is no Hooks: after is missing"),
    ],
)
def test_an_object_with_other_names_is_told_so(hooks: Any, message: str) -> None:
    """The whole message, with all that is missing."""
    with pytest.raises(ConfigError) as caught:
        Custom(hooks)
    assert str(caught.value) == message


def test_asynchronous_hooks_are_refused() -> None:
    """Hooks run inside the call's way and wait for nothing."""

    class Later:
        async def before(self) -> None: ...

        def after(self, token: Any, result: Any, error: BaseException | None) -> None: ...

    with pytest.raises(ConfigError) as caught:
        Custom(Later())  # type: ignore[arg-type]
    assert str(caught.value).endswith("Later is no Hooks: before must not be async")


def test_statistics_of_hooks_are_their_own() -> None:
    """`stats` of the object when it has one, else None."""
    guard = Pipeline(Custom(Foreign2(), name="foreign"), Custom(Witness()))
    guard.call(lambda: 7)
    assert guard.stats().policies == (1, None)


class Foreign2(Witness):
    """Hooks that count."""

    def stats(self) -> int:
        """How many calls."""
        return len(self.heard)


def test_an_error_of_after_keeps_the_callee_s_in_its_context() -> None:
    """What the callee raised is not lost when `after` raises something else."""

    class Worse(Witness):
        def after(self, token: Any, result: Any, error: BaseException | None) -> None:
            raise RuntimeError("worse")

    def fail() -> None:
        raise LookupError("first")

    with pytest.raises(RuntimeError, match=r"(?m)^worse$") as caught:
        Custom(Worse()).call(fail)
    assert repr(caught.value.__context__) == "LookupError('first')"


def test_what_before_raises_is_the_refusal() -> None:
    """Best a subclass of Rejected; its details reach the caller."""

    class Closed(Witness):
        def before(self) -> str:
            raise sw.Shed("closed on Sundays", retry_after=3600, policy="weekend")

    with pytest.raises(sw.Shed) as caught:
        Pipeline(Closed()).call(lambda: 7)
    assert (str(caught.value), caught.value.retry_after, caught.value.policy) == ("closed on Sundays", 3600, "weekend")
