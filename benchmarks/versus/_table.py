"""Which library can do which job."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from benchmarks._case import Case, Missing

# file: (what pip calls it, the functions the file has)
LIBRARIES = {
    "limits": ("limits", {"admitted", "refused", "keyed", "over_valkey"}),
    "pyrate_limiter": ("pyrate-limiter", {"admitted", "refused"}),
    "throttled": ("throttled-py", {"admitted", "refused", "keyed"}),
    "aiolimiter": ("aiolimiter", {"admitted", "refused"}),
    "token_bucket": ("token-bucket", {"admitted", "refused", "keyed"}),
    "hyx": ("hyx", {"admitted", "breaker_async", "retry_async", "bulkhead_async"}),
    "prometheus": ("prometheus-client", {"inc", "record", "inc_labelled", "observe", "expose"}),
    "opentelemetry": ("opentelemetry-sdk", {"inc_labelled", "observe"}),
    "cereggii": ("cereggii", {"inc"}),
    "stdlib": ("itertools", {"inc"}),
    "hdrhistogram": ("hdrhistogram", {"record", "record_many", "percentile"}),
    "ddsketch": ("ddsketch", {"record", "record_many", "percentile"}),
    "fastdigest": ("fastdigest", {"record", "record_many", "percentile"}),
    "hlcpy": ("hlcpy", {"hybrid_now", "hybrid_receive"}),
    "vectorclock": ("vectorclock", {"vector_compare"}),
    "uhashring": ("uhashring", {"place", "build_ring"}),
    "mmh3": ("mmh3", {"place", "build_ring"}),
    "clandestined": ("clandestined", {"place"}),
    "jump": ("jump-consistent-hash", {"place_jump", "jump_batch"}),
    "redis_py": ("redis", {"lock_in_memory", "lock_on_disk"}),
    "dbos": ("dbos", {"saga"}),
    "pybreaker": ("pybreaker", {"breaker"}),
    "circuitbreaker": ("circuitbreaker", {"breaker", "breaker_async"}),
    "aiobreaker": ("aiobreaker", {"breaker", "breaker_async"}),
    "purgatory": ("purgatory", {"breaker", "breaker_async"}),
    "tenacity": ("tenacity", {"retry", "retry_async"}),
    "stamina": ("stamina", {"retry", "retry_async"}),
    "backoff": ("backoff", {"retry", "retry_async"}),
    "opentelemetry_spans": ("opentelemetry-sdk", {"recorded_span", "unsampled_span"}),
    "pyresilience": (
        "pyresilience",
        {f"{job}{kind}" for job in ("breaker", "retry", "bulkhead", "composed") for kind in ("", "_async")},
    ),
}


def rivals(jobs: dict[str, str], *, longer: int = 1, of: str | None = None) -> Iterator[Case | Missing]:
    """The cases of all libraries for `jobs` (function of the file: group of the case), and those not installed."""
    for file, (library, can) in LIBRARIES.items():
        if not can & jobs.keys():
            continue
        try:
            module = importlib.import_module(f"benchmarks.versus.{file}")
        except ImportError as error:
            yield Missing(library, f"not installed: {error}")
            continue
        for job, group in jobs.items():
            if job in can:
                for call, make in getattr(module, job)().items():
                    yield Case(group, library, call, make, longer=longer, of=of)
