"""Settings that other processes can be told."""

from __future__ import annotations

import multiprocessing
import pickle
import sys

from seawall.errors import ConfigError
from seawall.measure.load._settings import Settings
from seawall.measure.load.target import Scenario

_FUNCTIONS = ("target", "worker", "check")


def packed(settings: Settings) -> bytes:
    """The settings as bytes.

    Raises:
        ConfigError: Something in them cannot go to other processes, or could not be found there.
    """
    _check_daemon(settings.workers)
    for scenario in settings.scenarios:
        for option in _FUNCTIONS:
            _check_importable(scenario, option, settings.workers)
    try:
        return pickle.dumps(settings, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        # Only now, because rows can be many and packing them twice takes time.
        for scenario in settings.scenarios:
            for option in (*_FUNCTIONS, "feed"):
                _check_picklable(scenario, option, settings.workers)
        raise ConfigError(
            f"workers {settings.workers} needs settings that can be pickled: {error}; use classes of a module"
        ) from error


def _check_picklable(scenario: Scenario, option: str, workers: int) -> None:
    value = getattr(scenario, option)
    try:
        pickle.dumps(value)
    except Exception as error:
        if option == "feed":
            raise ConfigError(
                f"feed must have rows that can be pickled where workers is {workers}: {error}; use plain values"
            ) from error
        raise ConfigError(
            f"{option} must be something that can be pickled where workers is {workers}, got {_words(value)}; "
            "use a function at the top level of a module"
        ) from error


def _check_importable(scenario: Scenario, option: str, workers: int) -> None:
    main = sys.modules["__main__"]
    found = getattr(main, "__spec__", None) is not None or hasattr(main, "__file__")
    value = getattr(scenario, option)
    if not found and getattr(value, "__module__", None) == "__main__":
        raise ConfigError(
            f"{option} must be something that other processes can import where workers is {workers}, got "
            f"{_words(value)} typed into this one; put it into a module"
        )


def _check_daemon(workers: int) -> None:
    if multiprocessing.current_process().daemon:
        raise ConfigError(f"workers must be 1 in a daemonic process, which may start no others, got {workers}")


def _words(value: object) -> str:
    name = getattr(value, "__qualname__", None)
    return f"{name}()" if name else repr(value)
