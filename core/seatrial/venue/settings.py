"""What a simulator is told when it is opened, checked at the front door."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, get_args

from seatrial.contracts._expect import expect
from seatrial.contracts._text import PLAIN_NAME, is_plain_name
from seatrial.contracts.calendar import Calendar
from seatrial.contracts.latency import Distribution, LatencyConfig, Leg
from seatrial.contracts.risk import RiskConfig
from seatrial.contracts.venue import FeeSchedule, NamedFees, VenueConfig
from seatrial.errors import InvalidConfigError
from seatrial.plugins import installed_plugins

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.contracts.checkpoint import ObserverChoice
    from seatrial.contracts.market import Instrument
    from seatrial.contracts.plugin import Observer
    from seatrial.plugins import Plugins

__all__ = [
    "as_amount",
    "can_store",
    "check_settings",
    "check_storable",
    "chosen_observers",
    "open_observer",
    "restored_latency",
]


def check_settings(latency: object, venue: object, risk: object, seed: object, simulator_id: object) -> None:
    """Refuse settings of the wrong kind before anything is built from them.

    :raises InvalidConfigError: naming the setting.
    """
    expect("latency_config", latency, LatencyConfig, "a LatencyConfig, for example LATENCY_NORMAL")
    expect("venue_config", venue, VenueConfig | None, "a VenueConfig, or None")
    expect("risk_config", risk, RiskConfig | None, "a RiskConfig, or None")
    expect("seed", seed, int, "an int")
    expect("simulator_id", simulator_id, str, "a str")
    if not is_plain_name(str(simulator_id)):
        raise InvalidConfigError("simulator_id", simulator_id, f"give a plain name: {PLAIN_NAME}")


def open_observer(observer: str | Observer, plugins: Plugins | None) -> tuple[str, Observer]:
    """Return an observer with its name; a mere name is looked up in `plugins`, the installed ones unless given.

    :raises InvalidConfigError: for what is neither a name nor can be notified.
    """
    if isinstance(observer, str):
        return observer, (plugins or installed_plugins()).observer(observer)
    if not callable(getattr(observer, "notify", None)):
        raise InvalidConfigError("observers", observer, "give the name of an observer, or an object with notify()")
    return type(observer).__name__, observer


def chosen_observers(choices: Iterable[ObserverChoice], objects: Iterable[Observer]) -> list[str | Observer]:
    """Return the observers of a stored configuration, its objects as they were handed over again.

    :raises InvalidConfigError: for an object that is missing, or one too many.
    """
    spare = list(objects)
    chosen: list[str | Observer] = []
    for choice in choices:
        if not choice.is_object:
            chosen.append(choice.name)
            continue
        found = next((one for one in spare if type(one).__name__ == choice.name), None)
        if found is None:
            problem = "it was an object when the checkpoint was taken; hand it over again, in observers=(…,)"
            raise InvalidConfigError("observers", choice.name, problem)
        spare.remove(found)
        chosen.append(found)
    if spare:
        name = type(spare[0]).__name__
        raise InvalidConfigError("observers", name, "the checkpoint knows no such observer that was an object")
    return chosen


def restored_latency(stored: LatencyConfig | None, given: object) -> LatencyConfig:
    """Return the latency a session goes on with: the checkpoint's, or where it could hold none, the one `given`.

    :raises InvalidConfigError: where there is none, or two that differ.
    """
    expect("latency_config", given, LatencyConfig | None, "a LatencyConfig, the one the session began with, or None")
    if isinstance(given, LatencyConfig) and stored is not None and given != stored:
        problem = "the checkpoint holds the latency the session began with; leave it out"
        raise InvalidConfigError("latency_config", given, problem)
    latency = given if isinstance(given, LatencyConfig) else stored
    if latency is None:
        raise InvalidConfigError("latency_config", None, "a leg was of the user's own class; hand it over again")
    return latency


def can_store(latency: LatencyConfig) -> bool:
    """Return whether every leg's distribution is one that can be written; a user's own class cannot."""
    return all(type(latency.leg(leg)) in get_args(Distribution) for leg in Leg)


def check_storable(venue: VenueConfig, instruments: Iterable[Instrument]) -> None:
    """Refuse what a checkpoint would bring back as something else: subclasses with a behaviour of their own.

    :raises InvalidConfigError: naming the setting.
    """
    parts: list[tuple[str, object, object]] = [("fees", venue.fees, FeeSchedule | NamedFees)]
    parts += [("calendar", instrument.calendar, Calendar) for instrument in instruments]
    for setting, value, known in parts:
        if type(value) not in get_args(known):
            problem = f"no checkpoint can hold a {type(value).__name__}; offer it as a plugin, or use a built-in one"
            raise InvalidConfigError(setting, value, problem)


def as_amount(setting: str, value: object) -> Decimal:
    """Return an amount as Decimal; an int is exact already, a float never is.

    :raises InvalidConfigError: for anything but a finite Decimal or int of zero or more.
    """
    amount = Decimal(value) if type(value) is int else value
    if not isinstance(amount, Decimal) or not amount.is_finite() or amount < 0:
        raise InvalidConfigError(setting, value, "give a Decimal of zero or more")
    return amount
