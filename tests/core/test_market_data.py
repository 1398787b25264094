"""Market data and instruments refuse, when built, what no market can have shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial import Bar, Instrument, Quote, Trade
from seatrial.contracts.calendar import ALWAYS_OPEN
from seatrial.contracts.market import check_price
from seatrial.errors import InvalidConfigError, InvalidMarketDataError

D = Decimal
BAD_PRICES: list[Any] = [D(0), D(-1), D("NaN"), D("sNaN"), D("Infinity"), 100.0, 100, "100", None]
BAD_SIZES: list[Any] = [D(-1), D("NaN"), D("sNaN"), D("-Infinity"), D("Infinity"), 1.0, 1, "1"]

QUOTE: dict[str, Any] = {"ts": 1, "symbol": "ACME", "bid": D(99), "ask": D(101)}
TRADE: dict[str, Any] = {"ts": 1, "symbol": "ACME", "price": D(100)}
BAR: dict[str, Any] = {"ts": 9, "symbol": "ACME", "open": D(10), "high": D(12), "low": D(9), "close": D(11)}
PRICE_FIELDS: list[tuple[Any, dict[str, Any], str]] = [
    *[(Quote, QUOTE, field) for field in ("bid", "ask")],
    (Trade, TRADE, "price"),
    *[(Bar, BAR, field) for field in ("open", "high", "low", "close")],
]
SIZE_FIELDS: list[tuple[Any, dict[str, Any], str]] = [
    *[(Quote, QUOTE, field) for field in ("bid_size", "ask_size")],
    (Trade, TRADE, "size"),
    (Bar, BAR, "volume"),
]


@pytest.mark.parametrize("value", BAD_PRICES, ids=repr)
@pytest.mark.parametrize(("kind", "fields", "field"), PRICE_FIELDS)
def test_what_is_no_price_is_refused(kind: Any, fields: dict[str, Any], field: str, value: Any) -> None:
    """A float, a NaN or a price not above zero raises and names symbol and field."""
    with pytest.raises(InvalidMarketDataError) as caught:
        kind(**{**fields, field: value})

    assert (caught.value.symbol, caught.value.field) == ("ACME", field)
    assert "ACME" in str(caught.value)


@pytest.mark.parametrize("value", BAD_SIZES, ids=repr)
@pytest.mark.parametrize(("kind", "fields", "field"), SIZE_FIELDS)
def test_what_is_no_size_is_refused(kind: Any, fields: dict[str, Any], field: str, value: Any) -> None:
    """A size below zero, a NaN or a float raises and names the field."""
    with pytest.raises(InvalidMarketDataError) as caught:
        kind(**{**fields, field: value})

    assert caught.value.field == field


@pytest.mark.parametrize(("kind", "fields", "field"), SIZE_FIELDS)
@pytest.mark.parametrize("value", [D(0), D("0.5"), None])
def test_sizes_of_zero_and_none_are_real(kind: Any, fields: dict[str, Any], field: str, value: Any) -> None:
    """Nothing displayed, a fraction and no knowledge at all are three different, valid sizes."""
    assert getattr(kind(**{**fields, field: value}), field) == value


def test_crossed_quote_is_refused_and_locked_one_is_real() -> None:
    """A bid above the ask raises; a bid equal to it is a locked market."""
    with pytest.raises(InvalidMarketDataError, match="crossed") as caught:
        Quote(1, "ACME", D("100.01"), D("100"))
    assert caught.value.field == "bid"

    assert Quote(1, "ACME", D(100), D("100.00")).bid == D(100)


@pytest.mark.parametrize(
    "fields",
    [
        {"open": D(13)},
        {"open": D(8)},
        {"close": D("12.01")},
        {"close": D("8.99")},
        {"low": D("10.5")},
        {"high": D("10.5")},
        {"low": D(13)},
    ],
)
def test_bar_outside_its_own_range_is_refused(fields: dict[str, Any]) -> None:
    """Open and close lie within low and high; the message shows all four."""
    with pytest.raises(InvalidMarketDataError, match=r"open .* high .* low .* close"):
        Bar(**{**BAR, **fields})


def test_bar_may_not_start_after_its_end() -> None:
    """A start after the close raises, a bar of no length is allowed."""
    with pytest.raises(InvalidMarketDataError) as caught:
        Bar(**BAR, start=10)
    assert caught.value.field == "start"

    assert Bar(**BAR, start=9).start == 9


@settings(deadline=None, derandomize=True, max_examples=80)
@given(prices=st.lists(st.decimals("0.01", "1000", places=2), min_size=4, max_size=4))
def test_bar_is_refused_exactly_when_its_extremes_are_not(prices: list[Decimal]) -> None:
    """Any four prices make a bar if and only if low is the least and high the greatest of them."""
    first, high, low, last = prices
    if low == min(prices) and high == max(prices):
        assert Bar(1, "ACME", first, high, low, last).high == high
        return
    with pytest.raises(InvalidMarketDataError):
        Bar(1, "ACME", first, high, low, last)


@pytest.mark.parametrize("value", BAD_PRICES, ids=repr)
def test_check_price_refuses_the_same(value: Any) -> None:
    """The check for single prices is the one of quotes."""
    with pytest.raises(InvalidMarketDataError) as caught:
        check_price("ACME", "price", value)
    assert caught.value.field == "price"


def test_float_is_told_how_to_become_a_decimal() -> None:
    """The message for a float says what to write instead."""
    with pytest.raises(InvalidMarketDataError, match=r"Decimal\(str\(x\)\)"):
        Trade(1, "ACME", 1.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("row", [Quote(**QUOTE), Trade(**TRADE), Bar(**BAR)])
def test_rows_are_frozen(row: Quote | Trade | Bar) -> None:
    """No row of a tape can be changed once built."""
    with pytest.raises(AttributeError):
        row.ts = 2  # type: ignore[misc]


def test_instrument_defaults_are_a_free_grid_always_open() -> None:
    """Without steps any price and quantity goes; one unit stands for one of its price."""
    instrument = Instrument(symbol="ACME")

    assert (instrument.tick_size, instrument.lot_size, instrument.multiplier) == (None, None, D(1))
    assert instrument.calendar is ALWAYS_OPEN


@pytest.mark.parametrize("setting", ["tick_size", "lot_size", "multiplier"])
@pytest.mark.parametrize("value", [D(0), D("-0.01"), D("NaN"), D("Infinity"), 0.01, 1, "1"], ids=repr)
def test_instrument_refuses_steps_that_are_none(setting: str, value: Any) -> None:
    """A tick, lot or multiplier not above zero raises, naming the setting and the symbol."""
    with pytest.raises(InvalidConfigError, match="ACME") as caught:
        Instrument(**{"symbol": "ACME", setting: value})

    assert caught.value.setting == setting


def test_instrument_needs_a_name_and_a_multiplier() -> None:
    """An empty symbol and a multiplier of None raise."""
    with pytest.raises(InvalidConfigError, match="name"):
        Instrument(symbol="")
    with pytest.raises(InvalidConfigError, match="multiplier"):
        Instrument(symbol="ACME", multiplier=None)  # type: ignore[arg-type]
