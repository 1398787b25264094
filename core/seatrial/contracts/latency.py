"""How long messages travel: five legs, each with a distribution, and the four profiles.

A distribution maps 64 uniformly random bits to a delay in ns, so the draw itself is a pure function and there is no
random state anywhere. Delays are never negative.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from statistics import NormalDist
from typing import Any, Protocol, TypeAlias

import msgspec

from seatrial.clock import duration_ns
from seatrial.contracts._expect import expect
from seatrial.errors import InvalidConfigError

__all__ = [
    "LATENCY_FAST",
    "LATENCY_INSTANT",
    "LATENCY_NORMAL",
    "LATENCY_SLOW",
    "LONGEST_NS",
    "Constant",
    "Delay",
    "Distribution",
    "Empirical",
    "LatencyConfig",
    "Leg",
    "Lognormal",
    "Named",
    "Uniform",
]

_NORMAL = NormalDist()
_BITS = 64
LONGEST_NS = 2**62
"""The longest delay there is: 146 years."""
_SPAN = 1 << _BITS
_UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}


class Leg(StrEnum):
    """One direction of travel."""

    SUBMIT = "submit"
    ACK = "ack"
    FILL = "fill"
    CANCEL = "cancel"
    MODIFY = "modify"


class Delay(Protocol):
    """A distribution of delays."""

    def sample(self, bits: int) -> int:
        """Return the delay in ns that 64 random bits stand for (0 <= bits < 2**64)."""
        ...


class Constant(msgspec.Struct, frozen=True, tag_field="distribution", tag="constant"):
    """Always the same delay, in ns."""

    delay_ns: int = 0

    def __post_init__(self) -> None:
        """Refuse a negative delay."""
        _check_delay("delay_ns", self.delay_ns)

    def sample(self, bits: int) -> int:  # noqa: ARG002 - the protocol's signature
        """Return the delay."""
        return self.delay_ns


class Uniform(msgspec.Struct, frozen=True, tag_field="distribution", tag="uniform"):
    """Every whole ns from `low_ns` to `high_ns`, both included, equally likely."""

    low_ns: int
    high_ns: int

    def __post_init__(self) -> None:
        """Refuse an empty or negative range."""
        _check_delay("low_ns", self.low_ns)
        if self.high_ns < self.low_ns:
            raise InvalidConfigError("high_ns", self.high_ns, f"it lies below low_ns={self.low_ns}")

    def sample(self, bits: int) -> int:
        """Scale the bits to the range in integers, without rounding error."""
        return self.low_ns + (bits * (self.high_ns - self.low_ns + 1) >> _BITS)


class Lognormal(msgspec.Struct, frozen=True, tag_field="distribution", tag="lognormal"):
    """A long-tailed delay: `median_ns` * exp(`sigma` * Z) with Z standard normal, plus a floor of `least_ns`."""

    median_ns: int
    sigma: float
    least_ns: int = 0

    def __post_init__(self) -> None:
        """Refuse a spread or times below zero."""
        _check_delay("median_ns", self.median_ns)
        _check_delay("least_ns", self.least_ns)
        expect("sigma", self.sigma, int | float, "the log's standard deviation, between 0 and 10")
        if not 0 <= self.sigma <= 10:  # noqa: PLR2004 - exp(10 x 6) is beyond every network
            raise InvalidConfigError("sigma", self.sigma, "give the log's standard deviation, between 0 and 10")

    def sample(self, bits: int) -> int:
        """Invert the distribution function at the bits' quantile."""
        quantile = ((bits >> 12) + 0.5) / (_SPAN >> 12)  # 52 bits: exact as a float and never 0 or 1
        return self.least_ns + round(self.median_ns * math.exp(self.sigma * _NORMAL.inv_cdf(quantile)))


class Empirical(msgspec.Struct, frozen=True, tag_field="distribution", tag="empirical"):
    """Delays that were measured, each as likely as the others; `delays_ns` travels with every configuration."""

    delays_ns: tuple[int, ...]

    def __post_init__(self) -> None:
        """Refuse an empty or negative sample."""
        if not self.delays_ns:
            raise InvalidConfigError("delays_ns", self.delays_ns, "give at least one measured delay")
        for delay in self.delays_ns:
            _check_delay("delays_ns", delay)

    @classmethod
    def of(cls, delays_ns: Iterable[int]) -> Empirical:
        """Return the distribution of a sample, whatever its order."""
        return cls(tuple(sorted(delays_ns)))

    @classmethod
    def from_file(cls, path: str | Path, unit: str = "ms") -> Empirical:
        """Read one measured delay per line, in `unit` (ns, us, ms or s); blank lines and `#` comments are skipped.

        :raises InvalidConfigError: naming the file and line of what is no delay.
        """
        if unit not in _UNITS:
            raise InvalidConfigError("unit", unit, f"give one of {', '.join(_UNITS)}")
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidConfigError("empirical", str(path), f"cannot be read ({error})") from None
        delays: list[int] = []
        for number, line in enumerate(text.splitlines(), start=1):
            value = line.partition("#")[0].strip()
            if value:
                delays.append(_delay(f"{path}:{number}", value, unit))
        if not delays:
            raise InvalidConfigError("empirical", str(path), "holds no delay; write one per line")
        return cls.of(delays)

    def sample(self, bits: int) -> int:
        """Return the sample's value at the bits' quantile."""
        return self.delays_ns[bits * len(self.delays_ns) >> _BITS]


class Named(msgspec.Struct, frozen=True, tag_field="distribution", tag="named"):
    """A latency model that a plugin offers under `name`, built with `params` (JSON values) when a gate is opened."""

    name: str
    params: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])


Distribution: TypeAlias = Constant | Uniform | Lognormal | Empirical | Named
"""What a leg may be, as stored in JSON."""


def _delay(place: str, value: str, unit: str) -> int:
    try:
        delay = Decimal(value)
        if delay >= 0:
            return int(delay * _UNITS[unit])
    except (InvalidOperation, OverflowError, ValueError):
        pass
    raise InvalidConfigError("empirical", value, f"{place} is no delay in {unit}; give a number of zero or more")


def _check_delay(setting: str, value: object) -> None:
    if type(value) is not int or not 0 <= value <= LONGEST_NS:
        raise InvalidConfigError(setting, value, f"give whole ns from 0 to {LONGEST_NS}")


class LatencyConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The delay of each leg.

    The first four fields are the usual ones, as timedelta: submit and cancel constant, fills uniform between two
    bounds. `submit`, `ack`, `fill`, `cancel` and `modify` set a leg's distribution by name and take precedence.
    Unless given, the ack leg (accepts, refusals, cancels, expiries) takes no time and a modify travels like a submit.
    """

    submission_latency: timedelta = timedelta(0)
    fill_latency_min: timedelta = timedelta(0)
    fill_latency_max: timedelta | None = None
    cancel_latency: timedelta = timedelta(0)
    submit: Distribution | None = None
    ack: Distribution | None = None
    fill: Distribution | None = None
    cancel: Distribution | None = None
    modify: Distribution | None = None

    def __post_init__(self) -> None:
        """Refuse delays below zero or bounds in the wrong order, before the first order meets them."""
        for setting in ("submission_latency", "fill_latency_min", "cancel_latency"):
            expect(setting, getattr(self, setting), timedelta, "a timedelta, for example timedelta(milliseconds=50)")
        expect("fill_latency_max", self.fill_latency_max, timedelta | None, "a timedelta, or None for a constant delay")
        for leg in Leg:
            distribution = self.leg(leg)
            if not isinstance(distribution, Named) and not callable(getattr(distribution, "sample", None)):
                raise InvalidConfigError(leg, distribution, "give a distribution such as Constant or Uniform, or None")

    def leg(self, leg: Leg) -> Distribution:
        """Return the distribution of one leg."""
        given: Distribution | None = getattr(self, leg)
        if given is not None:
            return given
        if leg is Leg.FILL:
            low = duration_ns(self.fill_latency_min)
            high = low if self.fill_latency_max is None else duration_ns(self.fill_latency_max)
            return Constant(low) if low == high else Uniform(low, high)
        if leg is Leg.MODIFY:
            return self.leg(Leg.SUBMIT)
        if leg is Leg.ACK:
            return Constant(0)
        return Constant(duration_ns(self.submission_latency if leg is Leg.SUBMIT else self.cancel_latency))


def _profile(submit: int, fill_min: int, fill_max: int, cancel: int) -> LatencyConfig:
    return LatencyConfig(
        submission_latency=timedelta(milliseconds=submit),
        fill_latency_min=timedelta(milliseconds=fill_min),
        fill_latency_max=timedelta(milliseconds=fill_max),
        cancel_latency=timedelta(milliseconds=cancel),
    )


LATENCY_INSTANT = _profile(0, 0, 0, 0)
"""No delay anywhere."""
LATENCY_FAST = _profile(10, 50, 100, 20)
"""Submit 10 ms, fill report 50-100 ms, cancel 20 ms."""
LATENCY_NORMAL = _profile(50, 100, 200, 50)
"""Submit 50 ms, fill report 100-200 ms, cancel 50 ms."""
LATENCY_SLOW = _profile(100, 500, 1000, 100)
"""Submit 100 ms, fill report 500-1000 ms, cancel 100 ms."""
