"""Backtrader's orders, positions and trades as JSON values, and back.

Objects that share something (an order and its copy at the venue share what was asked for, but not where a trailing
price has come to) share it again when they are read. Floats come back to the last bit.
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, cast

import msgspec
from backtrader.order import BuyOrder, OrderBase, OrderData, OrderExecutionBit, SellOrder
from backtrader.position import Position
from backtrader.trade import Trade, TradeHistory
from backtrader.utils.autodict import AutoOrderedDict

from seatrial.contracts.rejection import Rejection, RejectionReason
from seatrial.errors import CheckpointWarning, InvalidConfigError
from seatrial_backtrader.replica import OURS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Reader", "Writer", "plain", "read_position", "unplain", "write_position"]

_FLOAT, _TIME, _REJECTION, _PAIRS, _TUPLE, _ORDER = "$float", "$time", "$rejection", "$pairs", "$tuple", "$order"
_REASON = "$reason"
_ASIDE = frozenset({"broker", "comminfo", "created", "executed", "info", "p", "params", OURS})
_EVENT = ("size", "price", "commission")
_LINKS = frozenset({"data", "owner", "parent", "oco"})


def plain(value: Any, where: str) -> Any:
    """Return a value as JSON; `where` says whose it is.

    :raises InvalidConfigError: for a value that JSON has no word for.
    """
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {_PAIRS: [[plain(key, where), plain(one, where)] for key, one in items]}
    if isinstance(value, Sequence) and not isinstance(value, str):
        parts = [plain(one, where) for one in cast("Sequence[object]", value)]
        return {_TUPLE: parts} if isinstance(value, tuple) else parts
    return _scalar(value, where)


def _scalar(value: Any, where: str) -> Any:
    item = getattr(value, "item", None)  # a number of numpy's
    if callable(item):
        value = item()
    if isinstance(value, RejectionReason):
        return {_REASON: value.value}
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else {_FLOAT: repr(value)}
    if isinstance(value, dt.datetime):
        return {_TIME: value.isoformat()}
    if isinstance(value, Rejection):
        return {_REJECTION: msgspec.to_builtins(value)}
    problem = "a checkpoint keeps numbers, text, lists and dicts; keep it elsewhere"
    raise InvalidConfigError(where, value, problem)


def unplain(value: Any) -> Any:
    """Return the value that :func:`plain` wrote."""
    if isinstance(value, list):
        return [unplain(one) for one in cast("list[object]", value)]
    if isinstance(value, dict):
        [(tag, held)] = cast("dict[str, Any]", value).items()
        return _READ[tag](held)
    return value


_READ: dict[str, Callable[[Any], Any]] = {
    _FLOAT: float,
    _TIME: dt.datetime.fromisoformat,
    _REJECTION: lambda held: msgspec.convert(held, Rejection),
    _REASON: RejectionReason,
    _TUPLE: lambda held: tuple(map(unplain, held)),
    _PAIRS: lambda held: {unplain(key): unplain(one) for key, one in held},
}


class Writer:
    """Writes the objects of one moment; each is written once, and known by its number from then on."""

    def __init__(self, datas: Sequence[Any], strategies: Sequence[Any], scheme: Callable[[Any], Any]) -> None:
        """Number feeds and strategies as they stand; `scheme` writes how an order was priced, where that changed."""
        self._scheme = scheme
        self._datas = {id(data): number for number, data in enumerate(datas)}
        self._owners = {id(owner): number for number, owner in enumerate(strategies)}
        self._numbers: dict[int, int] = {}
        self._terms_of: dict[int, int] = {}
        self._created: list[Any] = []
        self._held: list[Any] = []  # so that no id is used again
        self._fills_of: dict[int, int] = {}
        self.orders: list[Any] = []
        self.terms: list[Any] = []
        self.fills: list[Any] = []

    def data(self, data: Any) -> int:
        """Return a feed's number."""
        return self._datas[id(data)]

    def owner(self, owner: Any) -> int | None:
        """Return a strategy's number; `None` for nobody."""
        return self._owners.get(id(owner))

    def order(self, order: Any) -> int | None:
        """Return an order's number."""
        if order is None:
            return None
        number = self._numbers.get(id(order))
        if number is None:
            self._held.append(order)
            number = self._numbers[id(order)] = len(self.orders)
            self.orders.append(None)
            asked = order.p  # an order may hold the same as attributes of its own
            moving = {
                name: value
                for name, value in vars(order).items()
                if name not in _ASIDE and getattr(asked, name, asked) is not value
            }
            terms = self._write_terms(order)
            self.orders[number] = {
                "terms": terms,
                "moving": dict(self._write_attributes(moving)),
                "created": None if order.created is self._created[terms] else self._write_data(order.created),
                "executed": self._write_data(order.executed),
                "priced": order.comminfo is not None,
                "scheme": self._scheme(order),
            }
        return number

    def _write_attributes(self, moving: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """Write attributes; a strategy may have put some on its order, other orders among them."""
        for name, value in moving.items():
            if isinstance(value, OrderBase):
                yield name, {_ORDER: self.order(value)}
                continue
            try:
                yield name, plain(value, name)
            except InvalidConfigError as error:
                text = f"an order's attribute is not in the checkpoint: {error}"
                warnings.warn(text, CheckpointWarning, stacklevel=2)

    def _write_terms(self, order: Any) -> int:
        number = self._terms_of.get(id(order.p))
        if number is None:
            number = self._terms_of[id(order.p)] = len(self.terms)
            self.terms.append(None)
            self._created.append(order.created)
            asked = {name: getattr(order.p, name) for name in order.p._getkeys() if name not in _LINKS}
            if isinstance(asked["valid"], dt.date | dt.timedelta):
                asked["valid"] = None  # resolved when the order was made
            self.terms[number] = {
                "buys": order.isbuy(),
                "data": self.data(order.data),
                "owner": self.owner(order.owner),
                "parent": self.order(order.parent),
                "asked": {name: plain(value, name) for name, value in asked.items()},
                "created": self._write_data(order.created),
                "info": plain(dict(order.info), "order.info"),
            }
        return number

    def _write_data(self, data: Any) -> Any:
        """Write what was asked or filled; an order and its copies share the list of their fills."""
        number = self._fills_of.get(id(data.exbits))
        if number is None:
            number = self._fills_of[id(data.exbits)] = len(self.fills)
            self._held.append(data.exbits)
            self.fills.append([[plain(value, name) for name, value in vars(bit).items()] for bit in data.exbits])
        fields = {name: plain(value, name) for name, value in vars(data).items() if name != "exbits"}
        return {"fields": fields, "fills": number}

    def trade(self, trade: Any) -> Any:
        """Return a trade."""
        fields = {name: plain(value, name) for name, value in vars(trade).items() if name not in {"data", "history"}}
        history = [self._write_update(one) for one in trade.history]
        return {"data": self.data(trade.data), "fields": fields, "history": history}

    def _write_update(self, update: Any) -> Any:
        status = {name: plain(value, name) for name, value in update.status.items() if name != "tz"}
        event = update.event
        return status, self.order(event.order), [plain(event[name], name) for name in _EVENT]


class Reader:
    """Reads what a :class:`Writer` wrote, for the feeds and strategies of another run."""

    def __init__(
        self,
        stored: tuple[list[Any], list[Any], list[Any]],
        datas: Sequence[Any],
        strategies: Sequence[Any],
        scheme: Callable[[Any, Any], Any],
    ) -> None:
        """Number feeds and strategies as they stand; `stored` are a writer's orders, terms and fills.

        `scheme` returns how an order in a feed was priced, from what the writer's did.
        """
        self._orders, self._terms, fills = stored
        self._fills = [deque(map(_read_bit, bits)) for bits in fills]
        self._scheme = scheme
        self.datas = datas
        self.strategies = strategies
        self._made: dict[int, Any] = {}
        self._asked: dict[int, tuple[Any, Any, Any]] = {}

    def order(self, number: int | None) -> Any:
        """Return an order by its number."""
        if number is None:
            return None
        if number not in self._made:
            stored = self._orders[number]
            terms = self._terms[stored["terms"]]
            kind: Any = BuyOrder if terms["buys"] else SellOrder
            order = self._made[number] = kind.__new__(kind)
            asked, created, info = self._read_terms(stored["terms"], kind)
            if stored["created"] is not None:
                created = self._read_data(stored["created"])
            vars(order).update(params=asked, p=asked, created=created, info=info, broker=None, comminfo=None)
            vars(order).update({name: self._read_attribute(value) for name, value in stored["moving"].items()})
            order.executed = self._read_data(stored["executed"])
            if stored["priced"]:
                order.comminfo = self._scheme(asked.data, stored.get("scheme"))  # which older checkpoints have not
        return self._made[number]

    def _read_attribute(self, value: Any) -> Any:
        if isinstance(value, dict) and _ORDER in value:
            return self.order(cast("dict[str, int]", value)[_ORDER])
        return unplain(value)

    def _read_terms(self, number: int, kind: Any) -> tuple[Any, Any, Any]:
        if number not in self._asked:
            stored = self._terms[number]
            asked = kind.params()
            for name, value in stored["asked"].items():
                setattr(asked, name, unplain(value))
            asked.data = self.datas[stored["data"]]
            asked.owner = None if stored["owner"] is None else self.strategies[stored["owner"]]
            info = AutoOrderedDict()
            for key, value in unplain(stored["info"]).items():
                info[key] = value
            self._asked[number] = asked, self._read_data(stored["created"]), info
            asked.parent = self.order(stored["parent"])
        return self._asked[number]

    def _read_data(self, stored: Any) -> Any:
        data = OrderData.__new__(OrderData)
        vars(data).update({name: unplain(value) for name, value in stored["fields"].items()})
        data.exbits = self._fills[stored["fills"]]
        return data

    def trade(self, stored: Any) -> Any:
        """Return a trade."""
        trade = Trade.__new__(Trade)
        vars(trade).update({name: unplain(value) for name, value in stored["fields"].items()})
        data = self.datas[stored["data"]]
        history = [self._read_update(*one, tz=data._tz) for one in stored.get("history", ())]  # older ones have none
        vars(trade).update(data=data, history=history)
        return trade

    def _read_update(self, status: dict[str, Any], order: int, event: Sequence[Any], *, tz: Any) -> Any:
        update = TradeHistory(**{name: unplain(value) for name, value in status.items()}, tz=tz)
        update.doupdate(self.order(order), *map(unplain, event))
        return update


def _read_bit(values: Sequence[Any]) -> Any:
    bit = OrderExecutionBit.__new__(OrderExecutionBit)
    vars(bit).update(zip(vars(OrderExecutionBit()), map(unplain, values), strict=True))
    return bit


def write_position(position: Any) -> Any:
    """Return a position."""
    return {name: plain(value, name) for name, value in vars(position).items()}


def read_position(stored: Any) -> Any:
    """Return the position that :func:`write_position` wrote."""
    position = Position()
    vars(position).update({name: unplain(value) for name, value in stored.items()})
    return position
