"""fastdigest: t-digests in Rust."""

from __future__ import annotations

import numpy
from fastdigest import TDigest

from benchmarks._case import Probe, is_none, near
from benchmarks.versus._kinds import P99, VALUES, Makers


def _record() -> Probe:
    digest = TDigest()
    return Probe("digest.update(x)", {"digest": digest}, is_none, lambda: digest.n_values, over=VALUES[:4_096])


def _record_many() -> Probe:
    digest, values = TDigest(), numpy.array(VALUES)
    return Probe(
        "digest.batch_update(values)",
        {"digest": digest, "values": values},
        is_none,
        lambda: digest.n_values,
        step=len(values),
        per=len(values),
    )


def _percentile() -> Probe:
    # A digest interpolates between its centroids: the 99th of a hundred thousand is right to a hundredth.
    return Probe("digest.percentile(99.0)", {"digest": TDigest.from_values(VALUES)}, near(P99, 1e-2))


def record() -> Makers:
    """Record one value."""
    return {"update": _record}


def record_many() -> Makers:
    """Record an array of values."""
    return {"batch_update": _record_many}


def percentile() -> Makers:
    """Ask for one percentile."""
    return {"percentile": _percentile}
