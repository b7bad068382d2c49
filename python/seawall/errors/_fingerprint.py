"""Which errors are the same error: fingerprints that survive ids, counts and moved lines."""

from __future__ import annotations

import hashlib
import re
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from seawall.patterns import Registry

_LONGEST = 200
_VARYING = (
    (re.compile(r"\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b", re.IGNORECASE), "<uuid>"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE), "<hex>"),
    (re.compile(r"\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{6,}\b", re.IGNORECASE), "<hex>"),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "<n>"),
    (re.compile(r"\s+"), " "),
)
_STDLIB = tuple({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")})
_OTHERS = ("site-packages", "dist-packages")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What errors have in common that are the same error.

    Args:
        type_name: Module and name of the error's type.
        module: Module of the innermost frame of the application; empty when there is none.
        function: Its function.
        message: The message without numbers, hexadecimal numbers and UUIDs, at most 200 characters.
    """

    type_name: str
    module: str = ""
    function: str = ""
    message: str = ""

    @property
    def id(self) -> str:
        """Twelve characters that stand for it, the same in every process."""
        text = "\0".join((self.type_name, self.module, self.function, self.message))
        return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=6).hexdigest()

    def __str__(self) -> str:
        place = f" in {self.module}.{self.function}" if self.function else ""
        return f"{self.type_name}{place}: {self.message}" if self.message else f"{self.type_name}{place}"


OTHER = Fingerprint("other")

fingerprints: Registry[Callable[[BaseException], Fingerprint]] = Registry(
    "fingerprints", entry_points="seawall.fingerprints"
)
"""Ways to take fingerprints: "frame" (type, innermost function, message), "message" (type, message), "type"."""


@fingerprints.register("frame")
def _by_frame() -> Callable[[BaseException], Fingerprint]:
    def take(error: BaseException) -> Fingerprint:
        return Fingerprint(type_name(error), *_place(error), normalised(message_of(error)))

    return take


@fingerprints.register("message")
def _by_message() -> Callable[[BaseException], Fingerprint]:
    return lambda error: Fingerprint(type_name(error), message=normalised(message_of(error)))


@fingerprints.register("type")
def _by_type() -> Callable[[BaseException], Fingerprint]:
    return lambda error: Fingerprint(type_name(error))


def type_name(error: BaseException) -> str:
    """Module and name of an error's type; no module for Python's own."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def message_of(error: BaseException) -> str:
    """What an error says, even when its `__str__` is broken."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - foreign code
        return "<message that cannot be shown>"


def normalised(message: str) -> str:
    """A message without what varies from one error to the next.

    Example:
        >>> normalised("order 1234 of 0x7f3a at 12:30 failed, id 7d444840-9dc0-11d1-b245-5ffdce74fad2")
        'order <n> of <hex> at <n> failed, id <uuid>'
    """
    # Cut first: a message of megabytes must not cost a regular expression over all of it.
    text = message[: 4 * _LONGEST]
    for pattern, stand_in in _VARYING:
        text = pattern.sub(stand_in, text)
    return text.strip()[:_LONGEST]


def _place(error: BaseException) -> tuple[str, str]:
    innermost = ("", "")
    mine = ("", "")
    trace = error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        innermost = (_module(frame), frame.f_code.co_qualname)
        if _is_application(frame.f_code, innermost[0]):
            mine = innermost
        trace = trace.tb_next
    return mine if mine[1] else innermost


def _module(frame: FrameType) -> str:
    name: Any = frame.f_globals.get("__name__", "")
    return str(name)


def _is_application(code: CodeType, module: str) -> bool:
    path = code.co_filename
    foreign = path.startswith(("<frozen", *_STDLIB)) or any(part in path for part in _OTHERS)
    return not foreign and module.partition(".")[0] != "seawall"
