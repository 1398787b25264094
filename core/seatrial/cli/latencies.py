"""What a session file says about latency.

:raises SessionError: for what cannot be used, naming the file, the key, and what to write instead.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from seatrial.cli.problems import BadValueError, SessionError, at_key, closest
from seatrial.cli.quantities import duration_to_ns
from seatrial.cli.session import ConstantTable, EmpiricalTable, LatencyTable, LognormalTable, UniformTable
from seatrial.contracts.latency import (
    LATENCY_FAST,
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    LATENCY_SLOW,
    Constant,
    Empirical,
    LatencyConfig,
    Leg,
    Lognormal,
    Named,
    Uniform,
)

if TYPE_CHECKING:
    from seatrial.cli.session import DelayTable
    from seatrial.contracts.latency import Distribution

__all__ = ["PROFILES", "Place", "as_latency"]

PROFILES = {
    "instant": LATENCY_INSTANT,
    "fast": LATENCY_FAST,
    "normal": LATENCY_NORMAL,
    "slow": LATENCY_SLOW,
}
"""The latency profiles by the names that session files and `--latency` give them."""


class Place(NamedTuple):
    """A session file's name in messages, and the folder that its paths are relative to."""

    file: str
    folder: Path

    def resolved(self, path: str) -> str:
        """Return a path of the file as it is to be opened."""
        return str(self.folder / path)


def as_latency(table: LatencyTable, place: Place) -> LatencyConfig:
    """Return the delays that a table describes."""
    profile = table.profile
    if profile is not None and profile not in PROFILES:
        problem = f"{profile!r} is none of {', '.join(PROFILES)}{closest(profile, PROFILES)}"
        raise SessionError(place.file, "latency.profile", problem)
    config = PROFILES[profile or "instant"]
    for leg in Leg:
        given: str | float | DelayTable | None = getattr(table, leg)
        if given is not None:
            with at_key(place.file, f"latency.{leg}"):
                config = replace(config, **{leg: _distribution(given, place)})
    return config


def _distribution(given: str | float | DelayTable, place: Place) -> Distribution:
    if isinstance(given, str | int | float | ConstantTable):
        return Constant(duration_to_ns(given.delay if isinstance(given, ConstantTable) else given))
    if isinstance(given, UniformTable):
        low, high = duration_to_ns(given.low), duration_to_ns(given.high)
        if high < low:
            raise BadValueError(given.high, f"as high lies below low, {given.low!r}; swap them")
        return Uniform(low, high)
    if isinstance(given, LognormalTable):
        return Lognormal(duration_to_ns(given.median), given.sigma, duration_to_ns(given.least))
    return _measured(given, place) if isinstance(given, EmpiricalTable) else Named(given.name, given.params)


def _measured(given: EmpiricalTable, place: Place) -> Empirical:
    if given.file is not None and given.delays:
        raise BadValueError(given.file, "goes without delays; give one of the two")
    if given.file is None and not given.delays:
        raise BadValueError([], 'are no delays; give file = "delays.txt" or delays = ["12ms", "14ms"]')
    if given.file is None:
        return Empirical.of(duration_to_ns(delay) for delay in given.delays)
    return Empirical.from_file(place.resolved(given.file), given.unit)
