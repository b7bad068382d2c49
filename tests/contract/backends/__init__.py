"""Engines under test: every subclass of Backend in a module of this package."""

import importlib
import pkgutil

from tests.contract.backends._base import Backend

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def _all(kind: type[Backend]) -> list[type[Backend]]:
    return [found for sub in kind.__subclasses__() for found in (sub, *_all(sub))]


BACKENDS = {kind.name: kind for kind in _all(Backend) if hasattr(kind, "name")}
