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

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)
Use = tuple[str, Decimal, Decimal]
"""What is limited, how much of it was used at most, and the limit."""


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
        self._most_shares = self._most_value = _ZERO
        self.needs_price = rule.max_value is not None

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:  # noqa: ARG002 - the protocol's
        """Compare the worst the symbol's position may come to."""
        symbol, limit = order.symbol, self._max_shares
        if limit is not None:
            worst = account.worst_position(symbol)
            if worst > limit:
                message = f"{symbol} may come to {worst} units, {limit} are allowed"
                return RiskViolation(message, worst, limit, RejectionReason.RISK_POSITION_LIMIT, self._action)
            if worst > self._most_shares:  # noqa: PLR1730 - max() costs a call for every order
                self._most_shares = worst
        limit = self._max_value
        if limit is not None:
            value = account.worst_value(symbol)
            if value is not None and value > limit:
                message = f"{symbol} may come to a value of {value}, {limit} is allowed"
                return RiskViolation(message, value, limit, RejectionReason.RISK_POSITION_LIMIT, self._action)
            if value is not None and value > self._most_value:
                self._most_value = value
        return None

    def headroom(self) -> tuple[Use, ...]:
        """Return the most that was ever let through, in units and in currency."""
        return _uses(("shares", self._most_shares, self._max_shares), ("value", self._most_value, self._max_value))

    def save_state(self) -> list[str]:
        """Return the most that was ever let through."""
        return [str(self._most_shares), str(self._most_value)]

    def load_state(self, value: list[str]) -> None:
        """Take it back."""
        self._most_shares, self._most_value = map(Decimal, value)


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
        self._gross, self._gross_share = rule.max_gross_exposure_pct, _share(rule.max_gross_exposure_pct)
        self._net, self._net_share = rule.max_net_exposure_pct, _share(rule.max_net_exposure_pct)
        self._most_gross = self._most_net = (_ZERO, Decimal(1))  # with the equity at the time
        self._action = rule.action

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:  # noqa: ARG002 - the protocol's
        """Compare the worst all positions may come to."""
        equity = account.equity
        if self._gross is not None:
            gross = account.gross_exposure()
            if gross is None or gross > self._gross_share * equity:
                return self._violation("gross", gross, self._gross, equity)
            if gross * self._most_gross[1] > self._most_gross[0] * equity:
                self._most_gross = (gross, equity)
        if self._net is not None:
            net = account.net_exposure()
            if net is None or net > self._net_share * equity:
                return self._violation("net", net, self._net, equity)
            if net * self._most_net[1] > self._most_net[0] * equity:
                self._most_net = (net, equity)
        return None

    def headroom(self) -> tuple[Use, ...]:
        """Return the most that was ever let through, in per cent of the equity at the time."""
        shares = [exposure * _HUNDRED / equity for exposure, equity in (self._most_gross, self._most_net)]
        return _uses(("gross %", shares[0], self._gross), ("net %", shares[1], self._net))

    def save_state(self) -> list[str]:
        """Return the most that was ever let through."""
        return [str(number) for pair in (self._most_gross, self._most_net) for number in pair]

    def load_state(self, value: list[str]) -> None:
        """Take it back."""
        gross, gross_equity, net, net_equity = map(Decimal, value)
        self._most_gross, self._most_net = (gross, gross_equity), (net, net_equity)

    def _violation(self, what: str, exposure: Decimal | None, percent: Decimal, equity: Decimal) -> RiskViolation:
        if exposure is None:
            message = f"{what} exposure is unknown: something held or ordered has no price yet; feed market data first"
            return RiskViolation(message, reason=RejectionReason.RISK_PRICE_MISSING)
        limit = percent * equity / _HUNDRED
        message = f"{what} exposure may come to {exposure}, {percent} % of the equity of {equity} is {limit}"
        return RiskViolation(message, exposure, limit, RejectionReason.RISK_EXPOSURE_LIMIT, self._action)


def _share(percent: Decimal | None) -> Decimal:
    """Return per cent as a share of one."""
    return _ZERO if percent is None else percent / _HUNDRED


def _uses(*uses: tuple[str, Decimal, Decimal | None]) -> tuple[Use, ...]:
    """Return those that are limited."""
    return tuple([(what, used, limit) for what, used, limit in uses if limit is not None])
