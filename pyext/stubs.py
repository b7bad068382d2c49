"""Writes the type stubs of the compiled modules from the signatures compiled into them; `--check` only compares.

Run after a build: `python pyext/stubs.py [--check]`. Cython modules carry their signatures in their docstrings
(embedsignature); what they leave open is said by parameter name below. nanobind brings a generator of its own.
"""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "python" / "seawall" / "_core"
CYTHON = (
    "clock",
    "segment",
    "policy",
    "guarded",
    "passage",
    "breaker",
    "budget",
    "retry",
    "deadline",
    "bulkhead",
    "adaptive",
    "timeout",
    "fallback",
    "hedge",
    "throttle",
    "limits",
    "lease",
    "keyed",
    "counter",
    "descriptors",
    "histogram",
    "tally",
    "logical",
    "hashing",
    "metrics",
    "tracing",
    "sampling",
)
NANOBIND = ("bulk", "placing", *(("http",) if sys.platform == "linux" else ()))

# Types of parameters that the signatures leave open, because the binding itself checks them or takes any.
BY_PARAMETER = {
    "cost": "SupportsIndex",
    "key": "_Key",
    "keys": "Sequence[_Key] | NDArray[Any]",
    "costs": "Sequence[int] | NDArray[Any] | None",
    "clock": "Clock",  # the compiled one: anything with hands
    "segment": "Segment | None",
    "factory": "Callable[[Iterable[Any]], Any]",
}
# Attributes and results that carry no signature.
BY_NAME = {
    "Route.policies": "tuple[Policy, ...]",
    "Policy.clock": "PublicClock",
    "Policy.name": "str",
    "Policy.let_through": "int",
    "Base.segment": "Segment | None",
    "Base._config": "tuple[int, int, int]",
    "Breaker.segment": "Segment | None",
    "Breaker._config": "tuple[int, ...]",
    "Breaker._statistics": "tuple[int, int, int, int, int, int, int, int]",
    "Breaker._window": "tuple[int, int, int, int]",
    "Breaker._outlook": "tuple[str, int, float, float | None]",
    "Breaker.try_enter": "Permit | Refusal",
    "Limiter._counts": "tuple[int, int]",
    "Lease._counts": "tuple[int, int]",
    "Lease.held": "int",
    "Lease.until_ns": "int",
    "Lease.shut_until_ns": "int",
    "KeyedLimiter._counts": "tuple[int, int, int, int]",
    "Lamport.segment": "Segment | None",
    "Hybrid.segment": "Segment | None",
    "Hybrid.name": "str",
    "Hybrid._figures": "tuple[int, int, int, int, int]",
    "Vector._entries": "list[tuple[str, int, int]]",
    "Vector._pruned": "tuple[int, bytes, int]",
    "Vector.compare": "Order",
    "Budget.clock": "PublicClock",
    "Budget.name": "str",
    "Budget.segment": "Segment | None",
    "Budget._config": "tuple[int, int, int]",
    "Budget.__reduce__": "tuple[Any, ...]",
    "Retry._counts": "tuple[int, int, int, int, int, int]",
    "Retry._after": "tuple[int, Any]",
    "Placement.names": "tuple[str, ...]",
    "Placement.members": "tuple[Node, ...]",
    "Placement._settings": "dict[str, Any]",
    "Held.node": "str",
    "KeyedLimiter.max_keys": "int",
    "KeyedLimiter.table_bytes": "int",
    "KeyedLimiter.try_acquire_many": "NDArray[numpy.bool_]",
    "Segment.listing": "list[tuple[str, str, int, int]]",
    "Table.read": "list[tuple[tuple[Any, ...], int, list[tuple[tuple[str, ...], Any, Any]]]]",
    "Table.names": "list[tuple[str, int]]",
    "Table.segment": "Segment | None",
    "Bound.clock": "PublicClock",
    "Bound.label_values": "dict[str, str]",
    "Labelled.name": "str",
    "Labelled.label_names": "tuple[str, ...]",
    "Labelled.table": "Table",
    "Tally.codes": "dict[int, int]",
    "Tally.entries": "dict[int, tuple[str, str]]",
    "Tally.totals": "tuple[int, int, int, int, int, float]",
    "_attach": "Any",
    "Base.__reduce__": "tuple[Any, ...]",
    "own_methods": "type[_T]",
    "Deadline.at_ns": "int",
    "Deadline.clock": "PublicClock",
    "Waiter.bell": "Any",
    "Timing.expired": "int",
    "Timing.abandoned": "int",
    "Timing._expired": "Any",
    "Recovering.passed": "int",
    "Recovering.answered": "int",
    "Recovering.exhausted": "int",
    "Recovering._answer": "tuple[bool, Any] | None",
    "Attempt.error": "BaseException",
    "Attempt.step": "int",
    "Attempt.age": "float | None",
    "Attempt.is_async": "bool",
    "Attempt.is_stream": "bool",
    "Attempt.failures": "tuple[BaseException, ...]",
    "Span.attributes": "dict[str, Any]",
    "Span.events": "tuple[tuple[str, int, dict[str, Any]], ...]",
    "Span.links": "tuple[Position, ...] | None",
    "Span.name": "str",
    "Span.message": "str | None",
    "Span.dropped": "int",
    "Span.__enter__": "Self",
    "Span.__reduce__": "Any",
    "Unrecorded.__reduce__": "Any",
    "Remote.__reduce__": "tuple[Any, ...]",
    "Unrecorded.name": "str",
    "Unrecorded.__enter__": "Self",
    "Batch.spans": "list[Span]",
    "Batch.root": "Span | None",
    "Batch.reason": "str",
    "Batch.resource": "dict[str, Any]",
    "Batch.overflow": "int",
    "Ring.listing": "list[Batch]",
    "Ring.forgotten": "int",
    "Tracer.clock": "PublicClock",
    "Tracer.resource": "dict[str, Any]",
    "Tracer.span": "Span | Unrecorded",
    "Tracer._counts": "tuple[int, int, int, int, int, int, int, int]",
}
BY_NAME_PARAMETERS = {
    "own_methods": "(cls: type[_T]) -> type[_T]",
    "quick_labels": "(cls: type[_T]) -> type[_T]",
    "Histogram._follow": "(self, source: Measured, taken: Measured) -> None",
    "stable_hash": "(key: str | bytes | int) -> int",
    "jump": "(key: str | bytes | int, buckets: int) -> int",
    "Tracer.span": (
        "(self, name: str, attributes: Mapping[str, Any] | None = ..., *, kind: str | None = ..., "
        "parent: Position | Literal[False] | None = ..., links: Iterable[Position] | None = ...) -> Span | Unrecorded"
    ),
    "Span.event": "(self, name: str, attributes: Mapping[str, Any] | None = ...) -> None",
    "Span.record": "(self, error: BaseException) -> None",
    "Unrecorded.event": "(self, name: str, attributes: Mapping[str, Any] | None = ...) -> None",
    "Unrecorded.record": "(self, error: BaseException) -> None",
    "Placement.node": "(self, key: str | bytes | int) -> str",
    "Placement.nodes": "(self, key: str | bytes | int, n: int, *, distinct_zones: bool = ...) -> tuple[str, ...]",
    "BoundedTable.node": "(self, key: str | bytes | int, loads: Mapping[str, int] | None = ...) -> str",
    "BoundedTable.acquire": "(self, key: str | bytes | int) -> Held",
}
CONSTANTS = {
    "limits": {"KINDS": "tuple[str, ...]"},
    "guarded": {"MOST_POLICIES": "int"},
    "breaker": {"STATES": "tuple[str, ...]"},
    "adaptive": dict.fromkeys(("PHASES", "REASONS"), "tuple[str, ...]"),
    "budget": {"MOST_RESERVE": "int"},
    "throttle": {"WINDOW_BUCKETS": "int"},
    "retry": dict.fromkeys(("ACCEPTED", "GAVE_UP", "OVER_BUDGET", "RECOVERED"), "int"),
    "deadline": {"IN_FORCE": "ContextVar[Any]"},
    "logical": {"LAST_STAMP": "int", "LAST_TICK": "int"},
    "fallback": {"USED": "ContextVar[Any]"},
    "tracing": {"KINDS": "tuple[str, ...]", "SPAN": "ContextVar[Span | Unrecorded | None]"},
}
# The last three stand above _core: only the stubs know them, so that users see the real types.
IMPORTS = (
    ("_core.clock", "Clock"),
    ("_core.policy", "Policy"),
    ("_core.policy", "Waiting"),
    ("_core.guarded", "Route"),
    ("_core.deadline", "Deadline"),
    ("_core.bulkhead", "Places"),
    ("_core.limits", "Base"),
    ("_core.limits", "Limiter"),
    ("_core.limits", "Permit"),
    ("_core.segment", "Segment"),
    ("_core.histogram", "Histogram"),
    ("_core.histogram", "Histogram as Measured"),
    ("clock", "Clock as PublicClock"),
    ("guard.limits._decision", "Decision"),
    ("distributed.clocks._order", "Order"),
    ("distributed.hashing._nodes", "Node"),
)
# Constructors are not introspectable in extension types.
CONSTRUCTORS = {
    "Segment": "(cls, path: str, size: int = ..., **_: Any) -> Self",
    "Guarded": (
        "(self, fn: Callable[..., Any], stages: tuple[Policy, ...] | Route, policy: Any, is_async: bool) -> None"
    ),
    "Route": "(self, stages: tuple[Policy, ...]) -> None",
    "Passage": "(self, stages: tuple[Policy, ...] | Route, is_async: bool) -> None",
    "Waiter": "(self, bell: Any) -> None",
    "Table": (
        "(cls, segment: Segment | None = ..., name: str = ..., bytes: int = ..., workers: int = ..., clock: Any = ..., "
        "wall: Any = ...) -> Self"
    ),
    "Bound": "(cls, seat: Seat) -> Self",
    "metrics.Counter": "(cls, seat: Seat) -> Self",
    "metrics.Gauge": "(cls, seat: Seat) -> Self",
    "metrics.Histogram": "(cls, seat: Seat) -> Self",
    "Labelled": "(cls, table: Table, name: str, kind: type[Any]) -> Self",
    "Vector": "(cls, form: bytes) -> Self",
    "Remote": "(self, trace_id: int, span_id: int, flags: int, tracestate: str) -> None",
    "Traced": (
        "(self, tracer: Tracer, fn: Callable[..., Any], name: str, kind: str | None, "
        "attributes: Mapping[str, Any] | None) -> None"
    ),
    "Ring": "(self, most: int) -> None",
    "Counter": "(cls, segment: Segment | None = ..., name: str = ...) -> Self",
    "Gauge": "(cls, segment: Segment | None = ..., name: str = ...) -> Self",
    "Tally": (
        "(cls, interval: float, slices: int, begin: float, block_width: float, blocks: int, ends: tuple[float, ...], "
        "longest: float, memory: Any = ...) -> Self"
    ),
    "Histogram": (
        "(cls, lowest: int, highest: int, digits: int, segment: Segment | None = ..., name: str = ..., "
        "adopt: bool = ...) -> Self"
    ),
}
# Slots, which carry no signature either.
SLOTS = {
    "Flight": ("def __await__(self) -> Self: ...", "def __next__(self) -> Any: ..."),
    "Vector": ("def __bytes__(self) -> bytes: ...",),
    "Guarded": ("def __call__(self, *args: Any, **kwargs: Any) -> Any: ...",),
    "Traced": ("def __call__(self, *args: Any, **kwargs: Any) -> Any: ...",),
    "Batch": ("def __len__(self) -> int: ...",),
    "Ring": ("def __len__(self) -> int: ...",),
}
SPECIAL = {
    *("__reduce__", "__repr__", "__enter__", "__exit__", "__bool__"),
    *("__wrapped__", "__name__", "__qualname__"),
}
CAN_BE_SUBCLASSED = 1 << 10  # Py_TPFLAGS_BASETYPE
HEADER = '''"""Generated by pyext/stubs.py; do not edit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Final, Literal, Self, SupportsIndex, TypeVar, final

import numpy
from numpy.typing import NDArray
{imports}
_T = TypeVar("_T")
_Key = str | bytes | int | tuple[Any, ...]

'''
SKIPPED = {"__reduce_cython__", "__setstate_cython__", "__new__", "__pyx_vtable__"}


def signature(member: object, owner: str, name: str) -> str | None:
    """`(self, ...) -> type` of a compiled function or method, as text."""
    first = (getattr(member, "__doc__", None) or "").split("\n", 1)[0]
    match = re.fullmatch(r"(\w+)(\(.*\))(?: -> (.+))?", first)
    if match is None or match[1] in SKIPPED:
        return None
    full = f"{owner}.{name}" if owner else name
    if full in BY_NAME_PARAMETERS:
        return BY_NAME_PARAMETERS[full]
    parameters = ", ".join(parameter(p.strip()) for p in split(match[2][1:-1]))
    answer = BY_NAME.get(full, match[3] or "None")
    answer = {"tuple": "tuple[Any, ...]", "list": "list[Any]", "object": "Any"}.get(answer, answer)
    return f"({parameters}) -> {answer}"


def split(parameters: str) -> list[str]:
    """Parameters at the top level of a signature."""
    return [p for p in re.split(r",\s*(?![^\[(]*[\])])", parameters) if p]


def parameter(text: str) -> str:
    """One parameter with a type and `...` for its default."""
    if text in ("self", "/", "*"):
        return text
    name, _, kind = text.partition(":")
    name, _, default = name.partition("=")
    kind, _, typed_default = kind.partition("=")
    name, kind = name.strip(), kind.strip()
    if kind in ("", "object"):
        kind = BY_PARAMETER.get(name, "Any")
    kind = {
        "type": "type[Any]",
        "tuple": "tuple[Any, ...]",
        "dict": "dict[str, Any]",
        "tuple | Route": "tuple[Policy, ...] | Route",
    }.get(kind, kind)
    return f"{name}: {kind}" + (" = ..." if default or typed_default else "")


def stub_of_class(kind: type) -> list[str]:
    """The lines of one class."""
    bases = "" if kind.__base__ is object else f"({kind.__base__.__name__})"
    head = [] if kind.__flags__ & CAN_BE_SUBCLASSED else ["@final"]
    head.append(f"class {kind.__name__}{bases}:")
    lines = [f"    {slot}" for slot in SLOTS.get(kind.__name__, ())]
    area = kind.__module__.rpartition(".")[2]
    made = CONSTRUCTORS.get(f"{area}.{kind.__name__}", CONSTRUCTORS.get(kind.__name__))
    if made is not None:
        lines.append(f"    def {'__new__' if made.startswith('(cls') else '__init__'}{made}: ...")
    elif "__init__" in vars(kind):
        lines.append("    def __init__(self, *args: Any, **kwargs: Any) -> None: ...")
    for name, member in sorted(vars(kind).items()):
        if name in SKIPPED or (name.startswith("__") and name not in SPECIAL):
            continue
        if inspect.isgetsetdescriptor(member):
            text = (member.__doc__ or "").split("\n", 1)[0].partition(":")[2].strip()
            answer = BY_NAME.get(f"{kind.__name__}.{name}", text or "Any")
            lines += ["    @property", f"    def {name}(self) -> {answer}: ..."]
        elif (said := signature(member, kind.__name__, name)) is not None:
            lines.append(f"    def {name}{said}: ...")
    return [*head, *(lines or ["    pass"])]


def stub_of(area: str) -> str:
    """The stub of one Cython module."""
    module = importlib.import_module(f"seawall._core.{area}")
    own = {n: v for n, v in vars(module).items() if getattr(v, "__module__", None) == module.__name__}
    classes = [v for v in own.values() if isinstance(v, type)]
    body: list[str] = [f"{name}: Final[{kind}]" for name, kind in CONSTANTS.get(area, {}).items()]
    for kind in sorted(classes, key=lambda k: len(k.__mro__)):
        body += ["", *stub_of_class(kind)]
    for name, member in sorted(own.items()):
        if not isinstance(member, type) and (said := signature(member, "", name)) is not None:
            body += ["", f"def {name}{said}: ..."]
    text = "\n".join(body)
    imports = "\n".join(
        f"from seawall.{home} import {name}"
        for home, name in IMPORTS
        if home != f"_core.{area}" and name not in own and re.search(rf"\b{name.split()[-1]}\b", text)
    )
    return HEADER.format(imports=imports) + text + "\n"


def nanobind_stub(area: str) -> str:
    """The stub of one nanobind module, by nanobind's own generator."""
    with tempfile.NamedTemporaryFile(suffix=".pyi") as file:
        command = [sys.executable, "-m", "nanobind.stubgen", "-q", "-m", f"seawall._core.{area}", "-o", file.name]
        subprocess.run(command, check=True)
        return Path(file.name).read_text()


def formatted(text: str) -> str:
    """As ruff formats and prunes it, so that the committed file and the generated one can be compared."""
    for command in (
        ["check", "--fix", "-q", "--select", "F401,I", "--isolated"],
        ["format", "-q", "--line-length", "120"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", "stub.pyi", "-"],
            input=text, capture_output=True, text=True, check=True,
        )  # fmt: skip
        text = done.stdout
    return text


def main() -> int:
    """Write or compare all stubs; 1 when a comparison fails."""
    check, stale = "--check" in sys.argv, []
    for area in (*CYTHON, *NANOBIND):
        text = formatted(nanobind_stub(area) if area in NANOBIND else stub_of(area))
        path = OUT / f"{area}.pyi"
        if check and (not path.exists() or path.read_text() != text):
            stale.append(path.name)
        elif not check:
            path.write_text(text)
    if stale:
        print(f"stale stubs: {', '.join(stale)}; run python pyext/stubs.py", file=sys.stderr)
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main())
