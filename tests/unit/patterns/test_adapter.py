"""Adapters: what is missing or wrong is named when an object is handed over."""

from __future__ import annotations

import functools
import pickle
import re
from collections.abc import Awaitable
from typing import Any, Protocol

import pytest

from seawall.errors import ConfigError
from seawall.patterns import Adapter, conform, missing_parts


class Store(Protocol):
    size: int

    def get(self, key: str) -> str: ...
    async def put(self, key: str, value: str, *, ttl: float = 1.0) -> None: ...


class Good:
    size = 1

    def get(self, key: str) -> str:
        return f"value of {key}"

    async def put(self, key: str, value: str, *, ttl: float = 1.0) -> None: ...


class Gate:
    def acquire(self, who: str = "") -> str:
        return f"{who} in"

    def release(self, *args: Any) -> None: ...


class Turnstile(Protocol):
    def enter(self, who: str = "") -> str: ...


def test_what_conforms_is_handed_back_itself() -> None:
    """No wrapper where none is needed."""
    good = Good()
    assert conform(good, Store) is good
    assert Adapter(Store).wrap(good) is good
    assert repr(Adapter(Store)) == "Adapter(Store)"


def test_every_missing_part_is_named() -> None:
    """One error for all of them."""
    with pytest.raises(
        ConfigError, match=r"^dict is no Store: size is missing; get must take 'key' by name; put is missing$"
    ):
        conform({}, Store)


def make(**parts: Any) -> object:
    """A store with other parts."""
    return type("Made", (Good,), parts)()


async def later(*args: Any, **kwargs: Any) -> Any:
    """Takes anything."""


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        ({"get": 7}, "get must be a method, is int"),
        ({"get": property(lambda _: print)}, "get must be a method, is a property"),
        ({"get": later}, "get must not be async"),
        ({"put": lambda self, key, value, *, ttl=1.0: None}, "put must be async"),
        ({"get": lambda self: ""}, "get must take 'key' as parameter 1"),
        ({"get": lambda self, name: ""}, "get must take 'key' by name"),
        ({"get": lambda self, name, key="": ""}, "get must take 'key' as parameter 1"),
        ({"get": lambda self, key, more: ""}, "get must not require 'more'"),
        ({"get": lambda self, key, *, more: ""}, "get must not require 'more'"),
    ],
)
def test_a_wrong_part_is_named(parts: dict[str, Any], fault: str) -> None:
    """Callable, asynchronous where it must be, with the parameters that callers pass."""
    assert missing_parts(make(**parts), Store) == (fault,)


def test_an_async_method_needs_its_parameters_too() -> None:
    """A keyword-only parameter of the protocol must be taken by name, and stay optional."""

    class NoTtl(Good):
        async def put(self, key: str, value: str) -> None: ...  # type: ignore[override]

    class MustTtl(Good):
        async def put(self, key: str, value: str, *, ttl: float) -> None: ...

    assert missing_parts(NoTtl(), Store) == ("put must take 'ttl' by name",)
    assert missing_parts(MustTtl(), Store) == ("put must not require 'ttl'",)


@pytest.mark.parametrize(
    "parts",
    [
        {"get": lambda self, key, more=1, *args, **kwargs: ""},
        {"get": lambda self, *args, **kwargs: ""},
        {"get": staticmethod(lambda key: "")},
        {"get": staticmethod(functools.partial(lambda a, key: "", "a"))},
        {"put": later},
    ],
)
def test_what_accepts_more_conforms(parts: dict[str, Any]) -> None:
    """Optional extras and catch-alls do no harm."""
    assert missing_parts(make(**parts), Store) == ()


def test_a_method_that_returns_an_awaitable_counts_as_async() -> None:
    """Clients often return futures from plain functions; their annotation says so."""

    def put(self: Any, key: str, value: str, *, ttl: float = 1.0) -> Awaitable[None]:
        raise AssertionError

    assert missing_parts(make(put=put), Store) == ()


def test_protocols_inherit_and_may_have_special_methods() -> None:
    """Parts of base protocols count, and so does __call__."""

    class Callable_(Store, Protocol):  # noqa: N801
        def __call__(self, *events: int, **more: int) -> None: ...

    assert missing_parts(Good(), Callable_) == ("__call__ is missing",)
    assert missing_parts(make(__call__=lambda self, event: None), Callable_) == (
        "__call__ must take *events",
        "__call__ must take **more",
        "__call__ must not require 'event'",
    )
    assert missing_parts(make(__call__=lambda self, *e, **m: None), Callable_) == ()


def test_what_tells_no_signature_is_taken_at_its_word() -> None:
    """Functions of C extensions may have none."""

    class Update(Protocol):
        def update(self, other: Any) -> None: ...

    assert missing_parts({}, Update) == ()


def test_names_can_be_mapped() -> None:
    """A thin object answers the protocol's name; everything else is the object's own."""
    gate = Gate()
    turnstile = Adapter(Turnstile).wrap(gate, rename={"enter": "acquire"})
    assert turnstile.enter("you") == "you in"
    assert turnstile.release() is None  # type: ignore[attr-defined]
    assert repr(turnstile) == "<Gate adapted: enter is acquire>"
    assert pickle.loads(pickle.dumps(turnstile)).enter("me") == "me in"


def test_special_methods_can_be_mapped() -> None:
    """Python looks for them in the type, and there they are."""

    class Caller(Protocol):
        def __call__(self, who: str) -> str: ...

    assert Adapter(Caller).wrap(Gate(), rename={"__call__": "acquire"})("you") == "you in"


def test_a_mapped_part_is_checked_under_its_own_name() -> None:
    """The message names what the object has, or lacks."""
    with pytest.raises(ConfigError, match=r"^Gate is no Turnstile: aquire is missing$"):
        Adapter(Turnstile).wrap(Gate(), rename={"enter": "aquire"})


def test_a_mapping_of_unknown_names_is_refused() -> None:
    """A misspelt name of the protocol would otherwise never be noticed."""
    with pytest.raises(ConfigError, match=re.escape("rename must map names of Turnstile (enter), got entr")):
        Adapter(Turnstile).wrap(Gate(), rename={"entr": "acquire"})


def test_only_protocols_make_adapters() -> None:
    """A class is no protocol."""
    with pytest.raises(ConfigError, match=r"^an adapter needs a typing.Protocol, got <class 'dict'>$"):
        Adapter(dict)


def test_classes_are_named_as_themselves() -> None:
    """Handing over the class instead of an object is a common slip."""
    with pytest.raises(ConfigError, match=r"^Gate is no Turnstile: enter is missing$"):
        conform(Gate, Turnstile)
