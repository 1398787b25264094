"""Tapes from CSV files, samples and given rows: exact numbers, exact times, one time order over several files."""

from __future__ import annotations

import gzip
import subprocess
import sys
import tracemalloc
from collections import deque
from datetime import UTC, datetime, time
from decimal import Decimal, localcontext
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from seatrial import Bar, Instrument, Quote, Trade
from seatrial.clock import to_ns
from seatrial.contracts.calendar import WeeklyCalendar
from seatrial.contracts.scenario import DataKind, Tape, TapeFile
from seatrial.data.sample import IBM, ibm_daily
from seatrial.data.tape import open_tape, sample_instruments
from seatrial.data.ticks import TICK, tick_tape
from seatrial.errors import InvalidConfigError, TapeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from seatrial.contracts.market import MarketEvent

T0 = 1_700_000_000_000_000_000  # 2023-11-14 22:13:20 UTC
QUOTES, TRADES, BARS = DataKind.QUOTES, DataKind.TRADES, DataKind.BARS
ACME = Instrument(symbol="ACME", tick_size=Decimal("0.01"))
NEW_YORK = WeeklyCalendar("America/New_York", time(9, 30), time(16))


def _write(folder: Path, name: str, *lines: str) -> str:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def _read(path: str, kind: DataKind, instruments: Iterable[Instrument] = (), **fields: Any) -> list[MarketEvent]:
    return list(open_tape(Tape(files=(TapeFile(path=path, kind=kind, **fields),)), instruments))


def _texts(event: MarketEvent) -> list[str]:
    """Return a row's numbers digit by digit; Decimals of other digits may be equal."""
    return [str(value) for value in event.__struct_fields__ for value in [getattr(event, value)]]


def test_quotes_keep_every_digit(tmp_path: Path) -> None:
    """Each number of a quote has the digits that stand in the file, trailing zeros included."""
    path = _write(tmp_path, "q.csv", "ts,symbol,bid,ask,bid_size,ask_size", f"{T0},ACME,100.10,100.2,3,0.250")

    [quote] = _read(path, QUOTES, [ACME])

    assert quote == Quote(T0, "ACME", Decimal("100.10"), Decimal("100.2"), Decimal(3), Decimal("0.250"))
    assert _texts(quote) == [str(T0), "ACME", "100.10", "100.2", "3", "0.250"]


def test_trades_and_bars_are_read(tmp_path: Path) -> None:
    """The columns of both kinds give the fields of their records, start included."""
    trades = _write(tmp_path, "t.csv", "ts,symbol,price,size", f"{T0},ACME,100.10,7")
    bars = _write(tmp_path, "b.csv", "ts,start,symbol,open,high,low,close,volume", f"{T0},{T0 - 60},ACME,2,4,1,3,99")
    one, two, three, four = map(Decimal, (1, 2, 3, 4))

    assert _read(trades, TRADES) == [Trade(T0, "ACME", Decimal("100.10"), Decimal(7))]
    assert _read(bars, BARS) == [Bar(T0, "ACME", two, four, one, three, Decimal(99), T0 - 60)]


def test_columns_that_may_be_missing_give_none(tmp_path: Path) -> None:
    """Without columns of sizes, volume and start there are none; nothing is made up."""
    quotes = _write(tmp_path, "q.csv", "ts,symbol,bid,ask", f"{T0},ACME,1,2")
    trades = _write(tmp_path, "t.csv", "ts,symbol,price", f"{T0},ACME,1")
    bars = _write(tmp_path, "b.csv", "ts,symbol,open,high,low,close", f"{T0},ACME,1,1,1,1")
    one = Decimal(1)

    assert _read(quotes, QUOTES) == [Quote(T0, "ACME", one, Decimal(2))]
    assert _read(trades, TRADES) == [Trade(T0, "ACME", one)]
    assert _read(bars, BARS) == [Bar(T0, "ACME", one, one, one, one)]


def test_column_order_and_further_columns_do_not_matter(tmp_path: Path) -> None:
    """Columns are found by name among others, whatever those hold."""
    path = _write(tmp_path, "q.csv", "note,ask,seq,bid,ts,symbol", f'"a, b",2,x,1,{T0},ACME')

    assert _read(path, QUOTES) == [Quote(T0, "ACME", Decimal(1), Decimal(2))]


@pytest.mark.parametrize(
    ("head", "columns"),
    [
        ("Ts,SYMBOL,Bid,Ask,bidSize,Ask Size", {}),
        ("t,sym,b,a,n,m", {"ts": "t", "symbol": "sym", "bid": "b", "ask": "a", "bid_size": "n", "ask_size": "m"}),
        ("ts,symbol,ask,bid,bid_size,ask_size", {"bid": "ask", "ask": "bid"}),
        ("\ufeffts, symbol, bid, ask, bid_size, ask_size", {}),
    ],
    ids=["other capitals", "mapped", "swapped by the map", "byte order mark and blanks"],
)  # fmt: skip
def test_columns_are_found_by_name_or_map(tmp_path: Path, head: str, columns: dict[str, str]) -> None:
    """A map says which column is which; without one, capitals, blanks and underscores make no difference."""
    path = _write(tmp_path, "q.csv", head, f"{T0}, ACME, 1, 2, 3, 4")

    assert _read(path, QUOTES, columns=columns) == [Quote(T0, "ACME", *map(Decimal, (1, 2, 3, 4)))]


def test_fixed_symbol_stands_for_a_missing_column(tmp_path: Path) -> None:
    """The symbol given for a file is that of all its rows."""
    path = _write(tmp_path, "q.csv", "ts,bid,ask", f"{T0},1,2", f"{T0},1,2")

    assert [quote.symbol for quote in _read(path, QUOTES, [ACME], symbol="ACME")] == ["ACME", "ACME"]


@pytest.mark.parametrize(
    ("stamp", "fields", "expected"),
    [
        (f"{T0 + 1}", {}, T0 + 1),
        (f"{T0 // 10**3 + 1}", {"unit": "us"}, T0 + 10**3),
        (f"{T0 // 10**6 + 1}", {"unit": "ms"}, T0 + 10**6),
        (f"{T0 // 10**9 + 1}", {"unit": "s"}, T0 + 10**9),
        ("2023-11-14T22:13:20Z", {}, T0),
        ("2023-11-14 17:13:20-05:00", {}, T0),
        ("2023-11-14T22:13:20.000000001Z", {}, T0 + 1),
        ("2023-11-14T22:13:20.1234567+00:00", {}, T0 + 123_456_700),
        ("2023-11-14T22:13:20.123456789000Z", {}, T0 + 123_456_789),
        ("20231114T221320.123Z", {}, T0 + 123_000_000),
        ("20231114T221320.123456789Z", {}, T0 + 123_456_789),
        ("20231114T221320,1234567890Z", {}, T0 + 123_456_789),
        ("2023-11-14T17:13:20", {"zone": "America/New_York"}, T0),
        ("2023-11-14T17:13:20.000000001", {"zone": "America/New_York"}, T0 + 1),
        ("2023-11-14T22:13:20Z", {"zone": "America/New_York"}, T0),
        ("2023-07-14T17:13:20", {"zone": "America/New_York"}, to_ns(datetime(2023, 7, 14, 21, 13, 20, tzinfo=UTC))),
        ("2010-03-14T00:00:59", {"zone": "America/St_Johns"}, to_ns(datetime(2010, 3, 14, 3, 30, 59, tzinfo=UTC))),
        ("2010-03-14T01:01:00", {"zone": "America/St_Johns"}, to_ns(datetime(2010, 3, 14, 3, 31, tzinfo=UTC))),
    ],
)
def test_stamps_are_exact(tmp_path: Path, stamp: str, fields: dict[str, Any], expected: int) -> None:
    """Whole numbers of any unit, offsets, zones with daylight saving, and all nine digits of a second are kept."""
    path = _write(tmp_path, "t.csv", "ts,symbol,price", f'"{stamp}",ACME,1')

    assert [trade.ts for trade in _read(path, TRADES, **fields)] == [expected]


def test_a_file_may_change_its_way_of_writing_stamps(tmp_path: Path) -> None:
    """Numbers and ISO-8601 in turn are read as what each is."""
    stamps = [str(T0), "2023-11-14T22:13:20Z", str(T0 + 1), "20231114T221321Z", "2023-11-14T22:13:21Z", str(T0 + 10**9)]
    path = _write(tmp_path, "t.csv", "ts,symbol,price", *[f"{stamp},ACME,1" for stamp in stamps])

    seen = [trade.ts - T0 for trade in _read(path, TRADES)]

    assert seen == [0, 0, 1, 10**9, 10**9, 10**9]


def test_dates_are_sessions_of_the_instruments_calendar(tmp_path: Path) -> None:
    """A bar of a date lasts from that day's open to its close in the market's own zone, summer or winter."""
    path = _write(tmp_path, "b.csv", "Date,Open,High,Low,Close,Volume", "2024-03-08,1,1,1,1,5", "2024-03-11,1,1,1,1,5")
    acme = replace(ACME, calendar=NEW_YORK)

    friday, monday = _read(path, BARS, [acme], symbol="ACME")

    assert isinstance(friday, Bar)
    assert isinstance(monday, Bar)
    assert friday.start == to_ns(datetime(2024, 3, 8, 14, 30, tzinfo=UTC))
    assert friday.ts == to_ns(datetime(2024, 3, 8, 21, tzinfo=UTC))
    assert monday.start == to_ns(datetime(2024, 3, 11, 13, 30, tzinfo=UTC))
    assert monday.ts == to_ns(datetime(2024, 3, 11, 20, tzinfo=UTC))


@pytest.mark.parametrize("day", ["2024-03-08", "20240308", "2024-03-08 00:00:00", "2024-03-08T00:00:00-05:00"])
def test_dates_without_a_calendar_are_utc_days(tmp_path: Path, day: str) -> None:
    """A market that never closes has the UTC day, however the date is written; the zone of a midnight is no matter."""
    path = _write(tmp_path, "b.csv", "date,open,high,low,close", f"{day},1,1,1,1")
    midnight = to_ns(datetime(2024, 3, 8, tzinfo=UTC))

    [bar] = _read(path, BARS, symbol="ACME")

    assert isinstance(bar, Bar)
    assert (bar.start, bar.ts) == (midnight, midnight + 86_400 * 10**9)


def test_files_are_merged_in_time_and_equal_times_in_the_order_of_files(tmp_path: Path) -> None:
    """The merge is by time; what has one time comes in the order the files are named in, and each file's own."""
    first = _write(tmp_path, "t.csv", "ts,symbol,price", f"{T0},B,1", f"{T0 + 2},B,2", f"{T0 + 2},B,3")
    second = _write(tmp_path, "q.csv", "ts,symbol,bid,ask", f"{T0},A,1,2", f"{T0 + 1},A,1,2", f"{T0 + 2},A,4,5")
    files = TapeFile(path=first, kind=TRADES), TapeFile(path=second, kind=QUOTES)

    def seen(files: Sequence[TapeFile]) -> str:
        return " ".join(f"{event.symbol}{event.ts - T0}" for event in open_tape(Tape(files=tuple(files))))

    assert seen(files) == "B0 A0 A1 B2 B2 A2"
    assert seen(files[::-1]) == "A0 B0 A1 A2 B2 B2"


def test_several_symbols_stand_in_one_file(tmp_path: Path) -> None:
    """Each row is held to the tick size of its own symbol."""
    path = _write(tmp_path, "t.csv", "ts,symbol,price", f"{T0},ACME,1.01", f"{T0},COIN,1.013", f"{T0 + 1},ACME,1.02")
    coin = Instrument(symbol="COIN", tick_size=Decimal("0.001"))

    assert [event.symbol for event in _read(path, TRADES, [ACME, coin])] == ["ACME", "COIN", "ACME"]


def test_gzipped_files_are_read(tmp_path: Path) -> None:
    """A .csv.gz gives the rows of the file in it; how many there are is not known beforehand."""
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(f"ts,symbol,price\n{T0},ACME,1\n".encode()))
    tape = open_tape(Tape(files=(TapeFile(path=str(path), kind=TRADES),)))

    assert list(tape) == [Trade(T0, "ACME", Decimal(1))]
    assert tape.size is None


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    """Lines with nothing on them, and a last one without its end, are read over."""
    path = tmp_path / "t.csv"
    path.write_bytes(f"\nts,symbol,price\n\n{T0},ACME,1\r\n\r\n{T0},ACME,2".encode())

    assert [str(trade.price) for trade in _read(str(path), TRADES) if isinstance(trade, Trade)] == ["1", "2"]


def test_ticks_may_share_a_time(tmp_path: Path) -> None:
    """Several trades or quotes of one symbol at one ns are what exchanges send."""
    trades = _write(tmp_path, "t.csv", "ts,symbol,price", *[f"{T0},ACME,1"] * 3)
    quotes = _write(tmp_path, "q.csv", "ts,symbol,bid,ask", *[f"{T0},ACME,1,2"] * 3)

    assert len(_read(trades, TRADES)) == len(_read(quotes, QUOTES)) == 3


def test_bars_of_different_symbols_may_share_a_time(tmp_path: Path) -> None:
    """Only a second bar of the same symbol is one too many."""
    rows = [f"{ts},{symbol},1,1,1,1" for ts in (T0, T0 + 1) for symbol in ("A", "B")]
    path = _write(tmp_path, "b.csv", "ts,symbol,open,high,low,close", *rows)

    assert len(_read(path, BARS)) == 4


def test_ibm_written_out_and_read_back_is_ibm(tmp_path: Path) -> None:
    """The bundled sample survives a CSV of dates, and one of stamps, to the digit."""
    bars = list(ibm_daily())
    prices = [f"{bar.open},{bar.high},{bar.low},{bar.close},{bar.volume}" for bar in bars]
    days = [
        f"{datetime.fromtimestamp(bar.ts // 10**9, UTC):%Y-%m-%d},{row}" for bar, row in zip(bars, prices, strict=True)
    ]
    stamps = [f"{bar.ts},{bar.start},{row}" for bar, row in zip(bars, prices, strict=True)]
    dated = _write(tmp_path, "d.csv", "date,open,high,low,close,volume", *days)
    stamped = _write(tmp_path, "s.csv", "ts,start,open,high,low,close,volume", *stamps)
    free = replace(IBM, tick_size=None)  # some of its highs and lows lie between cents

    for path in (dated, stamped):
        found = _read(path, BARS, [free], symbol="IBM")
        assert found == bars
        assert [_texts(bar) for bar in found] == [_texts(bar) for bar in bars]


def test_ibm_is_off_its_tick_size_where_its_provenance_says(tmp_path: Path) -> None:
    """Held to cents, the first price between two of them is found, and repair drops such rows only."""
    rows = [f"{bar.ts},{bar.open},{bar.high},{bar.low},{bar.close}" for bar in ibm_daily()]
    path = _write(tmp_path, "s.csv", "ts,open,high,low,close", *rows)
    file = TapeFile(path=path, kind=BARS, symbol="IBM")
    off = sum(any(price % Decimal("0.01") for price in (b.open, b.high, b.low, b.close)) for b in ibm_daily())
    tape = open_tape(Tape(files=(file,), repair=True), [IBM])

    with pytest.raises(TapeError, match=r"is 92\.031, off the tick size 0\.01"):
        list(open_tape(Tape(files=(file,)), [IBM]))
    assert len(list(tape)) == 3_270 - off
    assert tape.fault_count == off > 0


def test_samples_are_as_they_are() -> None:
    """The bundled tapes give their rows and sizes, and name their instruments."""
    daily, ticks = open_tape(Tape(sample="ibm_daily")), open_tape(Tape(sample="ticks"), [TICK])

    assert list(daily) == list(ibm_daily())
    assert daily.size == 3_270
    assert list(islice(ticks, 50)) == list(islice(tick_tape(7, 20_000), 50))
    assert ticks.size == sum(1 for _ in ticks) == 20_000
    assert sample_instruments("ibm_daily") == (IBM,)
    assert sample_instruments("ticks") == (TICK,)


def test_unknown_sample_names_those_there_are() -> None:
    """A sample that does not exist is refused with the names of those that do."""
    expected = "sample='ibm': there is no such sample; give ibm_daily or ticks"

    for ask in (lambda: open_tape(Tape(sample="ibm")), lambda: sample_instruments("ibm")):
        with pytest.raises(InvalidConfigError) as caught:
            ask()
        assert str(caught.value) == expected


def test_given_rows_are_the_tape() -> None:
    """Rows in the tape itself come out as they are."""
    rows = (Quote(5, "ACME", Decimal(1), Decimal(2)), Trade(5, "ACME", Decimal(1)))
    tape = open_tape(Tape(rows=rows), [ACME])

    assert list(tape) == list(rows)
    assert tape.size == 2


def test_a_tape_can_be_read_again(tmp_path: Path) -> None:
    """Each reading begins anew, with its faults counted from zero, also after one that was broken off."""
    path = _write(tmp_path, "t.csv", "ts,symbol,price", f"{T0},A,1", f"{T0},A,x", f"{T0},A,3", f"{T0 + 1},A,4")
    tape = open_tape(Tape(files=(TapeFile(path=path, kind=TRADES),), repair=True))

    first = list(tape)
    next(iter(tape))

    assert list(tape) == first
    assert len(first) == 3
    assert tape.fault_count == len(tape.faults) == 1


def test_size_counts_rows_without_reading_them(tmp_path: Path) -> None:
    """The number of rows is known beforehand, with or without an end of the last line, summed over files."""
    whole = _write(tmp_path, "a.csv", "ts,symbol,price", *[f"{T0},A,1"] * 5)
    cut = tmp_path / "b.csv"
    cut.write_text(f"ts,symbol,price\n{T0},A,1\n{T0},A,1", encoding="utf-8")
    files = TapeFile(path=whole, kind=TRADES), TapeFile(path=str(cut), kind=TRADES)

    assert open_tape(Tape(files=files)).size == 7


def test_numbers_do_not_depend_on_the_decimal_context(tmp_path: Path) -> None:
    """A program that computes with few digits reads the same prices, and the same ones are off the tick size."""
    path = _write(tmp_path, "t.csv", "ts,symbol,price", f"{T0},ACME,12345678.91", f"{T0},ACME,12345678.915")

    with localcontext(prec=3), pytest.raises(TapeError, match=r"is 12345678\.915, off the tick size"):
        _read(path, TRADES, [ACME])


def test_more_prices_and_minutes_than_are_kept_are_read_rightly(tmp_path: Path) -> None:
    """Where prices and minutes are looked up again, those forgotten meanwhile are read anew, the same as before."""
    count = 17_000
    rows = [
        f"{datetime.fromtimestamp(T0 // 10**9 + 60 * n, UTC):%Y-%m-%dT%H:%M:%S},{1 + n % 16_900}" for n in range(count)
    ]
    path = _write(tmp_path, "t.csv", "ts,price", *rows)

    trades = _read(path, TRADES, symbol="ACME", zone="UTC")

    assert [trade.ts for trade in trades] == [T0 + 60 * 10**9 * n for n in range(count)]
    assert [trade.price for trade in trades if isinstance(trade, Trade)] == [1 + n % 16_900 for n in range(count)]


def test_a_tape_of_many_files_keeps_few_of_them_open(tmp_path: Path) -> None:
    """Files that follow each other in time are opened as time reaches them, and closed when they end."""

    def paths(count: int) -> list[str]:
        return [_write(tmp_path, f"{n}.csv", "ts,symbol,price", *[f"{T0 + n},A,1"] * 3) for n in range(count)]

    handles = Path("/proc/self/fd")
    if not handles.is_dir():
        pytest.skip("open files are listed in /proc on Linux only")
    before = len(list(handles.iterdir()))
    tape = open_tape(Tape(files=tuple(TapeFile(path=path, kind=TRADES) for path in paths(40))))

    most = max(len(list(handles.iterdir())) - before for _ in tape)

    assert most <= 2
    assert len(list(handles.iterdir())) == before


def test_an_abandoned_tape_closes_its_files(tmp_path: Path) -> None:
    """Whoever stops in the middle leaves no file open: the warning about it would be an error."""
    first, second = (_write(tmp_path, name, "ts,symbol,price", *[f"{T0},A,1"] * 3) for name in ("a.csv", "b.csv"))
    files = tuple(TapeFile(path=path, kind=TRADES) for path in (first, second))

    assert len(list(islice(open_tape(Tape(files=files)), 4))) == 4


def _peak(make: Callable[[], Iterable[MarketEvent]]) -> int:
    """Return the most bytes that Python held while the rows went by."""
    tracemalloc.start()
    try:
        deque(make(), maxlen=0)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_tape(tmp_path: Path) -> None:
    """Eight times the rows take the same memory; keeping the rows, as a twin does, is noticed."""

    def tape(rows: int) -> Iterable[MarketEvent]:
        lines = (f"{T0 + n},A,{100 + n % 50},{151 + n % 50}" for n in range(rows))
        path = _write(tmp_path, f"{rows}.csv", "ts,symbol,bid,ask", *lines)
        return open_tape(Tape(files=(TapeFile(path=path, kind=QUOTES),)))

    short, long = tape(2_000), tape(16_000)
    _peak(lambda: short)

    assert _peak(lambda: long) <= 1.1 * _peak(lambda: short)
    assert _peak(lambda: list(long)) > 1.1 * _peak(lambda: list(short))


def test_reading_csv_loads_nothing_heavy(tmp_path: Path) -> None:
    """A tape of CSV files needs neither pyarrow nor pandas nor numpy."""
    path = _write(tmp_path, "t.csv", "ts,symbol,price", f"{T0},A,1")
    program = (
        "import sys\nfrom seatrial.contracts.scenario import *\nfrom seatrial.data.tape import open_tape\n"
        f"list(open_tape(Tape(files=(TapeFile(path={path!r}, kind=DataKind.TRADES),))))\n"
        "print(sorted({'pyarrow', 'pandas', 'numpy'} & sys.modules.keys()))"
    )

    result = subprocess.run([sys.executable, "-I", "-c", program], check=True, capture_output=True, text=True)

    assert result.stdout == "[]\n"


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 999_999_999), st.sampled_from(["Z", "+00:00", "-05:00", ""])),
        min_size=1,
        max_size=12,
    ),
    digits=st.integers(1, 9),
)
def test_any_stamps_written_as_text_come_back(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[int, int, str]], digits: int
) -> None:
    """Stamps of few seconds, with fractions of any length and in several zones, are read to the ns."""
    stamps: list[tuple[int, str]] = []
    for second, fraction, suffix in sorted(parts):
        kept = str(fraction).zfill(9)[:digits]
        moment = datetime.fromtimestamp(T0 // 10**9 + second - (5 * 3_600 if suffix == "-05:00" else 0), UTC)
        stamps.append((T0 + second * 10**9 + int(kept.ljust(9, "0")), f"{moment:%Y-%m-%dT%H:%M:%S}.{kept}{suffix}"))
    folder = tmp_path_factory.mktemp("tape")
    path = _write(folder, "t.csv", "ts,price", *[f"{text},1" for _, text in stamps])

    trades = _read(path, TRADES, symbol="ACME", zone="UTC")

    assert [trade.ts for trade in trades] == [ts for ts, _ in stamps]


prices = st.decimals(min_value=Decimal("0.01"), max_value=Decimal(10**9), places=2)
sizes = st.decimals(min_value=0, max_value=Decimal(10**6), places=4)
rows = st.builds(
    lambda ts, symbol, one, other, sizes: Quote(T0 + ts, symbol, min(one, other), max(one, other), *sizes),
    st.integers(0, 30),
    st.sampled_from(["A", "B", "C"]),
    prices,
    prices,
    st.tuples(sizes, sizes),
)


@settings(max_examples=60, deadline=None)
@given(files=st.lists(st.lists(rows, min_size=1, max_size=12), min_size=1, max_size=4))
def test_any_quotes_written_out_come_back_merged(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[Quote]]
) -> None:
    """Whatever quotes stand in the files, the tape is all of them, to the digit, stably sorted by time."""
    folder = tmp_path_factory.mktemp("tape")
    tape: list[TapeFile] = []
    for number, content in enumerate(files):
        content.sort(key=lambda quote: quote.ts)
        lines = [",".join(_texts(quote)) for quote in content]
        path = _write(folder, f"{number}.csv", "ts,symbol,bid,ask,bid_size,ask_size", *lines)
        tape.append(TapeFile(path=path, kind=QUOTES))

    found = list(open_tape(Tape(files=tuple(tape))))

    expected = sorted((quote for content in files for quote in content), key=lambda quote: quote.ts)
    assert [_texts(quote) for quote in found] == [_texts(quote) for quote in expected]
    assert all(before.ts <= after.ts for before, after in pairwise(found))
