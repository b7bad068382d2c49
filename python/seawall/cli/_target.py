"""What `seawall load` calls: a URL with its options, or a function by name."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from seawall.errors import ConfigError
from seawall.measure.load import Feed, Request, Scenario

_NAME = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
_FUNCTION = re.compile(f"({_NAME}):({_NAME})")
# Of a scenario, how options are called and what a Request calls them.
_REQUEST = {
    "method": "method",
    "headers": "headers",
    "body": "body",
    "expect_status": "status",
    "expect_body": "contains",
    "expect_size": "size",
    "verify": "verify",
}


def scenario_of(name: str, target: str, options: Mapping[str, Any]) -> Scenario:
    """A scenario from a target and the options that were given for it.

    Args:
        name: Of the scenario.
        target: A URL, or `module:function`.
        options: Those of a Scenario and, by the names of `_REQUEST`, those of a Request.

    Raises:
        ConfigError: An option does not go with the target, or the function cannot be found.
    """
    request = {_REQUEST[key]: value for key, value in options.items() if key in _REQUEST}
    others = {key: value for key, value in options.items() if key not in _REQUEST}
    for key in ("worker", "check"):
        if key in others:
            others[key] = function_of(others[key])
    if isinstance(others.get("feed"), str):
        others["feed"] = Feed.csv(others["feed"])
    if not _FUNCTION.fullmatch(target):
        if "body" in request:
            request.setdefault("method", "POST")
        return Scenario(name, Request(target, **request), **others)
    if request:
        first = next(key for key in options if key in _REQUEST)
        raise ConfigError(f"{first} goes with a URL, got {options[first]!r} beside {target!r}; leave it out")
    return Scenario(name, function_of(target), **others)


def function_of(text: str) -> Callable[..., Any]:
    """A function by `module:name`, importable from the current directory too, as `python -m` does.

    Raises:
        ConfigError: There is no such thing.
    """
    made = thing_of(text, "a function", "shop.load:checkout")
    if not callable(made):
        raise ConfigError(f"a function must be callable, got {text!r}, which is {made!r:.100}")
    return made  # type: ignore[no-any-return]


def thing_of(text: str, what: str, example: str) -> Any:
    """Whatever has a name in a module; `what` names it in errors.

    Raises:
        ConfigError: There is no such thing.
    """
    found = _FUNCTION.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ConfigError(f"{what} must be written as module:name, got {text!r}; for example {example}")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        made: Any = importlib.import_module(found[1])
        for part in found[2].split("."):
            made = getattr(made, part)
    except AttributeError as error:
        raise ConfigError(f"{what} must be there, got {text!r}: {error}") from error
    except Exception as error:
        # Whatever the module does when it is imported.
        raise ConfigError(
            f"{what} must be in a module that can be imported, got {text!r}: {type(error).__name__}: {error}"
        ) from error
    return made


def body_of(texts: Sequence[str], folder: Path = Path()) -> bytes | str | list[bytes | str]:
    """A body, or several that take turns; `@FILE` is what the file holds."""
    bodies: list[bytes | str] = []
    for text in texts:
        if not text.startswith("@"):
            bodies.append(text)
            continue
        try:
            bodies.append((folder / text[1:]).read_bytes())
        except OSError as error:
            raise ConfigError(f"data must be a text or @FILE, got {text!r}: {error.strerror}") from error
    return bodies[0] if len(bodies) == 1 else bodies


def statuses_of(texts: Sequence[str]) -> list[int]:
    """Statuses from words such as `200`, `404` and `2xx`, also with commas between."""
    found: list[int] = []
    for word in ",".join(texts).split(","):
        plain = word.strip().lower()
        if re.fullmatch(r"[1-5]\d\d", plain):
            found.append(int(plain))
        elif re.fullmatch(r"[1-5]xx", plain):
            found += range(int(plain[0]) * 100, int(plain[0]) * 100 + 100)
        else:
            raise ConfigError(
                f"expect-status must be statuses from 100 to 599, got {word!r}; for example 200,404 or 2xx"
            )
    return found


def size_of(text: str) -> tuple[int, int]:
    """The least and the most bytes from `100` or `1:1000`."""
    found = re.fullmatch(r"(\d+)(?::(\d+))?", text.strip())
    if found is None:
        raise ConfigError(
            f"expect-size must be a number of bytes or the least and the most, got {text!r}; for example 1:1000"
        )
    return int(found[1]), int(found[2] or found[1])
