"""Limits on what an account may lose, looked at with every mark and every fill."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from seatrial.contracts.rejection import RejectionReason
from seatrial.contracts.risk import DrawdownLimitRule, Latch, RiskViolation

if TYPE_CHECKING:
    from seatrial.contracts.account import RiskView

__all__ = ["DrawdownLimit"]

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)


class DrawdownLimit:
    """Latches when equity falls more than a share below the day's start, or below its peak (per cent of either).

    Equity is the client's view: reported cash and positions at their marks. The daily latch lasts until the day turns,
    the total one until an operator enables trading, which accepts the loss so far.
    """

    needs_exposure = False
    watches = "equity"

    def __init__(self, **limits: Any) -> None:
        """Take the fields of a :class:`~seatrial.contracts.risk.DrawdownLimitRule`."""
        rule = msgspec.convert(limits, DrawdownLimitRule)
        self._action = rule.action
        self._daily, self._total = rule.max_daily_drawdown_pct, rule.max_total_drawdown_pct
        self._day_start = self._peak = self._day_floor = self._peak_floor = _ZERO  # as last worked out
        self._day_low = self._peak_low = _ZERO  # since then
        self._worst_day = self._worst = _ZERO  # in per cent, until then

    def watch(self, account: RiskView, now: int) -> RiskViolation | None:  # noqa: ARG002 - the protocol's
        """Compare equity with both floors; the total one, which lasts longer, first."""
        equity = account.equity
        if self._total is not None:
            peak = account.peak_equity
            if peak is not self._peak:
                self._worst = max(self._worst, _fall(self._peak, self._peak_low))
                self._peak, self._peak_floor, self._peak_low = peak, _floor(peak, self._total), equity
            elif equity < self._peak_low:
                self._peak_low = equity
            if equity < self._peak_floor:
                message = f"equity {equity} is below {self._peak_floor}: {self._total} % under its peak {peak}"
                return self._violation(message, equity, self._peak_floor, Latch.OPERATOR)
        if self._daily is not None:
            start = account.day_start_equity
            if start is not self._day_start:
                self._worst_day = max(self._worst_day, _fall(self._day_start, self._day_low))
                self._day_start, self._day_floor, self._day_low = start, _floor(start, self._daily), equity
            elif equity < self._day_low:
                self._day_low = equity
            if equity < self._day_floor:
                message = f"equity {equity} is below {self._day_floor}: {self._daily} % under the day's start {start}"
                return self._violation(message, equity, self._day_floor, Latch.DAY)
        return None

    def headroom(self) -> tuple[tuple[str, Decimal, Decimal], ...]:
        """Return the largest losses so far, in per cent, with their limits."""
        day, total = self._losses()
        uses = (("daily loss %", day, self._daily), ("loss from peak %", total, self._total))
        return tuple([(what, loss, limit) for what, loss, limit in uses if limit is not None])

    def save_state(self) -> list[str]:
        """Return the largest losses so far."""
        return [str(loss) for loss in self._losses()]

    def load_state(self, value: list[str]) -> None:
        """Take them back."""
        self._worst_day, self._worst = map(Decimal, value)

    def _losses(self) -> tuple[Decimal, Decimal]:
        day = max(self._worst_day, _fall(self._day_start, self._day_low))
        return day, max(self._worst, _fall(self._peak, self._peak_low))

    def _violation(self, message: str, equity: Decimal, floor: Decimal, until: Latch) -> RiskViolation:
        return RiskViolation(message, equity, floor, RejectionReason.RISK_DRAWDOWN_LIMIT, self._action, until)


def _floor(measured_from: Decimal, percent: Decimal) -> Decimal:
    """Return the equity below which a loss is too large; without capital, any loss is."""
    return measured_from - abs(measured_from) * percent / _HUNDRED


def _fall(measured_from: Decimal, low: Decimal) -> Decimal:
    """Return a loss in per cent of what it is measured from; none where there was no capital."""
    return (measured_from - low) * _HUNDRED / measured_from if measured_from > low and measured_from > 0 else _ZERO
