"""Limits on what an account may lose, looked at with every mark and every fill."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from seatrial.contracts.rejection import RejectionReason
from seatrial.contracts.risk import DrawdownLimitRule, Latch, RiskAction, RiskViolation

if TYPE_CHECKING:
    from seatrial.contracts.account import RiskView

__all__ = ["DrawdownLimit"]

_HUNDRED = Decimal(100)


class _Floor:
    """The equity below which a loss is too large; renewed only when what it is measured from has moved."""

    __slots__ = ("_from", "_percent", "equity")

    def __init__(self, percent: Decimal) -> None:
        self._percent = percent
        self._from: Decimal | None = None
        self.equity = Decimal(0)

    def broken(self, equity: Decimal, measured_from: Decimal) -> bool:
        if measured_from is not self._from:
            self._from = measured_from
            self.equity = measured_from - abs(measured_from) * self._percent / _HUNDRED
        return equity < self.equity


class DrawdownLimit:
    """Latches when equity falls more than a share below the day's start, or below its peak (per cent of either).

    Equity is the client's view: reported cash and positions at their marks. The daily latch lasts until the day turns,
    the total one until an operator enables trading, which accepts the loss so far.
    """

    def __init__(self, **limits: Any) -> None:
        """Take the fields of a :class:`~seatrial.contracts.risk.DrawdownLimitRule`."""
        rule = msgspec.convert(limits, DrawdownLimitRule)
        daily, total = rule.max_daily_drawdown_pct, rule.max_total_drawdown_pct
        self._action = rule.action
        self._percents = (daily, total)
        self._daily = None if daily is None else _Floor(daily)
        self._total = None if total is None else _Floor(total)

    def watch(self, account: RiskView, now: int) -> RiskViolation | None:  # noqa: ARG002 - the protocol's
        """Compare equity with both floors; the total one, which lasts longer, first."""
        equity = account.equity
        total, daily = self._total, self._daily
        if total is not None and total.broken(equity, account.peak_equity):
            message = (
                f"equity {equity} is below {total.equity}: {self._percents[1]} % under its peak {account.peak_equity}"
            )
            return _violation(message, equity, total.equity, self._action, Latch.OPERATOR)
        if daily is not None and daily.broken(equity, account.day_start_equity):
            start = account.day_start_equity
            message = f"equity {equity} is below {daily.equity}: {self._percents[0]} % under the day's start {start}"
            return _violation(message, equity, daily.equity, self._action, Latch.DAY)
        return None


def _violation(message: str, equity: Decimal, floor: Decimal, action: RiskAction, until: Latch) -> RiskViolation:
    return RiskViolation(message, equity, floor, RejectionReason.RISK_DRAWDOWN_LIMIT, action, until)
