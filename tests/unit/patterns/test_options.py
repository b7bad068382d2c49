"""Options and their builder: every rule and every message."""

from __future__ import annotations

import dataclasses
import math
import pickle
import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from enum import Enum
from typing import Any, Literal

import pytest

from seawall.errors import ConfigError
from seawall.patterns import Builder, Options, option


class Mode(Enum):
    strict = "strict"
    loose = "loose"


class Doors(Options):
    """Settings of doors."""

    width: float = option(unit="m", above=0, most=10, help="clear width")
    open_for: float = option(default=30.0, unit="s", least=0.001, most=86_400, help="time until it closes")
    places: int = option(default=4, unit="calls", least=1, most=1000, help="how many pass at once")
    tries: int = option(default=0, least=0)
    share: float = option(default=0.5, most=1.0, help="ratio of width")
    locked: bool = option(default=False, help="whether it is locked")
    label: str = option(default="door", help="what people call it")
    rest: float | timedelta | None = option(default=None, unit="s", least=0, help="pause after use")
    mode: Mode = option(default=Mode.strict, help="how closely it looks")
    on_conflict: Literal["error", "adopt"] = option(default="error", help="what to do | when taken")
    ring: Callable[[], None] = option(default=print, help="what rings")
    words: int = option(default=8, check=lambda n: None if n & (n - 1) == 0 else "a power of two", help="room")
    free: float = option(default=1.0)
    tags: tuple[str, ...] = option(default_factory=tuple, help="labels")

    def check(self) -> Iterable[str]:
        """A narrow door does not let many through."""
        if self.places > self.width * 100:
            yield f"places must be at most 100 for each metre of width, got {self.places}"


def exactly(text: str) -> str:
    """A pattern for the whole message."""
    return f"^{re.escape(text)}$"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": 0}, "width must be above 0 to 10 m, got 0; clear width"),
        ({"width": 11}, "width must be above 0 to 10 m, got 11; clear width"),
        ({"open_for": 0}, "open_for must be 0.001 to 86400 s, got 0; time until it closes"),
        ({"open_for": "soon"}, "open_for must be 0.001 to 86400 s, got 'soon'; time until it closes"),
        ({"open_for": True}, "open_for must be 0.001 to 86400 s, got True; time until it closes"),
        ({"open_for": math.nan}, "open_for must be 0.001 to 86400 s, got nan; time until it closes"),
        ({"open_for": None}, "open_for must be 0.001 to 86400 s, got None; time until it closes"),
        (
            {"open_for": timedelta(days=2)},
            "open_for must be 0.001 to 86400 s, got datetime.timedelta(days=2); time until it closes",
        ),
        ({"free": math.inf}, "free must be a finite number, got inf"),
        ({"free": -math.inf}, "free must be a finite number, got -inf"),
        ({"free": timedelta(1)}, "free must be a finite number, got datetime.timedelta(days=1)"),
        ({"free": 10**400}, f"free must be a finite number, got {'1' + '0' * 116}..."),
        ({"places": 0}, "places must be 1 to 1000 calls, got 0; how many pass at once"),
        ({"places": 2.0}, "places must be a whole number, 1 to 1000 calls, got 2.0; how many pass at once"),
        ({"places": True}, "places must be a whole number, 1 to 1000 calls, got True; how many pass at once"),
        ({"tries": -1}, "tries must be at least 0, got -1"),
        ({"tries": "1"}, "tries must be a whole number, at least 0, got '1'"),
        ({"words": 1.5}, "words must be a whole number, got 1.5; room"),
        ({"share": 2}, "share must be at most 1, got 2; ratio of width"),
        ({"locked": 1}, "locked must be True or False, got 1; whether it is locked"),
        ({"label": 7}, "label must be text, got 7; what people call it"),
        ({"rest": -1}, "rest must be at least 0 s or None, got -1; pause after use"),
        ({"mode": "lose"}, "mode must be one of 'strict', 'loose', got 'lose'; how closely it looks"),
        (
            {"on_conflict": "replace"},
            "on_conflict must be one of 'error', 'adopt', got 'replace'; what to do | when taken",
        ),
        ({"words": 6}, "words must be a power of two, got 6; room"),
        ({"places": 500}, "places must be at most 100 for each metre of width, got 500"),
    ],
)
def test_a_wrong_value_is_told_whole(values: dict[str, Any], message: str) -> None:
    """Name, range, unit, value and meaning."""
    with pytest.raises(ConfigError, match=exactly(message)):
        Doors(**{"width": 1, **values})


def test_values_are_kept_as_declared() -> None:
    """An int as float, timedelta as seconds, an Enum by its value; objects as they are."""
    doors = Doors(width=2, open_for=timedelta(minutes=1), rest=timedelta(seconds=1), mode="loose", words=16)  # type: ignore[arg-type]
    assert (doors.width, doors.open_for, doors.rest, doors.mode, doors.words) == (2.0, 60.0, 1.0, Mode.loose, 16)
    assert type(doors.width) is float
    assert doors.ring is print
    assert doors.tags == ()
    assert Doors(width=1, rest=None).rest is None


def test_options_are_frozen_equal_by_value_and_pickle() -> None:
    """A value object like any other."""
    doors = Doors(width=2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        doors.width = 3.0  # type: ignore[misc]
    assert doors == Doors(width=2.0)
    assert hash(doors) == hash(Doors(width=2.0))
    assert pickle.loads(pickle.dumps(doors)) == doors


def test_several_wrong_values_are_one_error() -> None:
    """Nobody has to fix one thing after the other."""
    with pytest.raises(
        ConfigError,
        match=exactly(
            "2 options of Doors are wrong:\n"
            "- width must be above 0 to 10 m, got -1; clear width\n"
            "- locked must be True or False, got 'no'; whether it is locked"
        ),
    ):
        Doors(width=-1, locked="no")  # type: ignore[arg-type]


def test_replace_validates_and_leaves_the_original() -> None:
    """A changed copy obeys the same rules; unknown names are told with the nearest."""
    doors = Doors(width=2)
    assert doors.replace(places=5).places == 5
    assert doors.places == 4
    with pytest.raises(ConfigError, match=exactly("width must be above 0 to 10 m, got 0; clear width")):
        doors.replace(width=0)
    known = "free, label, locked, mode, on_conflict, open_for, places, rest, ring, share, tags, tries, width, words"
    with pytest.raises(
        ConfigError, match=exactly(f"Doors has no option 'widht'; did you mean 'width'? there is: {known}")
    ):
        doors.replace(widht=1)


def test_from_dict_tells_unknown_wrong_and_missing_at_once() -> None:
    """A configuration file is corrected in one go."""
    assert Doors.from_dict({"width": 1, "mode": "loose"}).mode is Mode.loose
    known = "free, label, locked, mode, on_conflict, open_for, places, rest, ring, share, tags, tries, width, words"
    with pytest.raises(
        ConfigError,
        match=exactly(
            "3 options of Doors are wrong:\n"
            f"- Doors has no option 'zzz'; there is: {known}\n"
            "- share must be at most 1, got 2; ratio of width\n"
            "- width is required; clear width"
        ),
    ):
        Doors.from_dict({"zzz": 1, "share": 2})


def test_as_dict_and_from_dict_are_inverse() -> None:
    """What is written is read back."""
    doors = Doors(width=2, rest=1.5)
    assert Doors.from_dict(doors.as_dict()) == doors


def test_the_table_shows_every_option() -> None:
    """Documentation is generated from the declarations."""
    assert Doors.table() == (
        "| option | default | unit | range | meaning |\n"
        "|---|---|---|---|---|\n"
        "| `width` | required | m | above 0 to 10 | clear width |\n"
        "| `open_for` | `30.0` | s | 0.001 to 86400 | time until it closes |\n"
        "| `places` | `4` | calls | 1 to 1000 | how many pass at once |\n"
        "| `tries` | `0` |  | at least 0 |  |\n"
        "| `share` | `0.5` |  | at most 1 | ratio of width |\n"
        "| `locked` | `False` |  |  | whether it is locked |\n"
        "| `label` | `'door'` |  |  | what people call it |\n"
        "| `rest` | `None` | s | at least 0 or None | pause after use |\n"
        "| `mode` | `'strict'` |  | `'strict'`, `'loose'` | how closely it looks |\n"
        "| `on_conflict` | `'error'` |  | `'error'`, `'adopt'` | what to do \\| when taken |\n"
        "| `ring` | `print` |  |  | what rings |\n"
        "| `words` | `8` |  |  | room |\n"
        "| `free` | `1.0` |  |  |  |\n"
        "| `tags` | `tuple` |  |  | labels |\n"
    )


def test_options_are_inherited() -> None:
    """A subclass adds options and may redeclare some."""

    class Gates(Doors):
        places: int = option(default=2, least=2, help="wings")
        steel: bool = option(default=True)

    gates = Gates(width=1)
    assert (gates.places, gates.steel, gates.open_for) == (2, True, 30.0)
    with pytest.raises(ConfigError, match=exactly("places must be at least 2, got 1; wings")):
        Gates(width=1, places=1)
    assert Doors(width=1, places=1).places == 1


def test_a_builder_tells_everything_and_goes_on() -> None:
    """build() fails with all problems; once they are fixed it builds, and again."""
    builder = Builder(Doors).set("places", 0).update({"label": 3})
    expected = (
        "3 options of Doors are wrong:\n"
        "- places must be 1 to 1000 calls, got 0; how many pass at once\n"
        "- label must be text, got 3; what people call it\n"
        "- width is required; clear width"
    )
    with pytest.raises(ConfigError, match=exactly(expected)):
        builder.build()
    assert len(builder.problems()) == 3
    first = builder.set("places", 5).unset("label").set("width", 1).build()
    second = builder.set("places", 6).build()
    assert (first.places, second.places) == (5, 6)
    assert repr(builder) == "Builder(Doors, {'places': 6, 'width': 1})"


def test_a_builder_runs_checks_across_options() -> None:
    """Values that are good alone and wrong together are told when they are built."""
    with pytest.raises(ConfigError, match=exactly("places must be at most 100 for each metre of width, got 300")):
        Builder(Doors).set("width", 1).set("places", 300).build()
