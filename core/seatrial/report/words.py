"""Amounts, times and terms as people read them; nothing here is ever read back."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from seatrial.clock import iso
from seatrial.contracts.terms import OrderType

if TYPE_CHECKING:
    from seatrial.contracts.orders import Order

__all__ = ["duration", "money", "per_cent", "plain", "price_terms", "shown_price", "stamp", "terms"]

_DECIMALS = 6
_SCALES = ((86_400_000_000_000, "d"), (3_600_000_000_000, "h"), (60_000_000_000, "min"), (1_000_000_000, "s"))
_DIGITS = 9
_UNSAID = {OrderType.LIMIT: "limit_price", OrderType.STOP: "stop_price", OrderType.MARKET_IF_TOUCHED: "stop_price"}


def money(amount: Decimal) -> str:
    """Return an amount to the cent, thousands apart.

    >>> money(Decimal("-1234.5"))
    '-1,234.50'
    """
    return f"{amount:,.2f}"


def per_cent(value: Decimal | None) -> str:
    """Return a percentage to the hundredth; `-` for none.

    >>> per_cent(Decimal("1.005")), per_cent(None)
    ('1.00 %', '-')
    """
    return "-" if value is None else f"{money(value)} %"


def plain(amount: Decimal) -> str:
    """Return an amount with all its digits, without exponent or trailing zeros.

    >>> plain(Decimal("1E+3")), plain(Decimal("0.50"))
    ('1000', '0.5')
    """
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def shown_price(price: Decimal | None) -> str:
    """Return a price cut to six decimals, which only a quotient exceeds; `-` for none.

    >>> shown_price(Decimal(10) / 3), shown_price(Decimal("9.50"))
    ('3.333333', '9.50')
    """
    if price is None:
        return "-"
    exponent = price.as_tuple().exponent
    long = isinstance(exponent, int) and exponent < -_DECIMALS
    return plain(Decimal(f"{price:.{_DECIMALS}f}")) if long else f"{price:f}"


def duration(ns: int | None) -> str:
    """Return a time span in its natural unit, cut to a tenth; `-` for none.

    >>> duration(1_500_000), duration(90_000_000_000), duration(0), duration(None)
    ('1.5 ms', '1.5 min', '0 ms', '-')
    """
    if ns is None:
        return "-"
    for size, unit in _SCALES:
        if ns >= size:
            return _tenths(ns, size, unit)
    return _tenths(ns, 1_000_000, "ms")


def _tenths(ns: int, size: int, unit: str) -> str:
    whole, tenth = divmod(ns * 10 // size, 10)
    return f"{whole}.{tenth} {unit}" if tenth else f"{whole} {unit}"


def stamp(ns: int) -> str:
    """Return UNIX ns UTC as ISO-8601, with as many digits (three, six or nine) as it takes to be exact.

    >>> stamp(50_000_000), stamp(1_000)
    ('1970-01-01T00:00:00.050Z', '1970-01-01T00:00:00.000001Z')
    """
    seconds, _, fraction = iso(ns).removesuffix("Z").partition(".")
    kept = next(digits for digits in (3, 6, _DIGITS) if fraction[digits:].strip("0") == "")
    return f"{seconds}.{fraction[:kept]}Z"


def price_terms(order: Order) -> str:
    """Return the prices an order names, each with its name unless its type says it; empty where there are none.

    A trailing stop's own stop is among them: where it began, not where it went.
    """
    said = _UNSAID.get(order.order_type)
    parts: list[str] = []
    for field, name in (("stop_price", "stop"), ("limit_price", "limit"), ("trail_amount", "trail")):
        price: Decimal | None = getattr(order, field)
        if price is not None:
            parts.append(f"{price:f}" if field == said else f"{name} {price:f}")
    if order.trail_percent is not None:
        parts.append(f"trail {plain(order.trail_percent)} %")
    if order.limit_offset is not None:
        parts.append(f"limit offset {order.limit_offset:f}")
    return ", ".join(parts)


def terms(order: Order) -> str:
    """Return what an order asks for: side, quantity, symbol, type, prices, and whatever else is unusual about it."""
    kind = order.native_type or order.order_type.replace("_", " ")
    parts = [f"{order.side} {plain(order.quantity)} {order.symbol} {kind} {price_terms(order)}".rstrip()]
    if order.time_in_force != "gtc":
        parts.append(order.time_in_force)
    if order.expire_at is not None:
        parts.append(f"until {stamp(order.expire_at)}")
    parts += [flag.replace("_", " ") for flag in ("reduce_only", "post_only") if getattr(order, flag)]
    return ", ".join(parts)
