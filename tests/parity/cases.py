"""Every strategy on every tape under every latency profile: the runs that engines are compared by."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

import msgspec
from tests.parity import strategies
from tests.parity.tapes import TAPES, ParityTape

from seatrial.contracts.latency import (
    LATENCY_FAST,
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    LATENCY_SLOW,
    LatencyConfig,
)
from seatrial.contracts.risk import PositionLimitRule, RiskConfig
from seatrial.contracts.scenario import ExecutionConfig, Scenario, StrategyRef, Tape
from seatrial.contracts.venue import AccountType, VenueConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CASES", "PROFILES", "ParityCase"]

PROFILES: dict[str, LatencyConfig] = {
    "INSTANT": LATENCY_INSTANT,
    "FAST": LATENCY_FAST,
    "NORMAL": LATENCY_NORMAL,
    "SLOW": LATENCY_SLOW,
}
"""Every named profile of the core."""

_CASH = Decimal(1_000_000)
_LEVERAGE = Decimal(2)
_LIMIT = 4


class ParityCase(msgspec.Struct, frozen=True):
    """A strategy, by its class, on a tape."""

    strategy: str
    tape: ParityTape

    @property
    def about(self) -> str:
        """What the strategy does, in a sentence."""
        return str(getattr(strategies, self.strategy).__doc__)

    def scenario(self, profile: str) -> Scenario:
        """Return the run under a latency profile."""
        tape = self.tape
        params = {"symbol": tape.instrument.symbol, "unit": str(tape.unit), "step": str(tape.step)}
        limit = PositionLimitRule(max_shares=_LIMIT * tape.unit)
        return Scenario(
            tape=_rows(tape),
            instruments=(tape.instrument,),
            strategy=StrategyRef(path=f"{strategies.__name__}:{self.strategy}", params=params),
            execution=ExecutionConfig(
                seed=1,
                initial_cash=_CASH,
                latency=PROFILES[profile],
                venue=VenueConfig(account_type=AccountType.MARGIN, leverage=_LEVERAGE),
                risk=RiskConfig(position_limit=limit) if self.strategy == "Refusals" else None,
            ),
        )


@cache
def _rows(tape: ParityTape) -> Tape:
    return Tape(rows=tape.rows())


def _cases() -> Iterator[ParityCase]:
    for tape in TAPES:
        for name in strategies.__all__:
            yield ParityCase(name, tape)


CASES = tuple(_cases())
