"""CSV files of market data, plain or gzipped, read row by row; a line is counted as an editor shows it."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from decimal import Decimal
from io import TextIOWrapper
from operator import itemgetter
from pathlib import Path
from typing import Any

from seatrial.contracts.market import MarketEvent
from seatrial.contracts.scenario import TapeFile
from seatrial.data.columns import find_columns
from seatrial.data.faults import ABSENT, BadRow, Faults, FileFaults
from seatrial.data.grids import Grids
from seatrial.data.rows import Build, Readers, row_builder
from seatrial.data.stamps import read_texts, zone_of
from seatrial.errors import TapeError
from seatrial.gate.instruments import Instruments

__all__ = ["CsvRows"]

_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"
_CHUNK = 1 << 20
_NOT_UTF8 = "holds bytes that are not UTF-8"
_SAVE_UTF8 = "save the file as UTF-8"


class CsvRows:
    """The rows of one CSV file."""

    def __init__(self, file: TapeFile, instruments: Instruments) -> None:
        """Read the line of column names.

        :raises TapeError: for a file that is empty, lacks a column, or is no CSV.
        """
        self._file = file
        self._name = file.path
        self._path = Path(file.path)
        self._instruments = instruments
        self._zipped = file.path.lower().endswith(".gz")
        self._check_content()
        stamp = read_texts(file.unit, zone_of(file))
        self._readers = Readers(stamp, stamp, Decimal)
        names, self._header = self._look()
        self._width = len(names)
        self._layout = find_columns(file, names, self._header)
        self._build()

    @property
    def size(self) -> int | None:
        """How many rows there are, by counting line ends; `None` for a gzipped file."""
        if self._zipped:
            return None
        lines, last = 0, b"\n"
        with self._path.open("rb") as raw:
            while chunk := raw.read(_CHUNK):
                lines += chunk.count(b"\n")
                last = chunk[-1:]
        return lines + (last != b"\n") - self._header

    def events(self, faults: Faults) -> Generator[MarketEvent, None, None]:
        """Yield the rows, from the first on.

        :raises TapeError: for a row that cannot be used, unless `faults` takes it, and for a file that breaks off.
        """
        build, dropped = self._build(), FileFaults(faults, self._name)
        with self._open() as text:
            reader = _reader(text)
            try:
                while reader.line_num < self._header:
                    next(reader)
                yield from self._rows(reader, build, dropped)
            except csv.Error as error:
                raise self._misquoted(self._line_of_error(), str(error)) from None
            except (EOFError, zlib.error, OSError) as error:
                raise self._broken(error, reader.line_num + 1) from None
        dropped.finish(reader.line_num - self._header)

    def _rows(self, reader: Any, build: Build, dropped: FileFaults) -> Generator[MarketEvent, None, None]:
        width = self._width
        pick = _picker(self._layout.positions, width)
        for fields in reader:
            try:
                if len(fields) != width:
                    if not fields:
                        continue
                    raise _wrong_width(fields, width)
                fields.append(ABSENT)
                event = build(pick(fields))
            except BadRow as bad:
                text = [cell for cell in fields if cell is not ABSENT]
                line = reader.line_num - sum(cell.count("\n") for cell in text)
                if line < reader.line_num:
                    raise self._misquoted(line, f"it goes on to line {reader.line_num}") from None
                problem = BadRow("row", _NOT_UTF8, _SAVE_UTF8) if _is_undecoded(text) else bad
                dropped.add(line, line - self._header, problem)
            else:
                yield event

    def _build(self) -> Build:
        return row_builder(self._file.kind, self._layout, self._readers, Grids(self._file, self._instruments))

    def _open(self) -> TextIOWrapper:
        """Open the file so that a byte that is no text reaches its row, where its line is known."""
        if self._zipped:
            return gzip.open(self._path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")
        return self._path.open("r", encoding="utf-8-sig", errors="surrogateescape", newline="")

    def _check_content(self) -> None:
        with self._path.open("rb") as raw:
            head = raw.read(len(_PARQUET))
        if not head:
            raise TapeError(self._name, None, "the file is empty", "give a line of column names, and rows")
        if head.startswith(_GZIP) is not self._zipped:
            if self._zipped:
                raise TapeError(self._name, None, "it is not gzipped", "name it .csv if it is plain CSV")
            raise TapeError(self._name, None, "it is gzipped", "name it .csv.gz")
        if head == _PARQUET:
            raise TapeError(self._name, None, "it is a Parquet file", "name it .parquet")

    def _look(self) -> tuple[list[str], int]:
        """Return the column names and their line, once it is certain that a row follows."""
        names: list[str] | None = None
        line, rows = 0, True
        with self._open() as text:
            reader = _reader(text)
            try:
                names = _next_row(reader)
                line = reader.line_num
                rows = _next_row(reader) is not None
            except csv.Error as error:
                if names is None:
                    raise TapeError(self._name, None, f"this is no CSV: {error}", "give a CSV file") from None
            except (EOFError, zlib.error, OSError) as error:
                raise self._broken(error, reader.line_num + 1) from None
        if names is None:
            raise TapeError(self._name, None, "the file is empty", "give a line of column names, and rows")
        if _is_undecoded(names):
            raise TapeError(self._name, line, f"the line of names {_NOT_UTF8}", _SAVE_UTF8)
        if not rows:
            raise TapeError(self._name, None, "the file has no rows, only column names", "give a file with rows")
        return names, line

    def _line_of_error(self) -> int:
        """Return where the row begins at which reading fails; a quotation mark that stays open hides what follows."""
        line = 0
        with self._open() as text, suppress(csv.Error):
            reader = _reader(text)
            for _ in reader:
                line = reader.line_num
        return line + 1

    def _misquoted(self, line: int, what: str) -> TapeError:
        return TapeError(self._name, line, f"its quotation marks do not match ({what})", "correct or remove them")

    def _broken(self, error: Exception, line: int) -> TapeError:
        return TapeError(self._name, line, f"the file breaks off here: {error}", "fetch or write it again")


def _reader(text: TextIOWrapper) -> Any:
    return csv.reader(text, skipinitialspace=True, strict=True)


def _next_row(reader: Any) -> list[str] | None:
    """Return the next line that is not blank."""
    fields: list[str]
    for fields in reader:
        if fields:
            return fields
    return None


def _picker(positions: Sequence[int | None], width: int) -> Callable[[list[Any]], tuple[Any, ...]]:
    """Return what picks our cells; those of missing columns are the one that is put behind each row."""
    return itemgetter(*(width if place is None else place for place in positions))


def _is_undecoded(fields: Sequence[str]) -> bool:
    return any("\udc80" <= mark <= "\udcff" for cell in fields for mark in cell)


def _wrong_width(fields: Sequence[str], width: int) -> BadRow:
    return BadRow("row", f"has {len(fields)} fields where {width} columns are named")
