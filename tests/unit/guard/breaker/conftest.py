"""What the breaker's tests share."""

import pytest

from seawall.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at zero until the test moves it."""
    return ManualClock()
