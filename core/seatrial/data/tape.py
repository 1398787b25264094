"""A tape: the market data of a run in time order, whatever it comes from.

Files are streamed, so memory does not grow with their length, and merged in time; rows of one time come in the order
of the files. Prices and sizes are exact, and prices lie on the instrument's tick size. A row that cannot be used is an
error, or is dropped and counted where the tape says `repair`; the rows of a bundled sample are taken as they are.

:raises TapeError: for data that cannot be used, naming file, line and what to do.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from difflib import get_close_matches
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple, Protocol

from seatrial.contracts.engine import TapeFault
from seatrial.contracts.market import Bar, Instrument, MarketEvent
from seatrial.contracts.scenario import DataKind, Tape, TapeFile
from seatrial.data.csv_rows import CsvRows
from seatrial.data.faults import Faults
from seatrial.data.given_rows import GivenRows
from seatrial.data.parquet_rows import ParquetRows
from seatrial.data.sample import IBM, ibm_daily
from seatrial.data.stamps import UNITS
from seatrial.data.ticks import TICK, tick_tape
from seatrial.errors import InvalidConfigError, TapeError
from seatrial.gate.instruments import Instruments

__all__ = ["OpenTape", "has_bars", "open_tape", "sample_instruments"]

_IBM_ROWS = 3_270
_TICKS_SEED, _TICKS_ROWS = 7, 20_000


def open_tape(tape: Tape, instruments: Iterable[Instrument] = ()) -> OpenTape:
    """Open a tape for reading; `instruments` give tick sizes and sessions, and none at all allow any symbol.

    >>> from seatrial.contracts.scenario import Tape
    >>> first = next(iter(open_tape(Tape(sample="ibm_daily"))))
    >>> first.symbol, first.close
    ('IBM', Decimal('100.25'))

    :raises TapeError: for a file that is not there, is empty, lacks a column, or is not what it was said to be.
    :raises InvalidConfigError: for a sample that does not exist, and for feeds that a program of its own had.
    """
    if tape.feeds:
        raise InvalidConfigError("tape", ", ".join(tape.feeds), "these feeds were the program's own; run that again")
    known = Instruments(instruments)
    sources: list[_Source]
    if tape.sample is not None:
        sources = [_sample(tape.sample)]
    elif tape.rows:
        sources = [GivenRows(tape.rows, known)]
    else:
        sources = [_file(file, known) for file in tape.files]
    return OpenTape(sources, repair=tape.repair)


def sample_instruments(name: str) -> tuple[Instrument, ...]:
    """Return what trades on a bundled sample.

    :raises InvalidConfigError: for a sample that does not exist.
    """
    return (_sample(name).instrument,)


def has_bars(tape: Tape) -> bool:
    """Return whether there are bars among a tape's rows.

    :raises InvalidConfigError: for a sample that does not exist.
    """
    if tape.sample is not None:
        return _sample(tape.sample).bars
    return any(isinstance(row, Bar) for row in tape.rows) or any(file.kind == DataKind.BARS for file in tape.files)


class OpenTape:
    """A tape that can be read, also several times, each time from the beginning."""

    def __init__(self, sources: Sequence[_Source], *, repair: bool) -> None:
        """Keep what the rows come from; :func:`open_tape` makes tapes."""
        self._sources = sources
        self._repair = repair
        self._faults = Faults(repair=repair)

    @property
    def faults(self) -> list[TapeFault]:
        """The first hundred rows that were dropped since reading last began."""
        return list(self._faults.first)

    @property
    def fault_count(self) -> int:
        """How many rows were dropped since reading last began."""
        return self._faults.count

    @cached_property
    def size(self) -> int | None:
        """How many rows the tape has, those that will be dropped included; `None` with a gzipped file in it."""
        sizes = [source.size for source in self._sources]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def __iter__(self) -> Iterator[MarketEvent]:
        """Yield the rows in time order."""
        faults = self._faults = Faults(repair=self._repair)
        with ExitStack() as stack:
            if len(self._sources) == 1:
                yield from stack.enter_context(closing(self._sources[0].events(faults)))
                return
            feeds = [stack.enter_context(closing(_opened_late(source, faults))) for source in self._sources]
            yield from heapq.merge(*feeds, key=attrgetter("ts"))


class _Source(Protocol):
    """What rows come from."""

    @property
    def size(self) -> int | None:
        """How many rows there are, where that is known without reading them."""
        ...

    def events(self, faults: Faults) -> Generator[MarketEvent, None, None]:
        """Yield the rows that can be used, from the first on."""
        ...


class _Sample(NamedTuple):
    """A bundled tape."""

    instrument: Instrument
    size: int
    bars: bool
    rows: Callable[[], Iterator[MarketEvent]]

    def events(self, faults: Faults) -> Generator[MarketEvent, None, None]:  # noqa: ARG002 there are none
        """Yield the rows."""
        yield from self.rows()


_SAMPLES = {
    "ibm_daily": _Sample(IBM, _IBM_ROWS, bars=True, rows=ibm_daily),
    "ticks": _Sample(TICK, _TICKS_ROWS, bars=False, rows=lambda: tick_tape(_TICKS_SEED, _TICKS_ROWS)),
}


def _sample(name: str) -> _Sample:
    found = _SAMPLES.get(name)
    if found is None:
        raise InvalidConfigError("sample", name, f"there is no such sample; give {' or '.join(_SAMPLES)}")
    return found


def _file(file: TapeFile, instruments: Instruments) -> _Source:
    """Open a file by the end of its name."""
    path = Path(file.path)
    if path.is_dir():
        raise TapeError(file.path, None, "this is a folder", "name a file in it")
    name = path.name.lower()
    if not name.endswith((".csv", ".csv.gz", ".parquet")):
        raise TapeError(file.path, None, "what kind of file this is cannot be told", "give .csv, .csv.gz or .parquet")
    if not path.exists():
        raise TapeError(file.path, None, "there is no such file", _nearby(path))
    if file.kind not in set(DataKind):
        raise TapeError(file.path, None, f"kind is {file.kind!r}", f"give one of {', '.join(DataKind)}")
    if file.unit not in UNITS:
        raise TapeError(file.path, None, f"unit is {file.unit!r}", f"give one of {', '.join(UNITS)}")
    try:
        return ParquetRows(file, instruments) if name.endswith(".parquet") else CsvRows(file, instruments)
    except OSError as error:
        raise TapeError(file.path, None, f"it cannot be read: {error.strerror}", "check the file") from None


def _nearby(path: Path) -> str:
    if not path.parent.is_dir():
        return f"there is no folder {str(path.parent)!r} either; check the path"
    close = get_close_matches(path.name, [other.name for other in path.parent.iterdir()], n=1)
    return f"did you mean {close[0]!r}?" if close else "check the path"


def _opened_late(source: _Source, faults: Faults) -> Generator[MarketEvent, None, None]:
    """Yield a file's rows, but keep it open only from its second row on.

    A merge needs the first row of every file at once, and a year of daily files are more than may be open together.
    """
    with closing(source.events(Faults(repair=faults.repair))) as rows:
        first = next(rows, None)
    if first is None:
        return
    yield first
    with closing(source.events(faults)) as rows:
        next(rows)
        yield from rows
