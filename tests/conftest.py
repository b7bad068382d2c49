"""What many tests take as an argument."""

import secrets

import pytest

from seawall.memory import Segment


@pytest.fixture
def segment_name():
    """A segment name nobody else uses; the segment is removed afterwards."""
    name = f"test-{secrets.token_hex(8)}"
    yield name
    Segment.remove(name)
