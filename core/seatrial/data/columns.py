"""Which column of a file is which of ours."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import msgspec

from seatrial.contracts.scenario import DataKind, TapeFile
from seatrial.errors import TapeError

__all__ = ["Layout", "find_columns"]

_NEEDED = {
    DataKind.BARS: ("open", "high", "low", "close"),
    DataKind.QUOTES: ("bid", "ask"),
    DataKind.TRADES: ("price",),
}
_OPTIONAL = {
    DataKind.BARS: ("volume", "start"),
    DataKind.QUOTES: ("bid_size", "ask_size"),
    DataKind.TRADES: ("size",),
}
_OTHER_NAMES = {
    "ts": ("timestamp", "time", "datetime", "tsns", "tsevent", "closetime", "indexlevel0", "unix"),
    "date": ("day", "tradingday"),
    "symbol": ("ticker", "instrument", "sym"),
    "bid": ("bidprice", "bestbid"),
    "ask": ("askprice", "bestask", "offer"),
    "price": ("last", "lastprice", "tradeprice", "px"),
}
_SHOWN = 20


class Layout(msgspec.Struct, frozen=True):
    """Where the cells of a row are.

    `positions` are those of `names` in the file, with `None` for a column it does not have: ts or date, symbol, then
    the values in the order of the kind's record.
    """

    names: tuple[str, ...]
    positions: tuple[int | None, ...]

    def has(self, name: str) -> bool:
        """Return whether the file has that column."""
        return self.positions[self.names.index(name)] is not None

    @property
    def dated(self) -> bool:
        """Whether rows carry a trading day instead of a stamp."""
        return self.names[0] == "date"


def find_columns(file: TapeFile, there: Sequence[str], line: int | None = None) -> Layout:
    """Find the columns of a file among the names that are `there`; capitals, spaces and `_` make no difference.

    :raises TapeError: for a column that is missing or twice there, and for a map of names that cannot be meant.
    """
    search = _Search(file, there, line)
    search.check_map()
    clock = search.clock()
    names = (clock, "symbol", *_NEEDED[file.kind], *_OPTIONAL[file.kind])
    optional = {*_OPTIONAL[file.kind], *(("symbol",) if file.symbol is not None else ())} - file.columns.keys()
    places = {name: search.find(name) for name in names}
    missing = [name for name, place in places.items() if place is None and name not in optional]
    if missing:
        raise search.missing(missing, [place for place in places.values() if place is not None])
    return Layout(names, tuple(places.values()))


class _Search:
    """The names of a file's columns, as written and as compared."""

    def __init__(self, file: TapeFile, there: Sequence[str], line: int | None) -> None:
        """Keep both; `line` is where the file names its columns."""
        self._file = file
        self._where = (file.path, line)
        self._there = [name.strip() for name in there]
        self._plain = [_plain(name) for name in there]

    def check_map(self) -> None:
        """Refuse a map whose keys are none of our names."""
        kind = self._file.kind
        dates = ("date",) if kind == DataKind.BARS else ()
        ours = ("ts", *dates, "symbol", *_NEEDED[kind], *_OPTIONAL[kind])
        for key, value in self._file.columns.items():
            if key not in ours:
                close = get_close_matches(key, ours, n=1)
                remedy = f"did you mean {close[0]!r}?" if close else f"the names of {kind} are {', '.join(ours)}"
                if value in ours:
                    remedy = f"write it the other way round: {_shown({value: key})}"
                raise TapeError(*self._where, f"columns has {key!r}, which is no name of ours", remedy)
        if {"ts", "date"} <= self._file.columns.keys():
            raise TapeError(*self._where, "columns maps both ts and date", "keep one of them")

    def clock(self) -> str:
        """Return whether rows are told by ts or by date."""
        mapped = self._file.columns
        if self._file.kind != DataKind.BARS or "ts" in mapped:
            return "ts"
        if "date" in mapped:
            return "date"
        return "date" if self.find("ts") is None and self.find("date") is not None else "ts"

    def find(self, name: str) -> int | None:
        """Return where a column of ours is, if it is there."""
        wanted = self._file.columns.get(name, name)
        places = [place for place, other in enumerate(self._there) if other == wanted]
        if not places:
            places = [place for place, other in enumerate(self._plain) if other == _plain(wanted)]
        if len(places) > 1:
            names = " and ".join(repr(self._there[place]) for place in places)
            raise TapeError(
                *self._where, f"several columns could be {name!r}: {names}", "rename one, or say which in columns"
            )
        return places[0] if places else None

    def missing(self, names: Sequence[str], taken: Sequence[int]) -> TapeError:
        """Say what is missing, what is there, and what may be meant."""
        if all(_is_number(name) for name in self._there[-1:]):
            return TapeError(*self._where, "its first line names no columns", "put a line of column names at the top")
        for mark, called in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if len(self._there) == 1 and mark in self._there[0]:
                return TapeError(*self._where, f"its columns are separated by {called}", "write it with commas")
        free = [place for place in range(len(self._there)) if place not in taken]
        mapped: dict[str, str] = {}
        for name in names:
            place = _closest(name, {self._plain[place]: place for place in free})
            if place is not None:
                mapped[name] = self._there[place]
                free.remove(place)
        needless = [name for name, other in mapped.items() if name == other]
        useful = {name: other for name, other in mapped.items() if name != other}
        remedies = [f"leave {', '.join(needless)} out of columns"] if needless else []
        remedies += [f"give columns = {_shown(useful)}"] if useful else []
        if "symbol" in names and "symbol" not in mapped:
            remedies.append("give the file's symbol")
        others = [name for name in names if name not in mapped and name != "symbol"]
        if others:
            remedies.append("add what is missing, or map it in columns")
        asked = ", ".join(_called(name, self._file.columns.get(name)) for name in names)
        return TapeError(*self._where, f"no column {asked} among {self._list()}", " and ".join(remedies))

    def _list(self) -> str:
        names = ", ".join(self._there[:_SHOWN])
        return names if len(self._there) <= _SHOWN else f"{names} and {len(self._there) - _SHOWN} more"


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def _called(name: str, mapped: str | None) -> str:
    return name if mapped is None else f"{mapped} (for {name})"


def _shown(mapped: dict[str, str]) -> str:
    """Show a map as TOML, in which sessions are written."""
    return "{ " + ", ".join(f'{ours} = "{theirs}"' for ours, theirs in mapped.items()) + " }"


def _closest(name: str, free: dict[str, int]) -> int | None:
    for other in _OTHER_NAMES.get(name, ()):
        if other in free:
            return free[other]
    close = get_close_matches(_plain(name), free, n=1)
    return free[close[0]] if close else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
