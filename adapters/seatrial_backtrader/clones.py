"""Backtrader's plain objects, handled faster than Backtrader does, and with the same outcome.

A copy made here takes a third of what `copy.copy` takes. An attribute that an order has among its parameters alone
costs an exception each time it is read, some forty times in an order's life.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Any

from backtrader.order import BuyOrder, OrderData, SellOrder
from backtrader.utils.autodict import AutoOrderedDict

__all__ = ["blank", "clone", "keep_terms", "noticed", "unfilled"]

_new: Any = object.__new__
_nothing = OrderData().__dict__
_DAY = timedelta(days=1)
_NAMES = (
    *("ref", "broker", "info", "comminfo", "triggered", "_active", "status", "_plimit", "exectype", "size", "valid"),
    *("created", "_limitoffset", "executed", "position", "dteos", "plen", "pannotated", "params", "p"),
    *("data", "owner", "parent", "transmit", "tradeid", "order_id", "_ours"),
)
"""What an order comes to have as attributes. Python shares the names among the objects of a class as far as the first
ones have them, and thirty at most: else each copy of an order is four times as large."""
for _kind in (BuyOrder, SellOrder):
    _first = _new(_kind)
    for _name in _NAMES:
        setattr(_first, _name, None)


def blank(kind: Any) -> Any:
    """Return an order that has everything to be asked for, and its beginning, still to come: it has only defaults."""
    order = _new(kind)
    order.params = order.p = _new(kind.params)
    return order


def begin(order: Any, price: Any, limit: Any) -> None:
    """Begin a blank order that neither trails nor expires, as its class does: at `price`, else at its feed's close."""
    data, terms = order.data, order.params
    stamps, close = data.datetime, data.close[0]
    order.ref, order.status = next(order.refbasis), 0
    order.broker = order.comminfo = None
    order.info = AutoOrderedDict()
    order.triggered = False
    order._active = order.parent is None
    order._plimit = limit
    if order.exectype is None:
        order.exectype = 0
    size = order.size
    if order.ordtype:
        size = order.size = -size
    order._limitoffset, order.position = 0.0, 0
    order.executed = unfilled(size)
    order.created = created = _new(OrderData)
    created.__dict__ = asked = _nothing.copy()
    if not price:
        price = limit or close
    asked["dt"], asked["size"], asked["pclose"], asked["exbits"] = stamps[0], size, close, deque()
    asked["price"], asked["pricelimit"], asked["_plimit"] = price, limit or price, limit
    asked["trailamount"], asked["trailpercent"] = terms.trailamount, terms.trailpercent
    now, session = stamps.datetime(), data.p.sessionend
    end = datetime.combine(now, session, now.tzinfo)
    order.dteos = data.date2num(end if end >= now else end + _DAY)


def keep_terms(order: Any) -> None:
    """Let an order have what it is asked for most as attributes of its own, as far as it has none of that name."""
    own = order.__dict__
    if "transmit" in own:
        return
    asked = order.p
    own.setdefault("data", asked.data)
    own.setdefault("owner", asked.owner)
    own.setdefault("parent", asked.parent)
    own.setdefault("transmit", asked.transmit)
    own.setdefault("tradeid", asked.tradeid)
    own.setdefault("valid", asked.valid)


def clone(one: Any) -> Any:
    """Return an object of the same class with the same attributes."""
    other = _new(type(one))
    other.__dict__ = one.__dict__.copy()
    return other


def noticed(order: Any) -> Any:
    """Return an order as it stands, for a notification: its fills since the last one are marked as news."""
    executed = order.executed
    executed.p1, executed.p2 = executed.p2, len(executed.exbits)
    notice, news = _new(type(order)), _new(type(executed))
    notice.__dict__ = own = order.__dict__.copy()
    news.__dict__ = executed.__dict__.copy()
    own["executed"] = news
    return notice


def unfilled(size: Any) -> Any:
    """Return what was executed of an order of `size` units that has not met the market."""
    data = _new(OrderData)
    data.__dict__ = own = _nothing.copy()
    own["exbits"], own["remsize"] = deque(), size
    return data
