"""What a session asks of Backtrader beside the run: settings of cerebro, and analyzers with their results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import backtrader as bt
import msgspec
from backtrader.utils.date import tzparse

from seatrial.engine.analyses import plain
from seatrial.engine.loading import load_class
from seatrial.errors import InvalidConfigError

__all__ = ["Settings", "analyses_of", "check_params", "open_cerebro"]

_OURS = {
    "live": "rows are always taken one by one",
    "preload": "rows are always taken one by one",
    "runonce": "rows are always taken one by one",
    "cheat_on_open": "an order may not know the bar it trades in",
    "broker_coo": "an order may not know the bar it trades in",
    "optdatas": "a session is one run",
    "optreturn": "a session is one run",
    "maxcpus": "a session is one run",
    "oldsync": "the tape is the clock",
}
_TAKEN = frozenset({"exactbars", "stdstats", "lookahead", "oldbuysell", "oldtrades", "objcache", "writer"})
_TAKEN |= {"tradehistory", "tz", "quicknotify"}


class Settings(msgspec.Struct, frozen=True):
    """`engine_params`, checked: classes of analyzers by name, and keyword arguments of `Cerebro`."""

    analyzers: dict[str, tuple[type, dict[str, Any]]]
    cerebro: dict[str, Any]


def check_params(params: Mapping[str, Any]) -> Settings:
    """Return what `engine_params` ask for.

    :raises InvalidConfigError: naming what nobody knows, or what cannot be set here.
    :raises StrategyError: for an analyzer's class that cannot be found.
    """
    for key in params:
        if key not in {"analyzers", "cerebro"}:
            raise InvalidConfigError("engine_params", key, "the backtrader engine takes 'analyzers' and 'cerebro'")
    cerebro = _table("cerebro", params.get("cerebro", {}))
    for key, value in cerebro.items():
        if key in _OURS:
            raise InvalidConfigError(f"cerebro.{key}", value, f"it cannot be set: {_OURS[key]}")
        if key not in _TAKEN:
            raise InvalidConfigError(f"cerebro.{key}", value, f"give one of {', '.join(sorted(_TAKEN))}")
        wanted = _unusable(key, value)
        if wanted is not None:
            raise InvalidConfigError(f"cerebro.{key}", value, f"it cannot be used; give {wanted}")
    analyzers = _table("analyzers", params.get("analyzers", {}))
    return Settings({name: _analyzer(name, given) for name, given in analyzers.items()}, cerebro)


def _unusable(key: str, value: Any) -> str | None:
    """Return what a setting of cerebro wants, where `value` is none of it."""
    if key == "exactbars":
        return None if type(value) in {bool, int} and value in {-2, -1, 0, 1} else "-2, -1, 0 or 1"
    if key == "lookahead":
        return None if type(value) is int and value >= 0 else "a number of bars, 0 or more"
    if key != "tz":
        return None if isinstance(value, bool) else "true or false"
    if value is None or (type(value) is int and value >= 0):
        return None
    try:
        tzparse(value if isinstance(value, str) else str(value))
    except AttributeError:  # Backtrader takes the text itself for a zone
        return "the name of a time zone that pytz knows, with pytz installed, or the number of a feed"
    return None


def open_cerebro(settings: Settings, **defaults: Any) -> Any:
    """Return a cerebro with the analyzers that were named, under `defaults` where nothing else is set.

    Some analyzers read Backtrader's standard observers, and rows that are long past: where any is named both are kept.
    """
    make: Any = bt.Cerebro
    cerebro = make(**{"stdstats": bool(settings.analyzers), **defaults, **settings.cerebro})
    for name, (kind, params) in settings.analyzers.items():
        cerebro.addanalyzer(kind, _name=name, **params)
    return cerebro


def analyses_of(strategy: Any) -> dict[str, Any]:
    """Return what a strategy's analyzers found, by name."""
    return {name: plain(one.get_analysis()) for name, one in strategy.analyzers.getitems()}


def _table(name: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise InvalidConfigError(f"engine_params.{name}", given, "give a table")
    return dict(given)


def _analyzer(name: str, given: Any) -> tuple[type, dict[str, Any]]:
    """Return an analyzer's class and parameters: given as a name, or as a table with `class` and its parameters."""
    params = dict(given) if isinstance(given, Mapping) else {"class": given}
    path = params.pop("class", None)
    if not isinstance(path, str):
        problem = 'give the name of a class, or a table with class = "..." and its parameters'
        raise InvalidConfigError(f"analyzers.{name}", given, problem)
    kind: Any = load_class(path) if ":" in path else getattr(bt.analyzers, path, None)
    if not (isinstance(kind, type) and issubclass(kind, bt.Analyzer)):
        problem = "it is no analyzer; give the name of one of bt.analyzers, or 'package.module:Class'"
        raise InvalidConfigError(f"analyzers.{name}", path, problem)
    takes: Any = kind
    known = set(takes.params._getkeys())
    unknown = sorted(set(params) - known)
    if unknown:
        problem = f"{path} takes {', '.join(sorted(known)) or 'no parameters'}"
        raise InvalidConfigError(f"analyzers.{name}.{unknown[0]}", params[unknown[0]], problem)
    return kind, params
