"""What many tests take as an argument."""

import secrets
import signal

import pytest
from hypothesis import settings

from seawall.memory import Segment

# No law says how long it takes: on a busy machine any example may be slow.
settings.register_profile("seawall", deadline=None)
settings.load_profile("seawall")


# A shell that runs the suite in the background has all below it ignore Ctrl-C, which some tests send.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def segment_name():
    """A segment name nobody else uses; the segment is removed afterwards."""
    name = f"test-{secrets.token_hex(8)}"
    yield name
    Segment.remove(name)


_PROOFS = (
    "tests/faults/", "tests/kills/", "tests/servers/", "tests/browser/", "tests/property/", "tests/simulation/",
    "tests/contract/test_saga_kills", "tests/contract/test_saga_races", "tests/contract/test_lock_processes",
    "tests/contract/test_matrix", "tests/unit/observe/alerts/test_slo", "tests/unit/monitor/anomaly/test_measured",
)  # fmt: skip
_SERVERS = ("etcd", "nats", "postgres", "redis", "valkey")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs faults, kills, laws or servers, and does not depend on the interpreter."""
    for item in items:
        served = item.nodeid.startswith("tests/contract/") and any(name in item.name for name in _SERVERS)
        if served or item.nodeid.startswith(_PROOFS):
            item.add_marker(pytest.mark.proof)
