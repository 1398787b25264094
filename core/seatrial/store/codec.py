"""A checkpoint as JSON, and back.

Orders are written as they were sent, events as short rows in the order of the log; what the events have made of the
orders is found again by applying them. So the log only ever grows at its end, and what was encoded for one checkpoint
serves the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from itertools import chain
from operator import attrgetter
from typing import Any, get_args

import msgspec
from msgspec.structs import astuple

from seatrial.contracts.checkpoint import AccountSummary, ExecutionCheckpoint, SimulatorConfig
from seatrial.contracts.events import AccountEvent, Event, OrderDenied, OrderEvent, OrderExecution, OrderReplaced
from seatrial.contracts.order_terms import OrderTerms
from seatrial.contracts.orders import TERMINAL, Order
from seatrial.errors import CheckpointError, InvalidOrderError, SeatrialError

__all__ = ["Encoder", "decode"]

_ACCOUNT_EVENTS = frozenset(get_args(AccountEvent))
_HEAD = ("order_id", "symbol", "side", "order_type", "quantity", "created_at")  # what every order has
_JSON = msgspec.json.Encoder()


_TERMS = msgspec.structs.fields(OrderTerms)
_FIRST, _LATER = _TERMS[: len(_HEAD)], _TERMS[len(_HEAD) :]
_DEFAULTS = tuple([field.default for field in _LATER])
_Extras: Any = msgspec.defstruct(  # the terms that most orders leave as they are
    "_Extras", [(field.name, field.type, field.default) for field in _LATER], frozen=True, gc=False, omit_defaults=True
)
_PLAIN: Any = _Extras()
_OrderRow: Any = msgspec.defstruct(  # an order as it was sent
    "_OrderRow",
    [*[(field.name, field.type) for field in _FIRST], ("extras", _Extras, _PLAIN)],
    frozen=True,
    gc=False,
    array_like=True,
)
_OrderRows: Any = list[_OrderRow]
_ORDERS: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(_OrderRows)
_head_of = attrgetter(*_HEAD)
_extras_of = attrgetter(*[field.name for field in _LATER])


def _row_type(kind: type[msgspec.Struct], skipped: int) -> Any:
    """Return an event's row: its tag, the order's number (-1 for none), the time, the delay, and the rest."""
    rest = [(field.name, field.type, field.default) for field in msgspec.structs.fields(kind)[skipped:]]
    fields: list[Any] = [("number", int), ("timestamp", int), ("delay", int), *rest]
    fields = [field if len(field) < 3 or field[2] is not msgspec.NODEFAULT else field[:2] for field in fields]  # noqa: PLR2004 - name, type, default
    return msgspec.defstruct(
        f"{kind.__name__}Row", fields, frozen=True, gc=False, array_like=True, tag=kind.__struct_config__.tag
    )


def _either(one: Any, other: Any) -> Any:
    return one | other


_KINDS: dict[type, type[msgspec.Struct]] = {
    **{_row_type(kind, 3): kind for kind in get_args(OrderEvent)},
    **{_row_type(kind, 2): kind for kind in _ACCOUNT_EVENTS},
}
_EVENTS: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[reduce(_either, _KINDS)])  # type: ignore[misc]  # a union made at run time


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    """The file's body."""

    config: SimulatorConfig
    account: AccountSummary
    timestamp: int
    orders: msgspec.Raw
    events: msgspec.Raw
    gate: msgspec.Raw
    engine: msgspec.Raw
    observers: msgspec.Raw
    strategy: msgspec.Raw


class Encoder:
    """Writes the checkpoints of one session; what was encoded before is used again."""

    __slots__ = ("_count", "_events", "_fills", "_last", "_numbers", "_orders", "encoded")

    def __init__(self) -> None:
        """Start with nothing encoded."""
        self.encoded = 0
        """How many orders and events were encoded in all."""
        self._reset()

    def _reset(self) -> None:
        self._count = 0
        self._last: Event | None = None
        self._numbers: dict[str, int] = {}
        self._fills: dict[str, int] = {}
        self._orders = bytearray()
        self._events = bytearray()

    def encode(self, checkpoint: ExecutionCheckpoint) -> Iterator[bytes]:
        """Return the checkpoint's body in chunks."""
        self._take_up(checkpoint)
        yield b'{\n"config":' + _JSON.encode(checkpoint.config)
        yield b',\n"account":' + _JSON.encode(checkpoint.account)
        yield b',\n"timestamp":' + _JSON.encode(checkpoint.timestamp)
        yield b',\n"gate":' + checkpoint.gate + b',\n"engine":' + checkpoint.engine
        yield b',\n"observers":' + checkpoint.observers
        yield b',\n"strategy":' + checkpoint.strategy
        yield b',\n"orders":['
        yield bytes(self._orders)
        yield b'\n],\n"events":['
        yield bytes(self._events)
        yield b"\n]\n}"

    def _take_up(self, checkpoint: ExecutionCheckpoint) -> None:
        """Encode what happened since the last checkpoint, or everything where this is another session's."""
        events = checkpoint.events
        if self._count > len(events) or (self._count and events[self._count - 1] is not self._last):
            self._reset()
        fresh = events[self._count :]
        if not fresh:
            return
        orders: dict[str, Order] | None = None
        numbers, rows = self._numbers, self._events
        for event in fresh:
            rows += b",\n" if rows else b"\n"
            if type(event) in _ACCOUNT_EVENTS:
                values = astuple(event)
                rows += _JSON.encode((_TAGS[type(event)], -1, values[0], values[1] - values[0], *values[2:]))
                continue
            order_id, timestamp, reported_at, *rest = astuple(event)
            if order_id not in numbers:
                if orders is None:
                    every = chain(checkpoint.pending, checkpoint.completed, checkpoint.originals)
                    orders = {order.order_id: order for order in every}
                self._add_order(orders[order_id])
            if type(event) is OrderExecution:
                n = self._fills[order_id] = self._fills.get(order_id, 0) + 1
                if rest[0] == f"{order_id}/{n}":
                    rest[0] = ""
            rows += _JSON.encode((_TAGS[type(event)], numbers[order_id], timestamp, reported_at - timestamp, *rest))
        self.encoded += len(fresh)
        self._count, self._last = len(events), events[-1]

    def _add_order(self, order: Order) -> None:
        self._numbers[order.order_id] = len(self._numbers)
        self.encoded += 1
        row = _head_of(order)
        values = _extras_of(order)
        if values != _DEFAULTS:
            row = (*row, _beside_defaults(values))
        self._orders += b",\n" if self._orders else b"\n"
        self._orders += _JSON.encode(row)


_TAGS = {kind: kind.__struct_config__.tag for kind in _KINDS.values()}


def decode(path: object, simulator_id: str, body: bytes) -> ExecutionCheckpoint:
    """Return the checkpoint that a body holds; `path` is where it was found.

    :raises CheckpointError: when it is no such body, or its events do not fit its orders.
    """
    try:
        stored = msgspec.json.decode(body, type=_Body)
        history = _History([_order(row) for row in _ORDERS.decode(stored.orders)])
        for row in _EVENTS.decode(stored.events):
            history.take(row)
    except (msgspec.DecodeError, SeatrialError, ArithmeticError, LookupError, ValueError) as error:
        raise CheckpointError(path, f"its contents do not fit together ({error})") from error
    return ExecutionCheckpoint(
        simulator_id=simulator_id,
        timestamp=stored.timestamp,
        config=stored.config,
        account=stored.account,
        pending=tuple(history.pending.values()),
        completed=tuple(history.completed.values()),
        originals=tuple(history.originals.values()),
        events=tuple(history.events),
        gate=stored.gate,
        engine=stored.engine,
        observers=stored.observers,
        strategy=stored.strategy,
    )


class _History:
    """What the events make of the orders, one after the other, as the client did when they were told."""

    def __init__(self, orders: list[Order]) -> None:
        self._sent = orders
        self._fills: dict[str, int] = {}
        self.pending: dict[str, Order] = {}
        self.completed: dict[str, Order] = {}
        self.originals: dict[str, Order] = {}
        self.events: list[Event] = []

    def take(self, row: Any) -> None:
        values: tuple[Any, ...] = astuple(row)
        number: int = values[0]
        timestamp, delay, *rest = values[1:]
        kind: Any = _KINDS[type(row)]
        if kind in _ACCOUNT_EVENTS:
            self.events.append(kind(timestamp, timestamp + delay, *rest))
            return
        order_id = self._sent[number].order_id
        if kind is OrderExecution:
            n = self._fills[order_id] = self._fills.get(order_id, 0) + 1
            rest[0] = rest[0] or f"{order_id}/{n}"
            if not all(amount.is_finite() for amount in rest[1:4]):
                raise InvalidOrderError(order_id, "events", "a fill holds what is no number")
        event: OrderEvent = kind(order_id, timestamp, timestamp + delay, *rest)
        self.events.append(event)
        known = self.pending.get(order_id) or self.completed.get(order_id)
        if known is None:
            known = self._sent[number]
        elif kind is OrderDenied:  # of another order that bore the same id, and was never kept
            return
        elif kind is OrderReplaced:
            self.originals.setdefault(order_id, known)
        after = known.apply(event)
        if after.status in TERMINAL:
            self.pending.pop(order_id, None)
            self.completed[order_id] = after
        else:
            self.pending[order_id] = after


def _beside_defaults(values: tuple[Any, ...]) -> dict[str, Any]:
    """Return the later terms that are not as most orders leave them."""
    pairs = zip(_LATER, values, _DEFAULTS, strict=True)
    return {field.name: value for field, value, default in pairs if value != default}


def _order(row: Any) -> Order:
    head: dict[str, Any] = dict(zip(_HEAD, _head_of(row), strict=True))
    extras = row.extras
    return Order(**head) if extras is _PLAIN else Order(**head, **_beside_defaults(_extras_of(extras)))
