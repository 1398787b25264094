"""From a session file to the scenario it describes.

:raises SessionError: for a file that cannot be used, naming the file, the key, and what to write instead.
"""

from __future__ import annotations

import math
import tomllib
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from seatrial.cli.latencies import Place, as_latency
from seatrial.cli.problems import BadValueError, SessionError, at_key, closest, explain
from seatrial.cli.quantities import duration_to_ns, time_of_day, time_to_ns
from seatrial.cli.session import (
    InstrumentTable,
    LatencyTable,
    SessionFile,
)
from seatrial.contracts._text import PLAIN_NAME, is_plain_name
from seatrial.contracts.calendar import ALWAYS_OPEN, WeeklyCalendar
from seatrial.contracts.market import Instrument
from seatrial.contracts.risk import NamedRule, RiskConfig
from seatrial.contracts.scenario import ExecutionConfig, Scenario, StrategyRef, Tape, TapeFile
from seatrial.contracts.venue import FeeSchedule, NamedFees, VenueConfig
from seatrial.data.tape import sample_instruments
from seatrial.gate.instruments import Instruments
from seatrial.venue.settings import as_amount, check_settings

if TYPE_CHECKING:
    from seatrial.cli.session import CalendarTable
    from seatrial.contracts.calendar import Calendar

__all__ = ["Overrides", "as_scenario", "read_session"]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Overrides(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the command line says in a session file's place."""

    engine: str | None = None
    latency: str | None = None
    seed: int | None = None


def read_session(path: Path) -> SessionFile:
    """Return what a session file says, checked."""
    file = str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        beside = sorted(one.name for one in path.parent.glob("*.toml")) if path.parent.is_dir() else []
        hint = closest(path.name, beside) or "; `seatrial new` writes one to begin with"
        raise SessionError(file, "", f"there is no such file{hint}") from None
    except IsADirectoryError:
        raise SessionError(file, "", "it is a folder; give the session file in it") from None
    except UnicodeDecodeError:
        raise SessionError(file, "", "it is no text in UTF-8; save it as UTF-8, which TOML demands") from None
    except OSError as error:
        raise SessionError(file, "", f"it cannot be read ({error.strerror or error})") from None
    try:
        given = _plain(tomllib.loads(text, parse_float=_number))
    except tomllib.TOMLDecodeError as error:
        raise SessionError(file, "", f"it is no TOML: {error}") from None
    except BadValueError as error:
        raise SessionError(file, "", str(error)) from None
    try:
        session = msgspec.convert(given, SessionFile)
    except msgspec.ValidationError as error:
        raise explain(file, error, given, SessionFile) from error
    name = session.session.name
    if name is not None and not is_plain_name(name):
        raise SessionError(file, "session.name", f"{name!r} names no folder of runs; give {PLAIN_NAME}")
    return session


def _number(text: str) -> float:
    """Return a number with a point, where that is what a float holds; amounts are made of it again, digit by digit."""
    value = float(text)
    if math.isfinite(value) and Decimal(text.replace("_", "")) != Decimal(repr(value)):
        raise BadValueError(text, 'has more digits than a number can hold; write an amount as a string, "like this"')
    return value


def _plain(value: object) -> object:
    """Return TOML's dates and times as ISO-8601, so that all is JSON."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_plain(one) for one in cast("list[object]", value)]
    return value.isoformat() if isinstance(value, date | time) else value


def as_scenario(session: SessionFile, path: Path, overrides: Overrides) -> Scenario:
    """Return the scenario that a session describes, which was read from `path`."""
    place = Place(str(path), path.parent)
    head = session.session
    with at_key(place.file, "session.stop"):
        stop = None if head.stop is None else time_to_ns(head.stop)
    return Scenario(
        tape=_tape(session, place),
        instruments=_instruments(session, place),
        strategy=StrategyRef(
            path=_strategy_path(session.strategy.path, place),
            params=session.strategy.params,
            strategy_id=session.strategy.strategy_id,
        ),
        execution=_execution(session, place, overrides),
        engine_params=head.engine_params,
        stop=stop,
    )


def _strategy_path(path: str, place: Place) -> str:
    module, colon, name = path.rpartition(":")
    return f"{place.resolved(module)}:{name}" if colon and module.endswith(".py") else path


def _tape(session: SessionFile, place: Place) -> Tape:
    table = session.tape
    if (table.sample is None) is (not table.files):
        problem = 'give either sample = "ibm_daily" or one [[tape.files]] for each file'
        raise SessionError(place.file, "tape", problem)
    if table.sample is not None:
        with at_key(place.file, "tape.sample"):
            sample_instruments(table.sample)
    with at_key(place.file, "tape"):
        files = [
            TapeFile(
                path=place.resolved(one.path),
                kind=one.kind,
                symbol=one.symbol,
                columns=one.columns,
                unit=one.unit,
                zone=one.zone,
            )
            for one in table.files
        ]
        return Tape(files=tuple(files), sample=table.sample, repair=table.repair)


def _instruments(session: SessionFile, place: Place) -> tuple[Instrument, ...]:
    found = tuple(_instrument(table, number, place) for number, table in enumerate(session.instruments, start=1))
    with at_key(place.file, "instruments"):
        Instruments(found)
    return found


def _instrument(table: InstrumentTable, number: int, place: Place) -> Instrument:
    key = f"instruments #{number}"
    with at_key(place.file, f"{key}.calendar"):
        calendar = ALWAYS_OPEN if table.calendar is None else _calendar(table.calendar)
    with at_key(place.file, key):
        return Instrument(
            symbol=table.symbol,
            tick_size=table.tick_size,
            lot_size=table.lot_size,
            multiplier=table.multiplier,
            currency=table.currency,
            calendar=calendar,
        )


def _calendar(table: CalendarTable) -> Calendar:
    days: list[int] = []
    for day in table.days:
        if isinstance(day, int):
            days.append(day)
        elif day.lower()[:3] in _DAYS:
            days.append(_DAYS.index(day.lower()[:3]))
        else:
            raise BadValueError(day, f"is no weekday; write {', '.join(_DAYS)}, or 0 (Monday) to 6")
    return WeeklyCalendar(table.zone, time_of_day(table.opens), time_of_day(table.closes), tuple(days))


def _execution(session: SessionFile, place: Place, overrides: Overrides) -> ExecutionConfig:
    head, costs, venue = session.session, session.costs, session.venue
    if costs.model is None and costs.params:
        raise SessionError(place.file, "costs.params", 'they go with a fee model; name it with model = "…"')
    if costs.model is not None and (costs.per_share or costs.bps or costs.minimum):
        raise SessionError(place.file, "costs.model", "give either a model, or per_share, bps and minimum")
    with at_key(place.file, "costs"):
        schedule = FeeSchedule(per_share=costs.per_share, bps=costs.bps, minimum=costs.minimum)
        fees = schedule if costs.model is None else NamedFees(costs.model, costs.params)
    with at_key(place.file, "costs.slippage_bps"):
        slipping = VenueConfig(slippage_bps=costs.slippage_bps)
    with at_key(place.file, "venue"):
        config = VenueConfig(
            account_type=venue.account,
            leverage=venue.leverage,
            slippage_bps=slipping.slippage_bps,
            fees=fees,
            participation=venue.participation,
            bar_theta=venue.bar_theta,
            convention=venue.convention,
            limit_fill=venue.limit_fill,
            price_improvement=venue.price_improvement,
        )
    latency = as_latency(LatencyTable(profile=overrides.latency) if overrides.latency else session.latency, place)
    risk = _risk(session, place)
    with at_key(place.file, "session"):
        as_amount("initial_cash", head.initial_cash)
        check_settings(latency, config, risk, head.seed, head.simulator_id)
        return ExecutionConfig(
            simulator_id=head.simulator_id,
            seed=head.seed if overrides.seed is None else overrides.seed,
            initial_cash=head.initial_cash,
            latency=latency,
            venue=config,
            risk=risk,
            observers=head.observers,
            checkpoint_every=head.checkpoint_every,
        )


def _risk(session: SessionFile, place: Place) -> RiskConfig | None:
    table = session.risk
    if table is None:
        return None
    with at_key(place.file, "risk.max_price_age"):
        age = None if table.max_price_age is None else _timedelta(table.max_price_age)
    with at_key(place.file, "risk.day_boundary"):
        boundary = time_of_day(table.day_boundary)
    rules = [rule if isinstance(rule, str) else NamedRule(rule.name, rule.params) for rule in table.rules]
    with at_key(place.file, "risk"):
        return RiskConfig(
            position_limit=table.position_limit,
            exposure_limit=table.exposure_limit,
            drawdown_limit=table.drawdown_limit,
            trading_enabled=table.trading_enabled,
            rules=tuple(rules),
            day_boundary=boundary,
            day_zone=table.day_zone,
            max_price_age=age,
        )


def _timedelta(value: str | float) -> timedelta:
    ns = duration_to_ns(value)
    if ns % 1_000:
        raise BadValueError(value, "is no whole number of microseconds; round it")
    return timedelta(microseconds=ns // 1_000)
