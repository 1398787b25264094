"""An order's terms: what is fixed when it is built, and what makes these fields consistent.

:raises InvalidOrderError: when fields contradict each other, naming the field and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import NoReturn, cast

import msgspec
from msgspec.structs import force_setattr

from seatrial.clock import MAX_NS, to_ns
from seatrial.contracts._text import REMEDY, holds
from seatrial.contracts.terms import OrderSide, OrderType, TimeInForce
from seatrial.errors import InvalidOrderError

__all__ = ["OrderTerms"]

_PRICES = ("limit_price", "stop_price", "trail_amount", "trail_percent", "limit_offset")
_prices = attrgetter(*_PRICES)
_PRICELESS = (None,) * len(_PRICES)
_FLAGS = (bool, bool)
_TRAIL = ("trail_amount", "trail_percent")
_NEEDS: dict[OrderType, tuple[str, ...]] = {
    OrderType.LIMIT: ("limit_price",),
    OrderType.STOP: ("stop_price",),
    OrderType.STOP_LIMIT: ("limit_price", "stop_price"),
    OrderType.MARKET_IF_TOUCHED: ("stop_price",),
    OrderType.LIMIT_IF_TOUCHED: ("limit_price", "stop_price"),
}
_TAKES: dict[OrderType, tuple[str, ...]] = {
    **_NEEDS,
    OrderType.TRAILING_STOP: ("stop_price", *_TRAIL),
    OrderType.TRAILING_STOP_LIMIT: _PRICES,
    OrderType.NATIVE: _PRICES,
}
_LIMITED = frozenset(
    {OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED, OrderType.TRAILING_STOP_LIMIT, OrderType.NATIVE}
)
_AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})
_NEVER_AT_ONCE = frozenset({OrderType.MARKET_ON_CLOSE, OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT})
_ZERO = Decimal(0)
_LARGEST = Decimal(10**24)
_HUNDRED = Decimal(100)


class OrderTerms(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What an order asks for.

    Quantities are in units of the instrument, prices in currency per unit, `trail_percent` in per cent, times in UNIX
    ns UTC (an aware datetime is accepted and converted). `limit_offset` is the distance at which a trailing stop-limit
    keeps its limit behind its stop. `oco_id` names a group of which the first fill ends the others; `parent_id` the
    order that must complete first.
    """

    order_id: str
    symbol: str
    side: OrderSide
    order_type: OrderType
    quantity: Decimal
    created_at: int
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    limit_offset: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    expire_at: int | None = None
    parent_id: str | None = None
    oco_id: str | None = None
    reduce_only: bool = False
    post_only: bool = False
    strategy_id: str = "S"
    tags: tuple[str, ...] = ()
    native_type: str | None = None

    def check(self) -> None:
        """Convert what the front door accepts (datetimes, ints), then refuse what contradicts itself.

        :raises InvalidOrderError: naming the field and what to do.
        :raises InvalidTimeError: for a time that is none.
        """
        if type(self.created_at) is not int or not 0 <= self.created_at <= MAX_NS:
            force_setattr(self, "created_at", to_ns(self.created_at))
        if self.expire_at is not None:
            force_setattr(self, "expire_at", to_ns(self.expire_at))
        if type(self.quantity) is not Decimal:
            force_setattr(self, "quantity", _exact(self, "quantity"))
        if self.tags != ():
            force_setattr(self, "tags", _tags(self, self.tags))
        _check(self)
        quantity = self.quantity
        if type(quantity) is Decimal:
            shared = _shared(quantity)
            if shared is not quantity and shared.same_quantum(quantity):
                force_setattr(self, "quantity", shared)


@lru_cache(maxsize=256)
def _shared(quantity: Decimal) -> Decimal:
    """Return the first of the equal quantities seen lately: orders are of few sizes, and need not keep one each."""
    return quantity


def _exact(order: OrderTerms, field: str) -> Decimal:
    """Return a field as Decimal: an int is exact already, a float never is.

    :raises InvalidOrderError: for anything but a Decimal or an int.
    """
    value: object = getattr(order, field)
    if isinstance(value, Decimal):
        return value
    if type(value) is int:
        return Decimal(value)
    raise InvalidOrderError(order.order_id, field, f"{value!r} is a {type(value).__name__}; give a Decimal")


def _check(order: OrderTerms) -> None:
    """Refuse an order whose fields contradict each other.

    :raises InvalidOrderError: naming the field and what to do.
    """
    _check_names(order)
    kind = order.order_type
    quantity = order.quantity
    if not quantity.is_finite() or quantity <= _ZERO:
        _refuse(order, "quantity", f"{quantity} is not above zero; the side says whether it buys or sells")
    if quantity >= _LARGEST or quantity != +quantity:
        _refuse(order, "quantity", f"{quantity} is too large to be exact; give less than 10**24, of at most 28 digits")
    flags: tuple[object, ...] = (order.reduce_only, order.post_only)
    if (type(flags[0]), type(flags[1])) != _FLAGS:
        flag = next(flag for flag in flags if type(flag) is not bool)
        _refuse(order, "reduce_only", f"{flag!r} is no flag; it and post_only are True or False")
    if kind is not OrderType.MARKET or _prices(order) != _PRICELESS:
        _check_prices(order)
    if order.time_in_force is not TimeInForce.GTC or order.expire_at is not None:
        _check_time_in_force(order)
    if order.post_only:
        _check_post_only(order)


def _check_prices(order: OrderTerms) -> None:
    kind = order.order_type
    takes = _TAKES.get(kind, ())
    for field in _PRICES:
        if getattr(order, field) is not None:
            _check_price(order, field, takes)
    for field in _NEEDS.get(kind, ()):
        if getattr(order, field) is None:
            _refuse(order, field, f"a {kind} order needs one")
    if kind is OrderType.TRAILING_STOP or kind is OrderType.TRAILING_STOP_LIMIT:
        _check_trail(order)


def _check_post_only(order: OrderTerms) -> None:
    kind, tif = order.order_type, order.time_in_force
    if kind not in _LIMITED or tif in _AT_ONCE:
        _refuse(order, "post_only", f"a {kind} order with {tif} takes liquidity; use a resting limit")


def _check_names(order: OrderTerms) -> None:
    order_id, symbol, strategy_id = order.order_id, order.symbol, order.strategy_id
    strings = type(order_id) is str and type(symbol) is str and type(strategy_id) is str
    if not strings or not (order_id and symbol and strategy_id and (order_id + symbol + strategy_id).isprintable()):
        for field in ("order_id", "symbol", "strategy_id"):
            _check_name(order, field, getattr(order, field))
    if type(order.side) is not OrderSide:
        _refuse(order, "side", f"{order.side!r} is no OrderSide")
    if type(order.order_type) is not OrderType:
        _refuse(order, "order_type", f"{order.order_type!r} is no OrderType")
    if order.parent_id is not None or order.oco_id is not None:
        _check_links(order)
    if (order.order_type is OrderType.NATIVE) != (order.native_type is not None):
        _refuse(order, "native_type", "it names the engine's own type of a NATIVE order, and of no other")
    if order.native_type is not None:
        _check_name(order, "native_type", order.native_type)


def _check_links(order: OrderTerms) -> None:
    for field in ("parent_id", "oco_id"):
        if getattr(order, field) is not None:
            _check_name(order, field, getattr(order, field))
    if order.parent_id == order.order_id:
        _refuse(order, "parent_id", "an order cannot wait for itself")


def _tags(order: OrderTerms, tags: object) -> tuple[str, ...]:
    given: list[str] = []
    for tag in cast("Iterable[object]", tags) if isinstance(tags, Iterable) and not isinstance(tags, str) else (None,):
        if not isinstance(tag, str):
            _refuse(order, "tags", f"{tags!r} are no tags; give a tuple of str")
        if not holds(tag):
            _refuse(order, "tags", f"UTF-8 cannot hold {tag!r}; {REMEDY}")
        given.append(tag)
    return tuple(given)


def _check_name(order: OrderTerms, field: str, value: object) -> None:
    if type(value) is not str or not value or not value.isprintable():
        _refuse(order, field, f"{value!r} is no name; give a non-empty printable str")


def _check_price(order: OrderTerms, field: str, takes: tuple[str, ...]) -> None:
    if field not in takes:
        _refuse(order, field, f"a {order.order_type} order has none")
    price = _exact(order, field)
    force_setattr(order, field, price)
    least = 0 if field == "limit_offset" else 1
    if not price.is_finite() or not 0 <= price < _LARGEST or price != +price or (price == 0 and least):
        _refuse(order, field, f"{price} is not above zero, below 10**24 and of at most 28 digits")


def _check_trail(order: OrderTerms) -> None:
    if (order.trail_amount is None) == (order.trail_percent is None):
        _refuse(order, "trail_amount", "give either trail_amount or trail_percent")
    if order.trail_percent is not None and order.trail_percent >= _HUNDRED:
        _refuse(order, "trail_percent", f"{order.trail_percent} is not below 100 per cent")
    if order.order_type is OrderType.TRAILING_STOP:
        return
    prices = order.stop_price is not None and order.limit_price is not None
    if prices == (order.limit_offset is not None) or (order.limit_price is not None and not prices):
        _refuse(order, "limit_offset", "give either limit_offset, or both stop_price and limit_price to derive it from")


def _check_time_in_force(order: OrderTerms) -> None:
    tif = order.time_in_force
    if type(tif) is not TimeInForce:
        _refuse(order, "time_in_force", f"{tif!r} is no TimeInForce")
    if (tif is TimeInForce.GTD) != (order.expire_at is not None):
        _refuse(order, "expire_at", "a GTD order needs one, and no other takes one")
    if tif in _AT_ONCE and order.order_type in _NEVER_AT_ONCE:
        _refuse(order, "time_in_force", f"a {order.order_type} order waits; it cannot be {tif}")


def _refuse(order: OrderTerms, field: str, problem: str) -> NoReturn:
    raise InvalidOrderError(order.order_id, field, problem)
