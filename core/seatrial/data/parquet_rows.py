"""Parquet files of market data, read by pyarrow in batches; pyarrow is imported when the first such file is opened."""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator, Iterable
from functools import lru_cache
from importlib import import_module
from itertools import repeat
from typing import Any
from zoneinfo import ZoneInfo

from seatrial.contracts.market import MarketEvent
from seatrial.contracts.scenario import TapeFile
from seatrial.data.columns import find_columns
from seatrial.data.faults import ABSENT, BadRow, Faults, FileFaults
from seatrial.data.grids import Grids, Numbers
from seatrial.data.rows import Build, Readers, row_builder
from seatrial.data.stamps import UNITS, Stamp, read_numbers, read_texts, read_wall_clocks, zone_of
from seatrial.errors import TapeError
from seatrial.gate.instruments import Instruments

__all__ = ["ParquetRows"]

_BATCH = 8_192
_KEPT = 16_384
_UTC = ZoneInfo("UTC")
_NO_STAMP = read_numbers("ns")  # of a column that is not there
_FLOAT32_DIGITS = range(6, 10)


class ParquetRows:
    """The rows of one Parquet file, numbered from 1."""

    def __init__(self, file: TapeFile, instruments: Instruments) -> None:
        """Read the names and types of the columns.

        :raises TapeError: for a file that is empty, lacks a column or has one of another type, or is no Parquet, and
            where pyarrow is missing.
        """
        self._file = file
        self._instruments = instruments
        self._arrow, self._parquet = _arrow(file.path)
        try:
            with self._open() as source:
                schema, self.size = source.schema_arrow, int(source.metadata.num_rows)
        except (self._arrow.ArrowException, OSError) as error:
            remedy = "give a Parquet file, or name it .csv if it is CSV"
            raise TapeError(file.path, None, f"this is no Parquet file: {_first_line(error)}", remedy) from None
        if not self.size:
            raise TapeError(file.path, None, "the file has no rows", "give a file with rows")
        self._layout = find_columns(file, schema.names)
        columns = _Columns(file, self._arrow)
        stamps: dict[str, Stamp] = {}
        self._reads: list[Callable[[Any], Iterable[Any]]] = []
        self._names: list[str] = []
        for ours, place in zip(self._layout.names, self._layout.positions, strict=True):
            if place is None:
                self._reads.append(_absent)
                continue
            field = schema.field(place)
            if ours in {"ts", "start"}:
                read, stamps[ours] = columns.stamps(field)
            elif ours == "date":
                read = columns.days(field)
            else:
                read = columns.symbols(field) if ours == "symbol" else columns.values(field)
            self._names.append(field.name)
            self._reads.append(_of_column(field.name, read))
        self._readers = Readers(stamps.get("ts", _NO_STAMP), stamps.get("start", _NO_STAMP), Numbers().__getitem__)
        self._build()

    def events(self, faults: Faults) -> Generator[MarketEvent, None, None]:
        """Yield the rows, from the first on.

        :raises TapeError: for a row that cannot be used, unless `faults` takes it, and for a file that breaks off.
        """
        build, dropped = self._build(), FileFaults(faults, self._file.path)
        done = 0
        with self._open() as source:
            batches = source.iter_batches(batch_size=_BATCH, columns=self._names, use_threads=False)
            while True:
                try:
                    batch = next(batches, None)
                except (self._arrow.ArrowException, OSError) as error:
                    problem = f"the file is damaged from here on: {_first_line(error)}"
                    raise TapeError(self._file.path, done + 1, problem, "fetch or write it again") from None
                if batch is None:
                    break
                rows = zip(*[read(batch) for read in self._reads], strict=False)
                for row, cells in enumerate(rows, done + 1):
                    try:
                        event = build(cells)
                    except BadRow as bad:
                        dropped.add(row, row, bad)
                    else:
                        yield event
                done += batch.num_rows
        dropped.finish(done)

    def _build(self) -> Build:
        return row_builder(self._file.kind, self._layout, self._readers, Grids(self._file, self._instruments))

    def _open(self) -> Any:
        return self._parquet.ParquetFile(self._file.path)


class _Columns:
    """What turns the columns of a batch into lists of cells, by the type they are stored as."""

    def __init__(self, file: TapeFile, arrow: Any) -> None:
        """Keep what the file says about its stamps."""
        self._file = file
        self._arrow = arrow
        self._zone = zone_of(file)

    def stamps(self, field: Any) -> tuple[Callable[[Any], list[Any]], Stamp]:
        """Return what reads the column, and what reads its cells."""
        types, kind = self._arrow.types, field.type
        if types.is_integer(kind):
            return _listed, read_numbers(self._file.unit)
        if types.is_timestamp(kind):
            zone = self._zone if kind.tz is None else _UTC
            if zone is None:
                remedy = "give zone (an IANA name such as 'America/New_York'), or store them with their zone"
                raise self._refused(field, "has stamps without a time zone", remedy)
            int64 = self._arrow.int64()
            return lambda column: column.cast(int64).to_pylist(), read_wall_clocks(UNITS[kind.unit], zone)
        if self._is_text(kind):
            return self.symbols(field), read_texts(self._file.unit, self._zone)
        if types.is_date(kind):
            raise self._refused(field, "has dates without a time", "if these are trading days, map them to date")
        raise self._refused(field, f"is {kind}, no time", "store stamps as int64, as timestamps, or as text")

    def days(self, field: Any) -> Callable[[Any], list[Any]]:
        """Return what reads a column of trading days."""
        types, kind = self._arrow.types, field.type
        if types.is_timestamp(kind):
            micros = self._arrow.timestamp("us", kind.tz)
            return lambda column: column.cast(micros, safe=False).to_pylist()
        if types.is_date(kind) or types.is_integer(kind):
            return _listed
        if self._is_text(kind):
            return self.symbols(field)
        raise self._refused(field, f"is {kind}, no date", "store dates as date32 or as text")

    def symbols(self, field: Any) -> Callable[[Any], list[Any]]:
        """Return what reads a column of text; pandas stores categories as a dictionary."""
        if not self._arrow.types.is_dictionary(field.type):
            return _listed
        plain = field.type.value_type
        return lambda column: column.cast(plain).to_pylist()

    def values(self, field: Any) -> Callable[[Any], list[Any]]:
        """Return what reads a column of prices or sizes."""
        types, kind = self._arrow.types, field.type
        if types.is_float32(kind):
            return lambda column: [cell if cell is None else _shortest(cell) for cell in column.to_pylist()]
        if types.is_integer(kind) or types.is_decimal(kind):
            text = self._arrow.string()  # keeps every digit, and is looked up faster than a Decimal
            return lambda column: column.cast(text).to_pylist()
        if types.is_float64(kind):
            return _listed
        if self._is_text(kind):
            return self.symbols(field)
        raise self._refused(field, f"is {kind}, no number", "store it as decimal, float64, integer or text")

    def _is_text(self, kind: Any) -> bool:
        types = self._arrow.types
        plain = kind.value_type if types.is_dictionary(kind) else kind
        return bool(types.is_string(plain) or types.is_large_string(plain))

    def _refused(self, field: Any, problem: str, remedy: str) -> TapeError:
        return TapeError(self._file.path, None, f"column {field.name} {problem}", remedy)


def _arrow(path: str) -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("pyarrow"):
            raise
        problem = "reading Parquet needs pyarrow, which is not installed"
        raise TapeError(path, None, problem, "run: pip install 'seatrial[parquet]'") from None


def _of_column(name: str, read: Callable[[Any], Iterable[Any]]) -> Callable[[Any], Iterable[Any]]:
    return lambda batch: read(batch.column(name))


def _listed(column: Any) -> list[Any]:
    found: list[Any] = column.to_pylist()
    return found


def _absent(_batch: Any) -> Iterable[Any]:
    return repeat(ABSENT)


@lru_cache(maxsize=_KEPT)
def _shortest(cell: float) -> str:
    """Return the shortest text that reads as the same 32-bit float."""
    texts = [f"{cell:.{digits}g}" for digits in _FLOAT32_DIGITS]
    return next((text for text in texts if _float32(text) == cell), texts[-1])


def _float32(text: str) -> float:
    try:
        found: float = struct.unpack("f", struct.pack("f", float(text)))[0]
    except OverflowError:
        return float("inf")
    return found


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")
