"""Limits on what an account may come to hold, with everything that works for it filled.

Neither stops an order that provably reduces a position. Values are compared in account currency.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from seatrial.contracts.rejection import RejectionReason
from seatrial.contracts.risk import ExposureLimitRule, PositionLimitRule, RiskViolation

if TYPE_CHECKING:
    from seatrial.contracts.account import RiskView
    from seatrial.contracts.orders import Order

__all__ = ["ExposureLimit", "PositionLimit"]

_HUNDRED = Decimal(100)


class PositionLimit:
    """Refuses what might bring one symbol's position beyond `max_shares` (units) or `max_value` (currency).

    Source: FIA, Best Practices for Automated Trading Risk Controls (2024), "maximum position".
    """

    exempts_reducing = True

    def __init__(self, **limits: Any) -> None:
        """Take the fields of a :class:`~seatrial.contracts.risk.PositionLimitRule`."""
        rule = msgspec.convert(limits, PositionLimitRule)
        self._max_shares = rule.max_shares
        self._max_value = rule.max_value
        self._action = rule.action
        self.needs_price = rule.max_value is not None

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:  # noqa: ARG002 - the protocol's
        """Compare the worst the symbol's position may come to."""
        symbol, limit = order.symbol, self._max_shares
        if limit is not None:
            worst = account.worst_position(symbol)
            if worst > limit:
                message = f"{symbol} may come to {worst} units, {limit} are allowed"
                return RiskViolation(message, worst, limit, RejectionReason.RISK_POSITION_LIMIT, self._action)
        limit = self._max_value
        if limit is not None:
            value = account.worst_value(symbol)
            if value is not None and value > limit:
                message = f"{symbol} may come to a value of {value}, {limit} is allowed"
                return RiskViolation(message, value, limit, RejectionReason.RISK_POSITION_LIMIT, self._action)
        return None


class ExposureLimit:
    """Refuses what might bring all positions together beyond a share of equity, gross or net (per cent).

    Source: SEC Rule 15c3-5 (c)(1)(i).
    """

    exempts_reducing = True
    needs_price = True
    needs_all_prices = True

    def __init__(self, **limits: Any) -> None:
        """Take the fields of an :class:`~seatrial.contracts.risk.ExposureLimitRule`."""
        rule = msgspec.convert(limits, ExposureLimitRule)
        self._gross = rule.max_gross_exposure_pct
        self._net = rule.max_net_exposure_pct
        self._action = rule.action

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:  # noqa: ARG002 - the protocol's
        """Compare the worst all positions may come to."""
        equity = account.equity
        if self._gross is not None:
            gross = account.gross_exposure()
            if gross is None or gross * _HUNDRED > self._gross * equity:
                return self._violation("gross", gross, self._gross, equity)
        if self._net is not None:
            net = account.net_exposure()
            if net is None or net * _HUNDRED > self._net * equity:
                return self._violation("net", net, self._net, equity)
        return None

    def _violation(self, what: str, exposure: Decimal | None, percent: Decimal, equity: Decimal) -> RiskViolation:
        if exposure is None:
            message = f"{what} exposure is unknown: something held or ordered has no price yet; feed market data first"
            return RiskViolation(message, reason=RejectionReason.RISK_PRICE_MISSING)
        limit = percent * equity / _HUNDRED
        message = f"{what} exposure may come to {exposure}, {percent} % of the equity of {equity} is {limit}"
        return RiskViolation(message, exposure, limit, RejectionReason.RISK_EXPOSURE_LIMIT, self._action)
