"""What many tests take as an argument."""

import secrets

import pytest
from hypothesis import settings

from seawall.memory import Segment

# No law says how long it takes: on a busy machine any example may be slow.
settings.register_profile("seawall", deadline=None)
settings.load_profile("seawall")


@pytest.fixture
def segment_name():
    """A segment name nobody else uses; the segment is removed afterwards."""
    name = f"test-{secrets.token_hex(8)}"
    yield name
    Segment.remove(name)
