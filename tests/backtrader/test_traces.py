"""Two traces are the same only if nothing in them differs, and a difference names its place, field and values."""

from __future__ import annotations

import math
import sys
from datetime import datetime
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.backtrader.parity.trace import Entry, assert_same, exact


def seen(**fields: object) -> Entry:
    """Return an entry of the third bar."""
    return Entry("bar 3", "broker", {name: exact(value) for name, value in fields.items()})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (0.1, math.nextafter(0.1, 1.0)),
        (0.0, -0.0),
        (1, 1.0),
        (1, True),
        (None, math.nan),
        ("1", "2"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ([1.0, 2.0], [2.0, 1.0]),
        (datetime(2024, 1, 1), datetime(2024, 1, 1, microsecond=1)),
    ],
)
def test_no_difference_is_too_small(one: object, other: object) -> None:
    """The last bit, the sign of zero, the type and the order all count."""
    assert exact(one) != exact(other)


def test_what_is_the_same_compares_as_the_same() -> None:
    """A value that is no number equals itself, and where an object lies in memory does not count."""
    assert_same([seen(price=math.nan)], [seen(price=math.nan)])
    assert exact(object()) == exact(object()) == "object"
    assert exact(f"bad: {object()!r}") == exact(f"bad: {object()!r}")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (
            [seen(cash=0.1, size=2)],
            "bar 3, entry 0: broker, cash: 0x1.999999999999ap-4 (0.1), expected 0x1.0000000000000p-1 (0.5)",
        ),
        ([seen(cash=0.5)], "broker, size: nothing, expected 2"),
        ([seen(size=2, cash=0.5)], "fields in the order ['size', 'cash'], expected ['cash', 'size']"),
        ([], "entry 0 is missing"),
        ([seen(cash=0.5, size=2), seen(cash=0.5)], "entry 1 is one too many"),
        ([Entry("bar 4", "trade", {})], "trade at bar 4 {}, expected broker"),
    ],
)
def test_a_difference_is_told_in_one_line(found: list[Entry], message: str) -> None:
    """It names what the comparison was about, the place, the field and both values, in bits and in digits."""
    with pytest.raises(AssertionError) as difference:
        assert_same([seen(cash=0.5, size=2)], found, "a script")
    assert str(difference.value).startswith("a script: ")
    assert message in str(difference.value)
    assert "\n" not in str(difference.value)
