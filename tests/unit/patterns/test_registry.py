"""Registries: names, factories, entry points of installed packages."""

from __future__ import annotations

import re
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Protocol

import pytest

from seawall.errors import ConfigError
from seawall.patterns import Registry


class Greeter(Protocol):
    def greet(self, name: str) -> str: ...


class Polite:
    def greet(self, name: str) -> str:
        return f"good day, {name}"


def exactly(text: str) -> str:
    """A pattern for the whole message."""
    return f"^{re.escape(text)}$"


def package(folder: Path, name: str, points: str) -> None:
    """An installed distribution with entry points, as pip leaves it."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[seawall.test_greeters]\n{points}\n")


def test_what_is_registered_is_created() -> None:
    """Arguments go to the factory."""
    registry: Registry[list[int]] = Registry("lists", list)
    registry.register("pair", lambda a, b=0: [a, b])
    assert registry.create("pair", 1, b=2) == [1, 2]
    assert "pair" in registry
    assert "pears" not in registry
    assert list(registry) == ["pair"]
    assert len(registry) == 1
    assert repr(registry) == "<Registry lists: pair>"


def test_register_decorates() -> None:
    """The decorated class stays what it was."""
    registry: Registry[Greeter] = Registry("greeters", Greeter)

    @registry.register("polite")
    class Other(Polite):
        pass

    assert registry.get("polite") is Other
    assert registry.create("polite").greet("you") == "good day, you"


def test_a_taken_name_is_refused_unless_it_is_replaced() -> None:
    """The message shows who has it and both ways out."""
    registry: Registry[object] = Registry("things")
    registry.register("a", int)
    with pytest.raises(
        ConfigError,
        match=exactly("things already has 'a': <class 'int'>; choose another name, or pass replace=True"),
    ):
        registry.register("a", str)
    registry.register("a", str, replace=True)
    assert registry.get("a") is str


@pytest.mark.parametrize("name", ["", "A", "1a", "a b", "a" * 65, "ä", 7, None])
def test_names_are_checked(name: object) -> None:
    """A name must read the same everywhere."""
    with pytest.raises(
        ConfigError,
        match=exactly(f"a name in things must be 1 to 64 of a-z, 0-9, '_', '.' and '-', a letter first, got {name!r}"),
    ):
        Registry("things").register(name, int)  # type: ignore[call-overload]


def test_a_factory_must_be_callable() -> None:
    """A value is no factory."""
    with pytest.raises(ConfigError, match=exactly("the factory for 'a' in things must be callable, got 7")):
        Registry("things").register("a", 7)  # type: ignore[call-overload]


def test_a_base_must_be_a_class() -> None:
    """A string is no base."""
    with pytest.raises(ConfigError, match=exactly("the base of things must be a class or a protocol, got 'x'")):
        Registry("things", "x")  # type: ignore[arg-type]


def test_a_missing_name_is_explained() -> None:
    """The nearest spelling and everything there is; nothing when there is nothing."""
    registry: Registry[object] = Registry("policies")
    with pytest.raises(ConfigError, match=exactly("policies has no 'retry'; there is: nothing")):
        registry.get("retry")
    registry.register("retry", int)
    registry.register("breaker", int)
    with pytest.raises(
        ConfigError, match=exactly("policies has no 'retri'; did you mean 'retry'? there is: breaker, retry")
    ):
        registry.create("retri")
    with pytest.raises(ConfigError, match=exactly("policies has no 'zzz'; there is: breaker, retry")):
        registry.get("zzz")


def test_what_is_created_must_be_what_the_registry_holds() -> None:
    """Of the class, or with every part of the protocol."""
    lists: Registry[list[int]] = Registry("lists", list)
    lists.register("wrong", dict)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=exactly("'wrong' of lists must make a list, made dict")):
        lists.create("wrong")
    greeters: Registry[Greeter] = Registry("greeters", Greeter)
    greeters.register("wrong", dict)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=exactly("dict is no Greeter: greet is missing")):
        greeters.create("wrong")


def test_entry_points_are_found_on_a_miss_and_loaded_on_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package offers factories without being imported before they are used."""
    package(tmp_path, "hello", "polite = seawall_test_hello:Hello\nbroken = seawall_test_hello:Missing")
    (tmp_path / "seawall_test_hello.py").write_text("class Hello:\n    def greet(self, name): return f'hello {name}'\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry: Registry[Greeter] = Registry("greeters", Greeter, entry_points="seawall.test_greeters")
    assert registry.names() == ("broken", "polite")
    assert "seawall_test_hello" not in sys.modules
    assert registry.create("polite").greet("you") == "hello you"
    with pytest.raises(
        ConfigError,
        match=exactly(
            "'broken' of greeters cannot be loaded from seawall_test_hello:Missing: "
            "AttributeError(\"module 'seawall_test_hello' has no attribute 'Missing'\")"
        ),
    ):
        registry.get("broken")
    monkeypatch.delitem(sys.modules, "seawall_test_hello")


def test_what_is_registered_goes_before_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service can replace what a package offers, without replace=True: it has not registered it before."""
    package(tmp_path, "hello", "polite = builtins:dict")
    monkeypatch.syspath_prepend(tmp_path)
    registry: Registry[Greeter] = Registry("greeters", Greeter, entry_points="seawall.test_greeters")
    registry.register("polite", Polite)
    assert registry.names() == ("polite",)
    assert registry.get("polite") is Polite


def test_what_is_registered_while_an_entry_point_loads_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package that registers itself when it is imported is not overruled by its own entry point."""
    registry: Registry[Greeter] = Registry("greeters", Greeter, entry_points="seawall.test_greeters")
    home = ModuleType("seawall_test_home")
    home.registry = registry  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "seawall_test_home", home)
    package(tmp_path, "self", "polite = seawall_test_self:Other")
    (tmp_path / "seawall_test_self.py").write_text(
        "from seawall_test_home import registry\n"
        "class Other:\n    pass\n"
        "class Mine:\n    pass\n"
        "registry.register('polite', Mine)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert registry.get("polite").__name__ == "Mine"
    monkeypatch.delitem(sys.modules, "seawall_test_self")


def test_two_packages_with_one_name_are_an_error_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which of them is used must not depend on the order of a path."""
    package(tmp_path, "one", "polite = builtins:dict")
    package(tmp_path, "two", "polite = builtins:list")
    monkeypatch.syspath_prepend(tmp_path)
    registry: Registry[object] = Registry("greeters", entry_points="seawall.test_greeters")
    with pytest.raises(
        ConfigError,
        match=exactly(
            "greeters finds 'polite' in more than one package: builtins:dict, builtins:list; "
            "register the one you mean with register('polite', ...)"
        ),
    ):
        registry.get("polite")


def test_an_entry_point_must_be_callable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point that names a value is no factory."""
    package(tmp_path, "one", "polite = sys:maxsize")
    monkeypatch.syspath_prepend(tmp_path)
    registry: Registry[object] = Registry("greeters", entry_points="seawall.test_greeters")
    with pytest.raises(ConfigError, match=r"^'polite' of greeters, sys:maxsize, must be callable, got \d+$"):
        registry.get("polite")


def test_entry_points_are_looked_for_once_and_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hit does not look; what is installed after the look is not seen."""
    registry: Registry[object] = Registry("greeters", entry_points="seawall.test_greeters")
    registry.register("mine", int)
    package(tmp_path / "a", "one", "early = builtins:dict")
    monkeypatch.syspath_prepend(tmp_path / "a")
    assert registry.get("mine") is int
    assert "early" in registry
    package(tmp_path / "b", "two", "late = builtins:dict")
    monkeypatch.syspath_prepend(tmp_path / "b")
    assert registry.names() == ("early", "mine")


def test_one_of_many_threads_gets_a_name() -> None:
    """Of threads that register one name together exactly one succeeds."""
    registry: Registry[object] = Registry("things")
    barrier, won = threading.Barrier(8), []

    def work() -> None:
        barrier.wait()
        try:
            registry.register("a", int)
        except ConfigError:
            return
        won.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [1]
