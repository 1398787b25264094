"""How the simulated venue behaves: its account, its costs, its matching conventions.

Where a convention can be read in two ways, the default is the one that flatters a strategy less.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from seatrial.contracts._expect import expect
from seatrial.errors import InvalidConfigError

__all__ = [
    "AccountType",
    "Convention",
    "FeeModel",
    "FeeSchedule",
    "LimitFill",
    "NamedFees",
    "PriceImprovement",
    "VenueConfig",
]

_BPS = Decimal(10_000)
_ZERO = Decimal(0)


class AccountType(StrEnum):
    """What an account may do beyond its cash."""

    CASH = "cash"
    """No short sales, nothing bought beyond cash; resting buys hold their cash, resting sells their units."""
    MARGIN = "margin"
    """Short sales and leverage: worst-case position value over `leverage` may not exceed equity."""


class Convention(StrEnum):
    """Which price an arriving order meets."""

    STANDING = "standing"
    """The one standing at arrival (NautilusTrader's)."""
    NEXT = "next"
    """The first one after arrival; what was already printed cannot be traded again (Backtrader's)."""


class LimitFill(StrEnum):
    """When a resting limit fills."""

    TOUCH = "touch"
    """As soon as the market shows its price."""
    THROUGH = "through"
    """Only when the market trades beyond its price: at its price, others may have stood before it."""


class PriceImprovement(StrEnum):
    """When a limit order gets a better price than its limit."""

    ON_ARRIVAL = "on_arrival"
    """Only from the first price it meets; later it made that price itself and fills at its limit."""
    ALWAYS = "always"
    """Whenever the market has jumped through the limit (Backtrader's)."""


class FeeModel(Protocol):
    """What an order costs in commission: a pure function, asked as often as needed."""

    def total(self, quantity: Decimal, value: Decimal) -> Decimal:
        """Return what an order owes once `quantity` units worth `value` (currency) are filled; a rebate is negative."""
        ...


class FeeSchedule(msgspec.Struct, frozen=True, kw_only=True, tag_field="fees", tag="schedule"):
    """Commission per order: `per_share` (currency per unit) plus `bps` of value, and at least `minimum` (currency)."""

    per_share: Decimal = _ZERO
    bps: Decimal = _ZERO
    minimum: Decimal = _ZERO

    def __post_init__(self) -> None:
        """Refuse a fee that is no amount of money.

        :raises InvalidConfigError: naming the fee.
        """
        for name in ("per_share", "bps", "minimum"):
            _check_amount(name, getattr(self, name))

    def total(self, quantity: Decimal, value: Decimal) -> Decimal:
        """Return what an order owes after `quantity` units worth `value` (currency) were filled, in currency."""
        fee = self.per_share * quantity
        if self.bps:
            fee += self.bps * value / _BPS
        return max(fee, self.minimum)


class NamedFees(msgspec.Struct, frozen=True, tag_field="fees", tag="named"):
    """A fee model that a plugin offers under `name`, built with `params` (JSON values) when an account is opened."""

    name: str
    params: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])


def _check_amount(name: str, value: object) -> None:
    if not isinstance(value, Decimal) or not value.is_finite() or value < 0:
        raise InvalidConfigError(name, value, "give a Decimal of zero or more")


class VenueConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that shapes a fill.

    `slippage_bps` worsens every price that takes liquidity, never beyond a limit. `leverage` is a margin account's.
    `participation` is the share (0 to 1] of a print's size or a bar's volume that may be ours; `None` fills any
    quantity. Displayed quote sizes always bound a fill. `bar_theta` is the part of a bar by which an order must have
    arrived to trade from its open (0 is strict: only what arrived by the bar's start). `convention`, `limit_fill` of
    `None` mean each data kind's own: quotes STANDING, all else NEXT; quotes and single prices TOUCH (what is shown can
    be traded), trades and bars THROUGH.
    """

    account_type: AccountType = AccountType.CASH
    leverage: Decimal = Decimal(1)
    slippage_bps: Decimal = _ZERO
    fees: FeeSchedule | NamedFees = FeeSchedule()
    participation: Decimal | None = None
    bar_theta: Decimal = Decimal("0.5")
    convention: Convention | None = None
    limit_fill: LimitFill | None = None
    price_improvement: PriceImprovement = PriceImprovement.ON_ARRIVAL

    def __post_init__(self) -> None:
        """Refuse settings outside their range.

        :raises InvalidConfigError: naming the setting.
        """
        expect("account_type", self.account_type, AccountType, "an AccountType")
        expect("fees", self.fees, FeeSchedule | NamedFees, "a FeeSchedule, or NamedFees for a plugin's model")
        expect("convention", self.convention, Convention | None, "a Convention, or None")
        expect("limit_fill", self.limit_fill, LimitFill | None, "a LimitFill, or None")
        expect("price_improvement", self.price_improvement, PriceImprovement, "a PriceImprovement")
        _check_amount("slippage_bps", self.slippage_bps)
        _check_amount("bar_theta", self.bar_theta)
        _check_amount("leverage", self.leverage)
        if self.slippage_bps >= _BPS:
            raise InvalidConfigError("slippage_bps", self.slippage_bps, "give basis points, below 10000")
        if self.bar_theta > 1:
            raise InvalidConfigError("bar_theta", self.bar_theta, "give a part of the bar, 0 to 1")
        if self.leverage < 1:
            raise InvalidConfigError("leverage", self.leverage, "give 1 or more")
        if self.account_type is AccountType.CASH and self.leverage != 1:
            raise InvalidConfigError("leverage", self.leverage, "a cash account has none; use AccountType.MARGIN")
        if self.participation is not None:
            _check_amount("participation", self.participation)
            if not 0 < self.participation <= 1:
                raise InvalidConfigError("participation", self.participation, "give a share above 0, at most 1")
