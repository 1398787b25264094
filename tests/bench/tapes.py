"""Reading a tape of quotes, beside loops that only read the file, and the most memory that it takes."""

from __future__ import annotations

import csv
import tracemalloc
from collections import deque
from decimal import Decimal
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tests.bench.method import Row, compare, timed

from seatrial import Instrument
from seatrial.clock import iso
from seatrial.contracts.scenario import DataKind, Tape, TapeFile
from seatrial.data.tape import OpenTape, open_tape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["FLAT", "rows"]

_ROWS = 100_000
_LONG = 1_000_000
_GROUP = 50_000
_START = 1_700_000_000_000_000_000
_MS = 1_000_000
_NAMES = ("ts", "symbol", "bid", "ask", "bid_size", "ask_size")
_TICK = Instrument(symbol="TICK", tick_size=Decimal("0.01"))
FLAT = 1.1
"""How much more memory ten times the rows may take."""


def _quotes(count: int) -> Iterator[tuple[int, str, float, float, float, float]]:
    """Yield quotes whose price wanders over 2,000 ticks; sizes are of 9,973 kinds."""
    mid, bits = 10_000, 1
    for n in range(count):
        bits = (bits * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        mid = min(11_000, max(9_000, mid + (bits >> 62) - 1))
        sizes = (1 + n * 7 % 9_973) / 1_000, (1 + n * 31 % 9_973) / 1_000
        yield _START + n * _MS, "TICK", mid / 100, (mid + 1 + (bits >> 60) % 4) / 100, *sizes


def _write_csv(path: Path, count: int, stamp: Callable[[int], str] = str) -> Path:
    with path.open("w", encoding="ascii", newline="") as file:
        file.write(",".join(_NAMES) + "\n")
        for ts, symbol, bid, ask, bid_size, ask_size in _quotes(count):
            file.write(f"{stamp(ts)},{symbol},{bid:.2f},{ask:.2f},{bid_size:.3f},{ask_size:.3f}\n")
    return path


def _write_parquet(path: Path, count: int) -> Path:
    import pyarrow as pa  # noqa: PLC0415 the only part of the benchmarks that needs it
    from pyarrow import parquet  # noqa: PLC0415 as above

    quotes, writer = _quotes(count), None
    while group := list(islice(quotes, _GROUP)):
        table = pa.table(dict(zip(_NAMES, map(list, zip(*group, strict=True)), strict=True)))
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()
    return path


def _bare(path: Path) -> float:
    """Read every row with the standard library, and do nothing with it."""

    def work() -> None:
        with path.open(encoding="utf-8", newline="") as file:
            deque(csv.reader(file), maxlen=0)

    return timed(work, _ROWS)


def _parsed(path: Path) -> float:
    """Turn each row into an int and four Decimals, unchecked."""

    def work() -> None:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            next(reader)
            for ts, _, bid, ask, bid_size, ask_size in reader:
                _ = int(ts), Decimal(bid), Decimal(ask), Decimal(bid_size), Decimal(ask_size)

    return timed(work, _ROWS)


def _tape(*paths: Path) -> OpenTape:
    files = tuple(TapeFile(path=str(path), kind=DataKind.QUOTES) for path in paths)
    return open_tape(Tape(files=files), [_TICK])


def _read(*paths: Path) -> float:
    return timed(lambda: deque(_tape(*paths), maxlen=0), _ROWS * len(paths))


def _peak(path: Path) -> int:
    """Return the most bytes that Python's allocators held while a tape was read."""
    tape: Any = _tape(path)
    tracemalloc.start()
    try:
        deque(tape, maxlen=0)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _memory(name: str, short: Path, long: Path) -> list[Row]:
    least = _peak(short)
    shown = f"{name}, 1M rows / 100k"
    return [
        Row("tape: most memory, kB", f"{name}, 100k rows", least / 1_000, None),
        Row("tape: most memory, growth", shown, _peak(long) / least, FLAT),
    ]


def rows() -> list[Row]:
    """Return the rows of tapes."""
    with TemporaryDirectory() as folder:
        where = Path(folder)
        plain, other = _write_csv(where / "a.csv", _ROWS), _write_csv(where / "b.csv", _ROWS)
        written = _write_csv(where / "iso.csv", _ROWS, iso)
        columns = _write_parquet(where / "a.parquet", _ROWS)
        sides: dict[str, Callable[[], float]] = {
            "csv.reader alone": partial(_bare, plain),
            "csv.reader, to Decimal": partial(_parsed, plain),
            "tape, CSV": partial(_read, plain),
            "tape, CSV with ISO-8601": partial(_read, written),
            "tape, Parquet": partial(_read, columns),
            "tape, 2 CSV merged": partial(_read, plain, other),
        }
        result = compare("tape, per quote", sides, {}, rounds=5)
        speeds = [
            Row("tape: quotes per second", row.case, 1e6 / row.micros, None)
            for row in result
            if row.micros and row.case.startswith("tape")
        ]
        result += speeds
        result += _memory("CSV", plain, _write_csv(where / "long.csv", _LONG))
        return result + _memory("Parquet", columns, _write_parquet(where / "long.parquet", _LONG))
