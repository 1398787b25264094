"""A folder of NautilusTrader's `ParquetDataCatalog` as a tape: its instruments, and its data a stretch at a time.

In a tape a file whose path is a folder is a catalog. Its `kind` says what is read of it, its `symbol` the instrument,
or the bar type where an instrument has several; without one it is everything of that kind.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nautilus_trader.core.nautilus_pyo3 import DataBackendSession
from nautilus_trader.model.data import Bar, BarType, QuoteTick, TradeTick, capsule_to_list
from nautilus_trader.persistence.catalog import ParquetDataCatalog
from nautilus_trader.persistence.funcs import class_to_filename, urisafe_identifier

from seatrial.clock import iso
from seatrial.contracts.engine import TapeFault
from seatrial.contracts.scenario import DataKind, TapeFile
from seatrial.errors import InvalidConfigError, TapeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.contracts.scenario import Scenario

__all__ = ["CatalogData", "has_catalog"]

_KINDS: dict[DataKind, Any] = {DataKind.QUOTES: QuoteTick, DataKind.TRADES: TradeTick, DataKind.BARS: Bar}
_CHUNK = 10_000
"""How many rows of a catalog are in memory at once."""
_FIRST = 100
"""How many dropped rows are kept with their places."""


def has_catalog(scenario: Scenario) -> bool:
    """Return whether there is a folder among a tape's files."""
    return any(Path(file.path).is_dir() for file in scenario.tape.files)


class CatalogData:
    """The instruments and data of a scenario whose tape is catalogs."""

    def __init__(self, scenario: Scenario, venue: str | None) -> None:
        """Look into the catalogs.

        :raises TapeError: for a folder that is no catalog, or holds nothing of what is asked for.
        :raises InvalidConfigError: for settings that the catalogs bring themselves.
        """
        if scenario.instruments:
            symbols = ", ".join(one.symbol for one in scenario.instruments)
            raise InvalidConfigError("instruments", symbols, "a catalog brings its own; declare none")
        self._repair = scenario.tape.repair
        self._instruments: dict[str, Any] = {}
        self._parts: list[tuple[ParquetDataCatalog, Any, list[str]]] = []
        self.bar_types: set[Any] = set()
        """What its bars are called."""
        self.kinds: set[Any] = set()
        """The classes of its data."""
        self.faults: list[TapeFault] = []
        """The first rows that were dropped."""
        self.fault_count = 0
        self._rows = 0
        for file in scenario.tape.files:
            self._open(file)
        self.instruments = list(self._instruments.values())
        """What trades."""
        self.symbols: dict[str, str] = {}
        """Other names of the instruments: none."""
        venues = sorted({one.id.venue.value for one in self.instruments})
        if len(venues) > 1 or venue not in {None, venues[0]}:
            problem = f"the catalog's instruments trade on {', '.join(venues)}, and a session has one venue"
            raise InvalidConfigError("engine_params.venue", venue, problem)
        self.venue = venues[0]
        """Where everything trades."""

    def data(self) -> Iterator[Any]:
        """Yield quotes, trades and bars in time order.

        :raises TapeError: for a crossed quote, unless the tape is to be repaired.
        """
        session = DataBackendSession(chunk_size=_CHUNK)
        for catalog, kind, names in self._parts:
            session = catalog.backend_session(data_cls=kind, identifiers=names, session=session)
        for chunk in session.to_query_result():
            for datum in capsule_to_list(chunk):
                self._rows += 1
                if type(datum) is QuoteTick and datum.bid_price > datum.ask_price:
                    self._drop(datum)
                else:
                    yield datum

    def _open(self, file: TapeFile) -> None:
        plain = TapeFile(path=file.path, kind=file.kind, symbol=file.symbol)
        if not Path(file.path).is_dir():
            raise TapeError(file.path, None, "it is a file beside a catalog", "give either files or catalogs' folders")
        if file != plain:
            raise TapeError(file.path, None, "a catalog has no columns to name", "leave columns, unit and zone out")
        catalog = ParquetDataCatalog(str(Path(file.path).resolve()))
        listed = {one.id.value: one for one in catalog.instruments()}
        if not listed:
            remedy = "give the folder of a ParquetDataCatalog to which instruments were written too"
            raise TapeError(file.path, None, "it is no catalog: no instruments are in it", remedy)
        kind = _KINDS[file.kind]
        names = _names(catalog, kind, listed)
        wanted = sorted(names) if file.symbol is None else _wanted(file, names)
        if not wanted:
            raise TapeError(file.path, None, f"the catalog holds no {file.kind}", "name another kind, or write them")
        for name in wanted:
            instrument = listed[names[name]]
            self._instruments[instrument.id.value] = instrument
            if kind is Bar:
                self.bar_types.add(BarType.from_str(name))
        self.kinds.add(kind)
        self._parts.append((catalog, kind, wanted))

    def _drop(self, quote: Any) -> None:
        """Pass a quote over, or refuse the tape.

        :raises TapeError: unless the tape is to be repaired.
        """
        name, when = quote.instrument_id.value, iso(quote.ts_init)
        problem = f"the quote of {name} at {when} is crossed: bid {quote.bid_price} above ask {quote.ask_price}"
        path = self._parts[0][0].path
        if not self._repair:
            raise TapeError(path, None, problem, "set repair = true to pass such rows over")
        self.fault_count += 1
        if len(self.faults) < _FIRST:
            self.faults.append(TapeFault(path, self._rows, problem))


def _names(catalog: ParquetDataCatalog, kind: Any, listed: dict[str, Any]) -> dict[str, str]:
    """Return the instruments or bar types of which there is data, each with its instrument's id."""
    folder = Path(catalog.path) / "data" / class_to_filename(kind)
    found: dict[str, str] = {}
    for name in sorted(one.name for one in folder.glob("*") if any(one.glob("*.parquet"))):
        for instrument_id in listed:
            safe = urisafe_identifier(instrument_id)
            if kind is Bar and name.startswith(f"{safe}-"):
                found[f"{instrument_id}{name.removeprefix(safe)}"] = instrument_id
            elif name == safe:
                found[instrument_id] = instrument_id
    return found


def _wanted(file: TapeFile, names: dict[str, str]) -> list[str]:
    """Return what a file's symbol names.

    :raises TapeError: where that is nothing, or could be several bar types.
    """
    if file.symbol in names:
        return [file.symbol]
    of_it = [name for name, instrument_id in names.items() if instrument_id == file.symbol]
    if len(of_it) == 1:
        return of_it
    if of_it:
        remedy = f"give one of {', '.join(of_it)} as its symbol"
        raise TapeError(file.path, None, f"the catalog holds several kinds of bars of {file.symbol}", remedy)
    remedy = f"it holds those of {', '.join(names) or 'nothing'}"
    raise TapeError(file.path, None, f"the catalog holds no {file.kind} of {file.symbol}", remedy)
