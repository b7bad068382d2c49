"""One hierarchy of errors."""

import copy
import pickle

import pytest

import seawall as sw
from seawall.errors import ConfigError, RateLimited, Rejected, SeawallError, SegmentError


def test_every_error_is_a_seawall_error():
    """One except clause catches whatever seawall raises on purpose."""
    for kind in (ConfigError, RateLimited, Rejected, SegmentError):
        assert issubclass(kind, SeawallError)
    assert issubclass(RateLimited, Rejected)
    assert not issubclass(ConfigError, Rejected)
    assert not issubclass(SegmentError, Rejected)


def test_a_bad_option_is_a_value_error_too():
    """Who does not know seawall's errors catches ValueError."""
    with pytest.raises(ValueError, match=r"^rate must be a number of calls, got None$"):
        sw.TokenBucket(None)


def test_the_face_has_the_same_errors():
    """seawall.RateLimited is seawall.errors.RateLimited."""
    assert sw.RateLimited is RateLimited
    assert (sw.ConfigError, sw.Rejected, sw.SeawallError, sw.SegmentError) == (
        ConfigError,
        Rejected,
        SeawallError,
        SegmentError,
    )


def test_a_refusal_has_fields():
    """Message, retry_after, policy, key and state; all but the message may be missing."""
    full = RateLimited("no", retry_after=1.5, policy="mail", key=("a", 1), state="open")
    assert (str(full), full.retry_after, full.policy, full.key, full.state) == ("no", 1.5, "mail", ("a", 1), "open")
    bare = Rejected("no")
    assert (bare.retry_after, bare.policy, bare.key, bare.state) == (None, None, None, None)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", [Rejected, RateLimited])
def test_a_refusal_pickles_with_its_fields_and_notes(kind, protocol):
    """What a worker raises arrives whole, also what was added to it."""
    error = kind("no", retry_after=0.1, policy="mail", key=b"k", state="open")
    error.add_note("seen on Monday")
    error.attempt = 3
    other = pickle.loads(pickle.dumps(error, protocol))
    assert type(other) is kind
    assert other.args == ("no",)
    assert vars(other) == vars(error)


def test_a_refusal_can_be_copied():
    """Copy keeps the fields."""
    error = RateLimited("no", retry_after=0.1, policy="mail")
    assert vars(copy.copy(error)) == vars(error)


@pytest.mark.parametrize("kind", [SeawallError, ConfigError, SegmentError])
def test_other_errors_pickle_with_their_message(kind):
    """Their only field is the message."""
    other = pickle.loads(pickle.dumps(kind("what went wrong")))
    assert type(other) is kind
    assert str(other) == "what went wrong"
