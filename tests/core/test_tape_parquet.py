"""Tapes from Parquet files: the same rows as from CSV, whatever types the columns are stored as.

The real ticks are found by `SEATRIAL_DATA`, as in `test_real_ticks.py`; without it those tests are skipped.
"""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import Bar, Instrument, Quote, Trade
from seatrial.clock import to_ns
from seatrial.contracts.scenario import DataKind, Tape, TapeFile
from seatrial.data.sample import ibm_daily
from seatrial.data.tape import OpenTape, open_tape
from seatrial.errors import TapeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.contracts.market import MarketEvent

pa: Any = pytest.importorskip("pyarrow")
pq: Any = pytest.importorskip("pyarrow.parquet")

T0 = 1_700_000_000_000_000_000  # 2023-11-14 22:13:20 UTC
NEW_YORK_T0 = T0 - 5 * 3_600 * 10**9  # what a wall clock in New York showed then, as if it were UTC
QUOTES, TRADES, BARS = DataKind.QUOTES, DataKind.TRADES, DataKind.BARS
ACME = Instrument(symbol="ACME", tick_size=Decimal("0.01"))
GIVE_ZONE = "give zone (an IANA name such as 'America/New_York'), or store them with their zone"
ROW = "correct the row, or let repair drop rows like it"
NAME = "btcusdt_usdm_20240808_{}.parquet"
BTC = Instrument(symbol="BTCUSDT", tick_size=Decimal("0.1"), lot_size=Decimal("0.001"))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, so that messages are the same everywhere."""
    monkeypatch.chdir(tmp_path)


def _open(columns: dict[str, Any], kind: DataKind, *, repair: bool = False, **fields: Any) -> OpenTape:
    pq.write_table(pa.table(columns), "tape.parquet")
    return open_tape(Tape(files=(TapeFile(path="tape.parquet", kind=kind, **fields),), repair=repair), [ACME])


def _trades(**columns: Any) -> dict[str, Any]:
    return {"ts": [T0], "symbol": ["ACME"], "price": [1.0], **columns}


def _bars(**columns: Any) -> dict[str, Any]:
    return {"open": [1.0], "high": [1.0], "low": [1.0], "close": [1.0], **columns}


def _texts(event: MarketEvent) -> list[str]:
    return [str(getattr(event, name)) for name in event.__struct_fields__]


def _message(tape: Iterable[MarketEvent]) -> str:
    with pytest.raises(TapeError) as caught:
        list(tape)
    return str(caught.value)


def test_quotes_and_bars_are_read() -> None:
    """Columns of plain types give the fields of their records, and the size is that of the file."""
    quotes = _open(
        {"ask": [100.2], "bid": [100.1], "bid_size": [3], "ask_size": [0.25], "ts": [T0], "symbol": ["ACME"]}, QUOTES
    )

    assert list(quotes) == [Quote(T0, "ACME", *map(Decimal, ("100.1", "100.2", "3", "0.25")))]
    assert quotes.size == 1

    one = Decimal(1)
    bars = _open(_bars(ts=[T0], start=[T0 - 5], volume=[7]), BARS, symbol="ACME")

    assert list(bars) == [Bar(T0, "ACME", one, one, one, one, Decimal(7), T0 - 5)]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([0.1, 1234567.89]), ["0.1", "1234567.89"]),
        (pa.array([0.1, 16777.21], pa.float32()), ["0.1", "16777.21"]),
        (pa.array([Decimal("0.10"), Decimal("9.90")], pa.decimal128(20, 2)), ["0.10", "9.90"]),
        (pa.array([Decimal("0.10"), Decimal("9.90")], pa.decimal256(40, 2)), ["0.10", "9.90"]),
        (pa.array([1, 2**40]), ["1", str(2**40)]),
        (pa.array([1, 200], pa.uint8()), ["1", "200"]),
        (pa.array(["0.10", "1e2"]), ["0.10", "1E+2"]),
        (pa.array(["0.10", "0.10"]).dictionary_encode(), ["0.10", "0.10"]),
        (pa.array(["0.10", "7"], pa.large_string()), ["0.10", "7"]),
    ],
    ids=["float64", "float32", "decimal", "wide decimal", "int64", "uint8", "text", "categories", "large text"],
)
def test_numbers_are_exact_in_every_type(column: Any, expected: list[str]) -> None:
    """A float is its shortest notation at its own width; a decimal or text keeps its digits."""
    columns = {"ts": [T0, T0], "symbol": ["ACME", "ACME"], "price": column, "size": column}

    trades = list(_open(columns, TRADES))

    assert [_texts(trade)[2:] for trade in trades] == [[text, text] for text in expected]


def test_columns_of_several_types_do_not_mix() -> None:
    """Equal numbers of two columns keep the digits that each column has."""
    bid = pa.array([Decimal("100.50")], pa.decimal128(20, 2))

    [quote] = _open(
        {"ts": [T0], "symbol": ["ACME"], "bid": bid, "ask": [100.5], "bid_size": [7], "ask_size": [7.0]}, QUOTES
    )

    assert _texts(quote)[2:] == ["100.50", "100.5", "7", "7.0"]


@pytest.mark.parametrize(
    ("column", "fields", "expected"),
    [
        (pa.array([T0 // 10**9], pa.uint32()), {"unit": "s"}, T0),
        (pa.array([T0 + 1], pa.timestamp("ns", "UTC")), {}, T0 + 1),
        (pa.array([T0 + 1], pa.timestamp("ns", "America/New_York")), {}, T0 + 1),
        (pa.array([T0 // 10**3 + 1], pa.timestamp("us", "+02:00")), {}, T0 + 10**3),
        (pa.array([T0 // 10**9], pa.timestamp("s", "UTC")), {"zone": "Asia/Tokyo"}, T0),
        (pa.array([NEW_YORK_T0 + 1], pa.timestamp("ns")), {"zone": "America/New_York"}, T0 + 1),
        (pa.array([NEW_YORK_T0 // 10**6], pa.timestamp("ms")), {"zone": "America/New_York"}, T0),
        (pa.array(["2023-11-14T22:13:20.000000001Z"]), {}, T0 + 1),
        (pa.array(["2023-11-14 17:13:20"]), {"zone": "America/New_York"}, T0),
        (pa.array([str(T0)]), {}, T0),
    ],
)
def test_stamps_are_exact_in_every_type(column: Any, fields: dict[str, Any], expected: int) -> None:
    """A timestamp with a zone is an instant; one without, as pandas writes it, is a wall clock in the file's zone."""
    trades = list(_open(_trades(ts=column), TRADES, **fields))

    assert [trade.ts for trade in trades] == [expected]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([date(2024, 3, 8)]),
        pa.array([date(2024, 3, 8)], pa.date64()),
        pa.array([to_ns(datetime(2024, 3, 8, tzinfo=UTC))], pa.timestamp("ns")),
        pa.array([datetime(2024, 3, 8, 5, tzinfo=UTC)], pa.timestamp("ns", "America/New_York")),
        pa.array(["2024-03-08"]),
        pa.array([20240308]),
    ],
    ids=["date32", "date64", "midnight", "midnight of a zone", "text", "number"],
)
def test_dates_are_read_in_every_type(column: Any) -> None:
    """However a trading day is stored, its bar is that day's session."""
    midnight = to_ns(datetime(2024, 3, 8, tzinfo=UTC))

    [bar] = _open(_bars(Date=column), BARS, symbol="ACME")

    assert isinstance(bar, Bar)
    assert (bar.start, bar.ts) == (midnight, midnight + 86_400 * 10**9)


BAD_ROWS: dict[str, tuple[dict[str, Any], str]] = {
    "no stamp": ({"ts": pa.array([T0, None])}, f"stamp is empty; {ROW}"),
    "no timestamp": ({"ts": pa.array([T0, None], pa.timestamp("ns", "UTC"))}, f"stamp is empty; {ROW}"),
    "no text": ({"ts": pa.array([str(T0), None])}, f"stamp is empty; {ROW}"),
    "seconds": (
        {"ts": [T0, T0 // 10**9]},
        f"stamp '{T0 // 10**9}' lies outside 1980-2200 when read as ns; it fits s: give unit = 's'",
    ),
    "old timestamp": ({"ts": pa.array([T0, 5], pa.timestamp("ns", "UTC"))}, f"stamp lies outside 1980-2200; {ROW}"),
    "far timestamp": (
        {"ts": pa.array([T0 // 10**9, 10**13], pa.timestamp("s", "UTC"))},
        f"stamp lies outside 1980-2200; {ROW}",
    ),
    "no symbol": ({"symbol": ["ACME", None]}, f"symbol is empty; {ROW}"),
    "no price": ({"price": [1.0, None]}, f"price of ACME is empty; {ROW}"),
    "NaN": ({"price": [1.0, float("nan")]}, f"price of ACME is NaN, no number; {ROW}"),
    "narrow NaN": ({"price": pa.array([1.0, float("nan")], pa.float32())}, f"price of ACME is NaN, no number; {ROW}"),
    "narrow infinity": (
        {"price": pa.array([1.0, float("inf")], pa.float32())},
        f"price of ACME is Infinity, no number; {ROW}",
    ),
    "no narrow price": ({"price": pa.array([1.0, None], pa.float32())}, f"price of ACME is empty; {ROW}"),
    "no size": ({"size": [1, None]}, f"size of ACME is empty; {ROW}"),
    "negative size": ({"size": [1, -1]}, f"size of ACME is -1, but a size is zero or more; {ROW}"),
}


@pytest.mark.parametrize(("columns", "message"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_told_by_its_number(columns: dict[str, Any], message: str) -> None:
    """Rows are counted from 1, and repair drops the bad one."""
    whole = _trades(ts=[T0, T0], symbol=["ACME", "ACME"], price=[1.0, 1.0]) | columns
    repaired = _open(whole, TRADES, repair=True)

    assert _message(_open(whole, TRADES)) == f"tape.parquet:2: {message}"
    assert [event.ts for event in repaired] == [T0]
    assert [fault.line for fault in repaired.faults] == [2]


BAD_COLUMNS: dict[str, tuple[DataKind, dict[str, Any], str]] = {
    "no zone": (
        TRADES,
        _trades(ts=pa.array([T0], pa.timestamp("ns"))),
        f"column ts has stamps without a time zone; {GIVE_ZONE}",
    ),
    "float stamps": (
        TRADES,
        _trades(ts=[1.0]),
        "column ts is double, no time; store stamps as int64, as timestamps, or as text",
    ),
    "dates": (
        TRADES,
        _trades(ts=pa.array([date(2024, 3, 8)])),
        "column ts has dates without a time; if these are trading days, map them to date",
    ),
    "float dates": (BARS, _bars(date=[1.0]), "column date is double, no date; store dates as date32 or as text"),
    "true prices": (
        TRADES,
        _trades(price=[True]),
        "column price is bool, no number; store it as decimal, float64, integer or text",
    ),
    "missing": (
        TRADES,
        _trades() | {"price": None},
        "no column price among ts, symbol; add what is missing, or map it in columns",
    ),
    "an index of pandas": (
        TRADES,
        {"__index_level_0__": [T0], "symbol": ["ACME"], "price": [1.0]},
        'no column ts among __index_level_0__, symbol, price; give columns = { ts = "__index_level_0__" }',
    ),
    "no rows": (TRADES, {"ts": pa.array([], pa.int64())}, "the file has no rows; give a file with rows"),
}


@pytest.mark.parametrize(("kind", "columns", "message"), BAD_COLUMNS.values(), ids=BAD_COLUMNS)
def test_a_bad_column_is_refused_when_the_file_is_opened(kind: DataKind, columns: dict[str, Any], message: str) -> None:
    """A type that cannot hold what the column is for is said once, not row by row."""
    with pytest.raises(TapeError) as caught:
        _open({name: column for name, column in columns.items() if column is not None}, kind, symbol="ACME")

    assert str(caught.value) == f"tape.parquet: {message}"


def test_what_is_no_parquet_file_is_refused() -> None:
    """Text under that name is refused when it is opened, in one line."""
    Path("tape.parquet").write_text("ts,symbol,price\n1,A,1\n", encoding="utf-8")

    with pytest.raises(TapeError) as caught:
        open_tape(Tape(files=(TapeFile(path="tape.parquet", kind=TRADES),)))

    assert str(caught.value).startswith("tape.parquet: this is no Parquet file: ")
    assert str(caught.value).endswith("; give a Parquet file, or name it .csv if it is CSV")
    assert "\n" not in str(caught.value)


def test_a_damaged_file_says_from_where_on() -> None:
    """Damage in the middle is an error, in repair too, that names the first row it makes unreadable."""
    draw = random.Random(4)
    count = 30_000
    prices = [draw.randint(1, 10**8) / 100 for _ in range(count)]
    table = pa.table({"ts": [T0] * count, "symbol": ["ACME"] * count, "price": prices})
    pq.write_table(table, "tape.parquet", row_group_size=10_000, compression="snappy", use_dictionary=False)
    start = pq.ParquetFile("tape.parquet").metadata.row_group(1).column(2).data_page_offset
    content = bytearray(Path("tape.parquet").read_bytes())
    content[start : start + 500] = b"\xff" * 500
    Path("tape.parquet").write_bytes(content)
    seen: list[MarketEvent] = []

    with pytest.raises(TapeError) as caught:
        seen.extend(open_tape(Tape(files=(TapeFile(path="tape.parquet", kind=TRADES),), repair=True)))

    assert caught.value.line is not None
    assert 0 < caught.value.line <= 10_001
    assert caught.value.problem.startswith("the file is damaged from here on: ")


def test_without_pyarrow_the_line_to_install_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pyarrow is missing, the error is one line with the command."""
    Path("tape.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(TapeError) as caught:
        open_tape(Tape(files=(TapeFile(path="tape.parquet", kind=TRADES),)))

    expected = "reading Parquet needs pyarrow, which is not installed; run: pip install 'seatrial[parquet]'"
    assert str(caught.value) == f"tape.parquet: {expected}"


def test_rows_are_numbered_through_batches_and_row_groups() -> None:
    """The number of a row goes on where the file is read in pieces."""
    prices = [1.0] * 30_000
    prices[20_000] = -1.0
    table = pa.table({"ts": [T0] * 30_000, "symbol": ["ACME"] * 30_000, "price": prices})
    pq.write_table(table, "tape.parquet", row_group_size=9_999)
    tape = open_tape(Tape(files=(TapeFile(path="tape.parquet", kind=TRADES),), repair=True))

    assert len(list(tape)) == 29_999
    assert [fault.line for fault in tape.faults] == [20_001]


def test_ibm_written_out_and_read_back_is_ibm() -> None:
    """The bundled sample survives Parquet with decimals, to the digit."""
    bars = list(ibm_daily())
    names = ("ts", "start", "symbol", "open", "high", "low", "close", "volume")
    columns = {name: [getattr(bar, name) for bar in bars] for name in names}
    for name in names[3:]:
        columns[name] = [str(value) for value in columns[name]]
    pq.write_table(pa.table(columns), "ibm.parquet")

    found = list(open_tape(Tape(files=(TapeFile(path="ibm.parquet", kind=BARS),))))

    assert found == bars
    assert [_texts(bar) for bar in found] == [_texts(bar) for bar in bars]


@pytest.fixture
def ticks() -> Path:
    """Return the folder with the real ticks, or skip where it is not at hand."""
    folder = os.environ.get("SEATRIAL_DATA")
    if not folder:
        pytest.skip("set SEATRIAL_DATA to the folder with the recorded ticks")
    return Path(folder)


def _real(ticks: Path, name: str, kind: DataKind) -> TapeFile:
    return TapeFile(path=str(ticks / NAME.format(name)), kind=kind, symbol="BTCUSDT", columns={"ts": "ts_ns"})


def test_real_ticks_are_read_merged_and_exact(ticks: Path) -> None:
    """Six minutes of a market: every row comes in time order, quotes before trades, floats by their notation."""
    tape = open_tape(Tape(files=(_real(ticks, "quotes", QUOTES), _real(ticks, "trades", TRADES))), [BTC])
    quotes = pq.read_table(ticks / NAME.format("quotes")).to_pydict()
    trades = pq.read_table(ticks / NAME.format("trades")).to_pydict()
    expected: list[MarketEvent] = [
        Quote(ts, "BTCUSDT", *(Decimal(repr(cell)) for cell in cells))
        for ts, *cells in zip(*(quotes[name] for name in ("ts_ns", "bid", "ask", "bid_size", "ask_size")), strict=True)
    ]
    expected += [
        Trade(ts, "BTCUSDT", Decimal(repr(price)), Decimal(repr(size)))
        for ts, price, size in zip(*(trades[name] for name in ("ts_ns", "price", "size")), strict=True)
    ]
    expected.sort(key=lambda event: event.ts)

    found = list(tape)

    assert found == expected
    assert Counter(map(type, found)) == {Quote: 66_089, Trade: 21_313}
    assert tape.size == len(found)
    assert tape.fault_count == 0


def test_real_ticks_under_a_wrong_tick_size_are_found(ticks: Path) -> None:
    """A tick size that the prices do not keep is noticed at the first of them."""
    wrong = Instrument(symbol="BTCUSDT", tick_size=Decimal("0.25"))

    with pytest.raises(TapeError, match="off the tick size") as caught:
        list(open_tape(Tape(files=(_real(ticks, "trades", TRADES),)), [wrong]))

    first = next(
        row
        for row, price in enumerate(pq.read_table(ticks / NAME.format("trades"))["price"].to_pylist(), 1)
        if Decimal(repr(price)) % Decimal("0.25")
    )
    assert caught.value.line == first
