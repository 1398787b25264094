"""Bad market data: each fault gives one line with file, line and what to do, or is dropped and counted."""

from __future__ import annotations

import gzip
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from seatrial import Bar, Instrument, Quote, SeatrialError, Trade
from seatrial.contracts.calendar import WeeklyCalendar
from seatrial.contracts.engine import TapeFault
from seatrial.contracts.scenario import DataKind, Tape, TapeFile
from seatrial.data.tape import OpenTape, open_tape
from seatrial.errors import TapeError

T0 = 1_700_000_000_000_000_000  # 2023-11-14 22:13:20 UTC
QUOTES, TRADES, BARS = DataKind.QUOTES, DataKind.TRADES, DataKind.BARS
ACME = Instrument(symbol="ACME", tick_size=Decimal("0.01"), calendar=WeeklyCalendar("UTC", time(9), time(17)))
HEADS = {
    QUOTES: "ts,symbol,bid,ask,bid_size,ask_size",
    TRADES: "ts,symbol,price,size",
    BARS: "ts,symbol,open,high,low,close,volume",
}
GOOD = {
    QUOTES: f"{T0},ACME,100.00,100.01,5,6",
    TRADES: f"{T0},ACME,100.00,5",
    BARS: f"{T0},ACME,2,4,1,3,5",
}
ROW = "correct the row, or let repair drop rows like it"
NUMBER = "write plain digits with a decimal point, or let repair drop rows like it"
STAMP = "write whole numbers since 1970, or ISO-8601 such as 2024-08-08T13:30:00Z"
TICK = "correct it, give the instrument the tick size of these prices, or let repair drop rows like it"
DATE = "if these are trading days, map them to date instead of ts"
OUTSIDE = "lies outside 1980-2200"
READ_NS = f"{OUTSIDE} when read as ns"
UNSORTED = "rows are not in time order; sort the file by time, or give each symbol its own file"
ADD = "add what is missing, or map it in columns"
DECLARE = "declare it as an instrument, or let repair drop its rows"
NAMES = "ts, symbol, bid, ask, bid_size, ask_size"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, so that messages are the same everywhere."""
    monkeypatch.chdir(tmp_path)


def _open(
    content: str | bytes, kind: DataKind = QUOTES, name: str = "tape.csv", *, repair: bool = False, **fields: Any
) -> OpenTape:
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_tape(Tape(files=(TapeFile(path=name, kind=kind, **fields),), repair=repair), [ACME])


def _lines(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


BAD_ROWS = {
    # stamps
    "no stamp": (QUOTES, "x,ACME,100,101,5,6", f"stamp 'x' is no time; {STAMP}"),
    "empty stamp": (QUOTES, ",ACME,100,101,5,6", f"stamp is empty; {ROW}"),
    "fraction": (QUOTES, f"{T0}.5,ACME,100,101,5,6", f"stamp '{T0}.5' is no time; {STAMP}"),
    "seconds": (
        QUOTES,
        "1700000000,ACME,100,101,5,6",
        f"stamp '1700000000' {READ_NS}; it fits s: give unit = 's'",
    ),
    "milliseconds": (
        QUOTES,
        "1700000000000,ACME,100,101,5,6",
        f"stamp '1700000000000' {READ_NS}; it fits ms: give unit = 'ms'",
    ),
    "microseconds": (
        TRADES,
        "1700000000000000,ACME,100,5",
        f"stamp '1700000000000000' {READ_NS}; it fits us: give unit = 'us'",
    ),
    "no unit fits": (TRADES, "12,ACME,100,5", f"stamp '12' {READ_NS}; {ROW}"),
    "negative stamp": (TRADES, "-5,ACME,100,5", f"stamp '-5' {READ_NS}; {ROW}"),
    "date as a number": (
        BARS,
        "20240102,ACME,2,4,1,3,5",
        f"stamp '20240102' {READ_NS}; it looks like a date; {DATE}",
    ),
    "date": (BARS, "2024-01-02,ACME,2,4,1,3,5", f"stamp '2024-01-02' is a date without a time; {DATE}"),
    "no zone": (
        QUOTES,
        "2024-01-02T09:30:00,ACME,100,101,5,6",
        "stamp has no time zone; give zone (such as 'America/New_York'), or write stamps with their offset",
    ),
    "too fine": (
        QUOTES,
        "2024-01-02T09:30:00.1234567891Z,ACME,100,101,5,6",
        "stamp '2024-01-02T09:30:00.1234567891Z' is finer than a nanosecond; write nine digits after the point at most",
    ),
    "middle ages": (TRADES, "1066-10-14T09:00:00Z,ACME,100,5", f"stamp '1066-10-14T09:00:00Z' {OUTSIDE}; {ROW}"),
    "far future": (TRADES, "2201-01-01T00:00:00Z,ACME,100,5", f"stamp '2201-01-01T00:00:00Z' {OUTSIDE}; {ROW}"),
    "unsorted": (
        QUOTES,
        f"{T0 - 1},ACME,100,101,5,6",
        f"stamp 2023-11-14T22:13:19.999999999Z comes after 2023-11-14T22:13:20.000000000Z: {UNSORTED}",
    ),
    "second bar": (
        BARS,
        GOOD[BARS],
        "ACME has a second bar that ends at 2023-11-14T22:13:20.000000000Z; keep one of them",
    ),
    # symbols
    "unknown symbol": (TRADES, f"{T0},XYZ,100,5", f"symbol 'XYZ' is none of the instruments (ACME); {DECLARE}"),
    "like a symbol": (
        TRADES,
        f"{T0},ACMF,100,5",
        f"symbol 'ACMF' is none of the instruments (ACME); did you mean 'ACME'? otherwise {DECLARE}",
    ),
    "empty symbol": (TRADES, f"{T0},,100,5", f"symbol is empty; {ROW}"),
    "unprintable symbol": (TRADES, f"{T0},A\x07,100,5", f"symbol 'A\\x07' is no name; {ROW}"),
    # numbers
    "empty price": (QUOTES, f"{T0},ACME,100,,5,6", f"ask of ACME is empty; {ROW}"),
    "empty size": (QUOTES, f"{T0},ACME,100,101,,6", f"bid_size of ACME is empty; {ROW}"),
    "NaN": (TRADES, f"{T0},ACME,nan,5", f"price of ACME is NaN, no number; {ROW}"),
    "NaN size": (TRADES, f"{T0},ACME,1,NaN", f"size of ACME is NaN, no number; {ROW}"),
    "infinite": (TRADES, f"{T0},ACME,1,inf", f"size of ACME is Infinity, no number; {ROW}"),
    "text": (TRADES, f"{T0},ACME,n/a,5", f"price of ACME is 'n/a', no number; {NUMBER}"),
    "thousands": (TRADES, f'{T0},ACME,"1,000",5', f"price of ACME is '1,000', no number; {NUMBER}"),
    "long text": (TRADES, f"{T0},ACME,{'x' * 99},5", f"price of ACME is '{'x' * 40}…', no number; {NUMBER}"),
    "zero price": (QUOTES, f"{T0},ACME,0,101,5,6", f"bid of ACME is 0, but a price lies above zero; {ROW}"),
    "negative price": (QUOTES, f"{T0},ACME,1,-2.5,5,6", f"ask of ACME is -2.5, but a price lies above zero; {ROW}"),
    "vast price": (TRADES, f"{T0},ACME,1e30,5", f"price of ACME is 1E+30, more than any price; {ROW}"),
    "negative size": (QUOTES, f"{T0},ACME,1,2,5,-6", f"ask_size of ACME is -6, but a size is zero or more; {ROW}"),
    "negative volume": (BARS, f"{T0 + 1},ACME,2,4,1,3,-5", f"volume of ACME is -5, but a size is zero or more; {ROW}"),
    "off tick": (QUOTES, f"{T0},ACME,100.005,101,5,6", f"bid of ACME is 100.005, off the tick size 0.01; {TICK}"),
    "off tick in a bar": (BARS, f"{T0},ACME,2,4,1,3.001,5", f"close of ACME is 3.001, off the tick size 0.01; {TICK}"),
    "off tick by a hair": (TRADES, f"{T0},ACME,1e-40,5", f"price of ACME is 1E-40, off the tick size 0.01; {TICK}"),
    # rows
    "crossed": (
        QUOTES,
        f"{T0},ACME,100.02,100.01,5,6",
        f"bid of ACME: 100.02 is above the ask 100.01: the quote is crossed; {ROW}",
    ),
    "bar outside itself": (
        BARS,
        f"{T0 + 1},ACME,2,4,1,5,5",
        f"high of ACME: the bar's prices lie outside its low..high: open 2, high 4, low 1, close 5; {ROW}",
    ),
    "too few fields": (TRADES, f"{T0},ACME,100", f"row has 3 fields where 4 columns are named; {ROW}"),
    "too many fields": (TRADES, f"{T0},ACME,100,5,6", f"row has 5 fields where 4 columns are named; {ROW}"),
    "open quotation": (
        TRADES,
        f'{T0},"ACME,100,5',
        "its quotation marks do not match (unexpected end of data); correct or remove them",
    ),
    "quotation over lines": (
        TRADES,
        f'{T0},"AC\nME",100,5',
        "its quotation marks do not match (it goes on to line 5); correct or remove them",
    ),
    "text after a quotation": (
        TRADES,
        f'{T0},"AC"ME,100,5',
        "its quotation marks do not match (',' expected after '\"'); correct or remove them",
    ),
}


@pytest.mark.parametrize(("kind", "row", "message"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_one_line_that_says_where_and_what_to_do(kind: DataKind, row: str, message: str) -> None:
    """The error names the file and the line as an editor counts it, after a header, a good row and a blank line."""
    tape = _open(_lines(HEADS[kind], GOOD[kind], "", row), kind)

    with pytest.raises(TapeError) as caught:
        list(tape)

    assert str(caught.value) == f"tape.csv:4: {message}"
    assert "\n" not in str(caught.value)


BAD_HEADS = {
    "other names": (
        "day,sym,bid,offer,unix",
        {"columns": {"ts": "unix"}},
        'no column symbol, ask among day, sym, bid, offer, unix; give columns = { symbol = "sym", ask = "offer" }',
    ),
    "close names": (
        "ts_ns,symbol,bid,ask1",
        {},
        'no column ts, ask among ts_ns, symbol, bid, ask1; give columns = { ts = "ts_ns", ask = "ask1" }',
    ),
    "no symbol": ("ts,bid,ask", {}, "no column symbol among ts, bid, ask; give the file's symbol"),
    "no ask": (
        "ts,symbol,bid,n",
        {},
        "no column ask among ts, symbol, bid, n; add what is missing, or map it in columns",
    ),
    "other kind": (
        HEADS[BARS],
        {},
        f"no column bid, ask among ts, symbol, open, high, low, close, volume; {ADD}",
    ),
    "many columns": (
        ",".join(f"c{n}" for n in range(25)),
        {"symbol": "ACME"},
        f"no column ts, bid, ask among {', '.join(f'c{n}' for n in range(20))} and 5 more; {ADD}",
    ),
    "twice": (
        "ts,symbol,bid,Ask,ASK",
        {},
        "several columns could be 'ask': 'Ask' and 'ASK'; rename one, or say which in columns",
    ),
    "twice the same": (
        "ts,symbol,bid,ask,ask",
        {},
        "several columns could be 'ask': 'ask' and 'ask'; rename one, or say which in columns",
    ),
    "semicolons": ("ts;symbol;bid;ask", {}, "its columns are separated by semicolons; write it with commas"),
    "tabs": ("ts\tsymbol\tbid\task", {}, "its columns are separated by tabs; write it with commas"),
    "no names": (f"{T0},ACME,1,2", {}, "its first line names no columns; put a line of column names at the top"),
    "map to nothing": (
        HEADS[QUOTES],
        {"columns": {"ts": "when"}},
        f"no column when (for ts) among {NAMES}; leave ts out of columns",
    ),
    "map of a size to nothing": (
        "ts,symbol,bid,ask,bs",
        {"columns": {"bid_size": "bz"}},
        "no column bz (for bid_size) among ts, symbol, bid, ask, bs; add what is missing, or map it in columns",
    ),
    "map with a wrong name": (
        HEADS[QUOTES],
        {"columns": {"bid_sice": "x"}},
        "columns has 'bid_sice', which is no name of ours; did you mean 'bid_size'?",
    ),
    "map with no name of ours": (
        HEADS[QUOTES],
        {"columns": {"volume": "x"}},
        f"columns has 'volume', which is no name of ours; the names of quotes are {NAMES}",
    ),
    "map the wrong way round": (
        "time,symbol,bid,ask",
        {"columns": {"time": "ts"}},
        "columns has 'time', which is no name of ours; write it the other way round: { ts = \"time\" }",
    ),
}


@pytest.mark.parametrize(("head", "fields", "message"), BAD_HEADS.values(), ids=BAD_HEADS)
def test_missing_columns_name_what_is_there_and_what_may_be_meant(
    head: str, fields: dict[str, Any], message: str
) -> None:
    """Names are checked when the tape is opened, before any row; what may be meant is shown as it has to be written."""
    row = ",".join(["1"] * (head.count(",") + 1))

    with pytest.raises(TapeError) as caught:
        _open(_lines(head, row), **fields)

    assert str(caught.value) == f"tape.csv:1: {message}"


def test_bars_cannot_be_told_by_both_ts_and_date() -> None:
    """A map has to choose."""
    with pytest.raises(TapeError) as caught:
        _open(_lines("a,b,open,high,low,close", "1,2,3,4,5,6"), BARS, columns={"ts": "a", "date": "b"}, symbol="ACME")

    assert str(caught.value) == "tape.csv:1: columns maps both ts and date; keep one of them"


@pytest.mark.parametrize(
    ("day", "message"),
    [
        ("", f"date is empty; {ROW}"),
        ("08/03/2024", "date '08/03/2024' is no date; write dates as 2024-08-08"),
        (
            "2024-03-08 09:30:00",
            "date '2024-03-08 09:30:00' has a time of day; map stamps to ts; date is for trading days",
        ),
        ("1900-03-08", f"date 1900-03-08 {OUTSIDE}; {ROW}"),
        ("2024-03-09", f"date 2024-03-09 is a Saturday, on which ACME has no session; {ROW}"),
    ],
)
def test_dates_that_are_no_trading_days_are_refused(day: str, message: str) -> None:
    """A bar of a date needs a session of the instrument on it."""
    tape = _open(_lines("date,symbol,open,high,low,close", f"{day},ACME,1,1,1,1"), BARS)

    with pytest.raises(TapeError) as caught:
        list(tape)

    assert str(caught.value) == f"tape.csv:2: {message}"


@pytest.mark.parametrize(
    ("begun", "message"),
    [
        ("", f"stamp is empty; {ROW}"),
        ("17", f"stamp '17' {READ_NS}; {ROW}"),
        (str(T0 + 1), f"start of ACME: {T0 + 1} lies after the bar's end {T0}; {ROW}"),
    ],
)
def test_starts_are_stamps_too(begun: str, message: str) -> None:
    """The start of a bar is held to what holds for its end, which it cannot follow."""
    tape = _open(_lines("ts,start,symbol,open,high,low,close", f"{T0},{begun},ACME,1,1,1,1"), BARS)

    with pytest.raises(TapeError) as caught:
        list(tape)

    assert str(caught.value) == f"tape.csv:2: {message}"


@pytest.mark.parametrize(
    ("stamp", "message"),
    [
        ("2024-11-03T01:30:00", "stamp 2024-11-03 01:30 was shown twice by the clocks of America/New_York"),
        ("2024-03-10T02:30:00", "stamp 2024-03-10 02:30 was skipped by the clocks of America/New_York"),
    ],
)
def test_a_wall_clock_is_not_guessed_at(stamp: str, message: str) -> None:
    """Daylight saving shows an hour twice in autumn and skips one in spring: neither is a time."""
    tape = _open(_lines("ts,symbol,price", f"{stamp},ACME,1"), TRADES, zone="America/New_York")

    with pytest.raises(TapeError) as caught:
        list(tape)

    assert str(caught.value) == f"tape.csv:2: {message}; write stamps in UTC, or with their offset"


def test_bytes_that_are_no_text_are_found_in_their_line() -> None:
    """A byte of another encoding is reported where it stands, in a row or in the line of names."""
    head = _lines(HEADS[TRADES], GOOD[TRADES]).encode()
    tape = _open(head + f"{T0},AC".encode() + b"\xff" + b"ME,1,2\n", TRADES)

    with pytest.raises(TapeError) as in_row:
        list(tape)
    with pytest.raises(TapeError) as in_head:
        _open(head.decode().encode("utf-16"), TRADES)

    assert str(in_row.value) == "tape.csv:3: row holds bytes that are not UTF-8; save the file as UTF-8"
    assert str(in_head.value) == (
        "tape.csv:1: the line of names holds bytes that are not UTF-8; save the file as UTF-8"
    )


WHOLE = _lines(HEADS[QUOTES], GOOD[QUOTES])
BAD_FILES: dict[str, tuple[str | bytes, str, dict[str, Any], str]] = {
    "empty": ("", "tape.csv", {}, "the file is empty; give a line of column names, and rows"),
    "blank": ("\n\n", "tape.csv", {}, "the file is empty; give a line of column names, and rows"),
    "no rows": (
        _lines(HEADS[QUOTES]),
        "tape.csv",
        {},
        "the file has no rows, only column names; give a file with rows",
    ),
    "names in open quotation": (
        '"ts,symbol',
        "tape.csv",
        {},
        "this is no CSV: unexpected end of data; give a CSV file",
    ),
    "other extension": (
        WHOLE,
        "tape.xlsx",
        {},
        "what kind of file this is cannot be told; give .csv, .csv.gz or .parquet",
    ),
    "gzipped, not named so": (gzip.compress(WHOLE.encode()), "tape.csv", {}, "it is gzipped; name it .csv.gz"),
    "named gzipped, but not so": (WHOLE, "tape.csv.gz", {}, "it is not gzipped; name it .csv if it is plain CSV"),
    "Parquet, not named so": (b"PAR1....PAR1", "tape.csv", {}, "it is a Parquet file; name it .parquet"),
    "no such zone": (
        WHOLE,
        "tape.csv",
        {"zone": "Nowhere"},
        "there is no time zone 'Nowhere'; give an IANA name such as 'America/New_York'",
    ),
    "like a zone": (
        WHOLE,
        "tape.csv",
        {"zone": "america/new york"},
        "there is no time zone 'america/new york'; did you mean 'America/New_York'?",
    ),
    "no such unit": (WHOLE, "tape.csv", {"unit": "sec"}, "unit is 'sec'; give one of ns, us, ms, s"),
    "no such kind": (WHOLE, "tape.csv", {"kind": "quote"}, "kind is 'quote'; give one of bars, quotes, trades"),
    "symbol of no instrument": (
        WHOLE,
        "tape.csv",
        {"symbol": "XYZ"},
        f"symbol 'XYZ' is none of the instruments (ACME); {DECLARE}",
    ),
}


@pytest.mark.parametrize(("content", "name", "fields", "message"), BAD_FILES.values(), ids=BAD_FILES)
@pytest.mark.parametrize("repair", [False, True])
def test_a_bad_file_is_refused_when_it_is_opened(
    content: str | bytes, name: str, fields: dict[str, Any], message: str, repair: bool
) -> None:
    """What is wrong with a file as a whole is said before any row is read, and is nothing to repair."""
    with pytest.raises(TapeError) as caught:
        _open(content, name=name, repair=repair, **fields)

    assert str(caught.value) == f"{name}: {message}"
    assert caught.value.line is None


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("quote.csv", "there is no such file; did you mean 'quotes.csv'?"),
        ("other.parquet", "there is no such file; check the path"),
        ("data/quotes.csv", "there is no such file; there is no folder 'data' either; check the path"),
        ("folder.csv", "this is a folder; name a file in it"),
    ],
)
def test_a_file_that_is_not_there_is_looked_for_nearby(path: str, message: str) -> None:
    """A misspelled name is answered with the one that is there."""
    Path("quotes.csv").write_text(WHOLE, encoding="utf-8")
    Path("folder.csv").mkdir()

    with pytest.raises(TapeError) as caught:
        open_tape(Tape(files=(TapeFile(path=path, kind=QUOTES),)))

    assert str(caught.value) == f"{path}: {message}"


def test_a_gzipped_file_that_breaks_off_is_an_error_in_repair_too() -> None:
    """Half a download is no shorter tape."""
    whole = gzip.compress(
        _lines(HEADS[QUOTES], *[GOOD[QUOTES]] * 9_000, *[f"{T0 + n},ACME,1,2,{n},6" for n in range(9_000)]).encode()
    )
    tape = _open(whole[: len(whole) // 2], name="tape.csv.gz", repair=True)

    with pytest.raises(TapeError, match=r"^tape\.csv\.gz:\d+: the file breaks off here: .*; fetch or write it again$"):
        list(tape)


def test_a_gzipped_file_that_breaks_off_at_once_is_not_opened() -> None:
    """Where not even the names can be read, the file is refused."""
    with pytest.raises(TapeError, match=r"^tape\.csv\.gz:1: the file breaks off here: "):
        _open(gzip.compress(WHOLE.encode())[:20], name="tape.csv.gz")


def test_open_quotation_is_an_error_in_repair_too() -> None:
    """A quotation mark that stays open swallows rows, which cannot be counted."""
    tape = _open(
        _lines(HEADS[TRADES], *[GOOD[TRADES]] * 9, f'{T0},"ACME,1,5', *[GOOD[TRADES]] * 9), TRADES, repair=True
    )

    with pytest.raises(TapeError, match=r"^tape\.csv:11: its quotation marks do not match"):
        list(tape)


def test_symbol_given_for_a_file_holds_for_a_column_that_is_there() -> None:
    """Rows of another symbol than the file is said to have are bad."""
    acme, coin = ACME, Instrument(symbol="COIN")
    Path("t.csv").write_text(_lines(HEADS[TRADES], GOOD[TRADES], f"{T0},COIN,1,2"), encoding="utf-8")
    tape = open_tape(Tape(files=(TapeFile(path="t.csv", kind=TRADES, symbol="ACME"),)), [acme, coin])

    with pytest.raises(TapeError) as caught:
        list(tape)

    remedy = "leave out the file's symbol where a column has it, or let repair drop other rows"
    assert str(caught.value) == f"t.csv:3: symbol 'COIN' is not that given for the file, 'ACME'; {remedy}"


def test_error_keeps_its_parts() -> None:
    """File, line, problem and remedy can be had one by one, and it is one of ours and a ValueError."""
    with pytest.raises(TapeError) as caught:
        list(_open(_lines(HEADS[TRADES], f"{T0},ACME,0,5"), TRADES))

    error = caught.value
    assert (error.file, error.line) == ("tape.csv", 2)
    assert error.problem == "price of ACME is 0, but a price lies above zero"
    assert error.remedy == ROW
    assert isinstance(error, SeatrialError)
    assert isinstance(error, ValueError)


REPAIRED = [name for name in BAD_ROWS if "quotation" not in name]


@pytest.mark.parametrize("name", REPAIRED)
def test_repair_drops_the_bad_row_and_says_so(name: str) -> None:
    """The rows around a bad one come through, and the fault has the problem of the error."""
    kind, row, message = BAD_ROWS[name]
    after = GOOD[kind].replace(str(T0), str(T0 + 60 * 10**9))
    tape = _open(_lines(HEADS[kind], GOOD[kind], "", row, after), kind, repair=True)

    assert [event.ts for event in tape] == [T0, T0 + 60 * 10**9]
    assert tape.fault_count == 1
    [fault] = tape.faults
    assert (fault.file, fault.line) == ("tape.csv", 4)
    assert message.startswith(f"{fault.problem}; ")


def test_repair_lists_the_first_hundred_faults_and_counts_all() -> None:
    """However many rows are dropped, the list stays short; rows come too late to be sorted in are dropped too."""
    rows = [f"{T0 + n},ACME,1,5" if n % 3 else f"{T0 - n},ACME,1,5" for n in range(1, 901)]
    tape = _open(_lines(HEADS[TRADES], *rows), TRADES, repair=True)

    assert len(list(tape)) == 600
    assert tape.fault_count == 300
    assert [fault.line for fault in tape.faults] == [1 + n for n in range(1, 301) if n % 3 == 0]
    assert all("not in time order" in fault.problem for fault in tape.faults)


def test_repair_gives_up_on_a_file_that_is_bad_for_the_most_part() -> None:
    """More than half of the first 1,000 rows, or of a shorter file, mean that it is not what it was said to be."""
    good, bad = GOOD[TRADES], "1700000000,ACME,1,5"
    check = "check the file, and what kind, columns, unit and zone say"
    fit = f"stamp '1700000000' {READ_NS}"
    half = [row for _ in range(500) for row in (good, bad)]

    def read(*rows: str) -> OpenTape:
        tape = _open(_lines(HEADS[TRADES], *rows), TRADES, repair=True)
        list(tape)
        return tape

    assert read(good, bad).fault_count == 1
    assert read(*half, *[bad] * 50).fault_count == 550
    with pytest.raises(TapeError) as short:
        read(good, bad, bad)
    with pytest.raises(TapeError) as long:
        read(*half[:996], bad, bad, bad, *[good] * 5_000)

    assert (
        str(short.value) == f"tape.csv:3: 2 of the first 3 rows cannot be used, so nothing was repaired: {fit}; {check}"
    )
    assert (
        str(long.value)
        == f"tape.csv:3: 501 of the first 999 rows cannot be used, so nothing was repaired: {fit}; {check}"
    )


def test_faults_of_several_files_are_counted_once_each() -> None:
    """A file is looked into twice when several are merged; its faults are not counted twice."""
    for name in ("a.csv", "b.csv"):
        Path(name).write_text(
            _lines(HEADS[TRADES], f"{T0},ACME,x,5", *[GOOD[TRADES]] * 3, f"{T0},ACME,0,5"), encoding="utf-8"
        )
    tape = open_tape(Tape(files=tuple(TapeFile(path=name, kind=TRADES) for name in ("a.csv", "b.csv")), repair=True))

    assert len(list(tape)) == 6
    assert sorted((fault.file, fault.line) for fault in tape.faults) == [
        ("a.csv", 2),
        ("a.csv", 6),
        ("b.csv", 2),
        ("b.csv", 6),
    ]


TWO, FOUR = Decimal(2), Decimal(4)
GIVEN = {
    "unknown symbol": (Trade(5, "XYZ", TWO), f"symbol 'XYZ' is none of the instruments (ACME); {DECLARE}"),
    "off tick": (Quote(5, "ACME", TWO, Decimal("2.001")), f"ask of ACME is 2.001, off the tick size 0.01; {TICK}"),
    "unsorted": (
        Trade(4, "ACME", TWO),
        f"stamp 1970-01-01T00:00:00.000000004Z comes after 1970-01-01T00:00:00.000000005Z: {UNSORTED}",
    ),
    "second bar": (
        Bar(5, "ACME", TWO, FOUR, TWO, FOUR),
        "ACME has a second bar that ends at 1970-01-01T00:00:00.000000005Z; keep one of them",
    ),
}


@pytest.mark.parametrize(("row", "message"), GIVEN.values(), ids=GIVEN)
def test_given_rows_are_checked_against_the_rest(row: Quote | Trade | Bar, message: str) -> None:
    """Rows in the tape itself are counted from 1, and dropped by repair like those of a file."""
    good = Bar(5, "ACME", TWO, FOUR, TWO, TWO)
    strict, repaired = (
        open_tape(Tape(rows=(good, row, Trade(6, "ACME", TWO)), repair=repair), [ACME]) for repair in (False, True)
    )

    with pytest.raises(TapeError) as caught:
        list(strict)

    assert str(caught.value) == f"rows:2: {message}"
    assert [event.ts for event in repaired] == [5, 6]
    assert repaired.faults == [TapeFault("rows", 2, caught.value.problem)]
