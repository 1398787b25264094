"""The bundled sample and the generated tape are what they say, on every machine."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from hashlib import sha256
from importlib.resources import files
from itertools import islice, pairwise

import msgspec
import pytest

from seatrial import Bar, Quote, Trade
from seatrial.clock import from_ns
from seatrial.data.sample import IBM, ibm_daily
from seatrial.data.ticks import TICK, tick_tape
from seatrial.errors import InvalidConfigError, InvalidTimeError

CSV_HASH = "a656c3bcc4ee3254b19cfe44b8613399602815c59beae2eb5d71dcef34752975"
TAPE_HASH = "4a1be2d6bef3b732f4e7e1b472b1f8e7fb24a8e1b4bb78648411fb77dae337cf"
MS = 1_000_000
HOUR = 3_600_000 * MS


def digest(rows: list[Quote | Trade]) -> str:
    """Return the hash of a tape written as JSON lines."""
    return sha256(msgspec.json.Encoder().encode_lines(rows)).hexdigest()


def test_sample_file_is_the_one_its_provenance_describes() -> None:
    """The bytes in the package have the hash and the number of rows that PROVENANCE.md states."""
    folder = files("seatrial.data")
    content = (folder / "ibm_daily.csv").read_bytes()
    provenance = (folder / "PROVENANCE.md").read_text(encoding="utf-8")

    assert sha256(content).hexdigest() == CSV_HASH
    assert CSV_HASH in provenance
    assert content.count(b"\n") == 1 + 3270
    assert "3,270" in provenance


def test_first_and_last_bar_are_exact() -> None:
    """Prices and volume are the text's digits, and times are the session's, summer or winter."""
    bars = list(ibm_daily())

    assert len(bars) == 3270
    assert bars[0] == Bar(
        951_944_400 * 10**9,
        "IBM",
        Decimal("102.0"),
        Decimal("105.5"),
        Decimal("100.06"),
        Decimal("100.25"),
        Decimal(10_807_800),
        951_921_000 * 10**9,
    )
    assert str(bars[0].open) == "102.0"
    last = bars[-1]
    assert (last.open, last.high, last.low) == (Decimal("200.65"), Decimal("202.94"), Decimal("199.36"))
    assert (last.close, last.volume) == (Decimal("202.91"), Decimal(3_308_300))
    assert from_ns(last.ts).isoformat() == "2013-03-01T21:00:00+00:00"


def test_bars_are_whole_sessions_in_time_order() -> None:
    """Each bar lasts 09:30-16:00 in New York, on a weekday, and begins after the bar before it has ended."""
    bars = list(ibm_daily())

    assert {bar.ts - (bar.start or 0) for bar in bars} == {HOUR * 13 // 2}
    assert all(IBM.calendar.session(bar.ts - 1) == (bar.start, bar.ts) for bar in bars)
    assert {from_ns(bar.ts).hour for bar in bars} == {20, 21}
    assert all(before.ts < (after.start or 0) for before, after in pairwise(bars))


def test_longest_gaps_are_the_exchange_s_own() -> None:
    """No more than four days lie between two bars, but where the exchange stayed closed for longer."""
    days = [from_ns(bar.ts).date() for bar in ibm_daily()]

    gaps = [f"{before} {after}" for before, after in pairwise(days) if (after - before).days > 4]

    assert gaps == ["2001-09-10 2001-09-17", "2006-12-29 2007-01-03", "2012-10-26 2012-10-31"]


def test_same_seed_gives_the_same_bytes() -> None:
    """The tape of a seed is committed: another machine or Python that made another one would fail here."""
    assert digest(list(tick_tape(7, 2_000))) == TAPE_HASH
    assert digest(list(tick_tape(7, 2_000))) == TAPE_HASH


def test_seed_and_symbol_both_make_another_tape() -> None:
    """Another seed gives other prices; so does another symbol under the same seed."""
    base = [row.ts for row in tick_tape(7, 200)]

    assert [row.ts for row in tick_tape(8, 200)] != base
    assert [row.ts for row in tick_tape(7, 200, symbol="OTHER")] != base


def test_longer_tape_begins_with_the_shorter() -> None:
    """The number of rows asked for changes nothing but where the tape ends."""
    assert list(islice(tick_tape(3, 500), 100)) == list(tick_tape(3, 100))


def test_tape_is_made_as_it_is_asked_for() -> None:
    """Ten rows of a tape without end come at once, so it cannot have been made whole."""
    rows = list(islice(tick_tape(1, 10**15), 10))

    assert len(rows) == 10
    assert list(tick_tape(1, 0)) == []


@pytest.mark.parametrize("seed", [0, 1, 2**63])
def test_tape_is_plausible(seed: int) -> None:
    """Time runs on by 5-450 ms, quotes are 1-4 ticks wide and on the grid, sizes are round, the price stays near."""
    rows = list(tick_tape(seed, 20_000))
    quotes = [row for row in rows if isinstance(row, Quote)]

    gaps = [after.ts - before.ts for before, after in pairwise(rows)]
    assert min(gaps) >= 5 * MS
    assert max(gaps) <= 450 * MS
    assert 50 * MS < sum(gaps) // len(gaps) < 150 * MS
    assert {quote.ask - quote.bid for quote in quotes} == {Decimal(n) / 100 for n in (1, 2, 3, 4)}
    assert not any(quote.bid % Decimal("0.01") for quote in quotes)
    sizes = {size for quote in quotes for size in (quote.bid_size, quote.ask_size)}
    assert sizes == {Decimal(100 * lots) for lots in range(1, 21)}
    assert min(quote.bid for quote in quotes) > 95
    assert max(quote.ask for quote in quotes) < 105
    assert 3 < Counter(map(type, rows))[Quote] * 2 / Counter(map(type, rows))[Trade] < 6


def test_trades_take_what_the_quote_before_them_shows() -> None:
    """A trade is at the standing bid or ask and no larger than the size displayed there."""
    quote: Quote | None = None
    trades = 0
    for row in tick_tape(5, 5_000):
        if isinstance(row, Quote):
            quote = row
            continue
        assert quote is not None
        shown = {quote.bid: quote.bid_size, quote.ask: quote.ask_size}[row.price]
        assert shown is not None
        assert row.size is not None
        assert 0 < row.size <= shown
        trades += 1

    assert trades > 1_000


def test_tape_runs_in_bursts() -> None:
    """Ten quotes in a row move the price further, and faster, than a plain random walk of the same steps could."""
    quotes = [row for row in tick_tape(2, 20_000) if isinstance(row, Quote)]

    runs = [abs(after.bid - before.bid) for before, after in zip(quotes, quotes[10:], strict=False)]

    assert max(runs) >= Decimal("0.10")
    assert sorted(runs)[len(runs) // 4] <= Decimal("0.02")


def test_tape_starts_where_it_is_told() -> None:
    """Start, first price, tick and symbol are the caller's."""
    first, second = tick_tape(7, 2, symbol="BTC", start=10**18, first_price=Decimal(20_000), tick_size=Decimal("0.5"))

    assert (first.ts, first.symbol) == (10**18, "BTC")
    assert isinstance(first, Quote)
    assert abs(first.bid - 20_000) <= 1
    assert isinstance(second, Quote)
    assert not second.bid % Decimal("0.5")
    assert TICK.tick_size == Decimal("0.01")


@pytest.mark.parametrize(
    ("n", "price", "tick", "setting"),
    [
        (-1, "100", "0.01", "n"),
        (1, "100.005", "0.01", "first_price"),
        (1, "9.99", "0.01", "first_price"),
        (1, "NaN", "0.01", "first_price"),
        (1, "100", "0", "tick_size"),
    ],
)
def test_impossible_tape_is_refused_at_once(n: int, price: str, tick: str, setting: str) -> None:
    """The call itself raises, before any row is asked for, and names the setting."""
    with pytest.raises(InvalidConfigError) as caught:
        tick_tape(1, n, first_price=Decimal(price), tick_size=Decimal(tick))

    assert caught.value.setting == setting


def test_start_must_be_a_time() -> None:
    """A start before 1970 is refused."""
    with pytest.raises(InvalidTimeError):
        tick_tape(1, 1, start=-1)
