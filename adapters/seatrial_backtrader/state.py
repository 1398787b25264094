"""Everything a broker is made of between two cycles, as JSON, and back."""

from __future__ import annotations

import re
from collections import deque
from decimal import Decimal
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import msgspec
from backtrader.order import OrderBase
from backtrader.trade import Trade

from seatrial.contracts.account import Mark
from seatrial.engine.recording import RecorderState
from seatrial_backtrader.desk import Ticket, Told
from seatrial_backtrader.records import Reader, Writer, plain, read_position, unplain, write_position
from seatrial_backtrader.replica import SCALARS
from seatrial_backtrader.settings import Settings, read_scheme, settings_of, write_scheme

if TYPE_CHECKING:
    from seatrial_backtrader.broker import SeatrialBroker
    from seatrial_backtrader.desk import Desk
    from seatrial_backtrader.matching import Matcher
    from seatrial_backtrader.replica import Replica

__all__ = ["BrokerState", "Seen", "ToldCodec", "read_broker", "show", "write_broker"]

_SCALARS = ("startingcash", *SCALARS, "cash_before", "interest")
_FLAGS = ("check", "arrived", "sent", "fills", "accepted", "announced", "entered")


class Seen(msgspec.Struct, frozen=True):
    """Which bars a record has: when the first began, in UNIX ns UTC, and each feed's last price."""

    started: int | None
    marks: dict[str, Mark]


class BrokerState(msgspec.Struct, frozen=True, kw_only=True):
    """A broker as stored: orders and what was asked by number, then who holds which.

    `lengths` are the bars of each feed by then, `clock` the broker's time in UNIX ns UTC. `fund_last` is what the
    history of a fund told last, `recorded` which bars the `record` has, `began` what the broker was set to when the run
    began, `settings` what it is set to by now; older checkpoints have none of them.
    """

    feeds: tuple[str, ...]
    lengths: tuple[int, ...]
    clock: int
    orders: list[Any]
    terms: list[Any]
    fills: list[Any]
    near: dict[str, Any]
    far: dict[str, Any] | None
    desk: dict[str, Any]
    replica: dict[str, Any] | None
    broker: dict[str, Any]
    strategies: list[Any]
    counters: tuple[int, int]
    histories: list[int]
    fund: int
    fund_last: Any = None
    record: RecorderState | None = None
    recorded: Seen | None = None
    began: Settings | None = None
    settings: Settings | None = None


class ToldCodec:
    """Writes the reports that are under way to the strategy, and reads them."""

    def __init__(self, broker: SeatrialBroker) -> None:
        """Write for the feeds of `broker`."""
        self._broker = broker

    def encode(self, native: object) -> Any:
        """Return a report's payload as JSON."""
        if isinstance(native, Decimal):
            return str(native)
        if not isinstance(native, Told):
            problem = f"a {type(native).__name__} is no payload of this broker's"
            raise TypeError(problem)
        writer = _writer(self._broker)
        held = native.held
        return {
            "order": writer.order(native.order),
            "orders": writer.orders,
            "terms": writer.terms,
            "fills": writer.fills,
            "cash": plain(native.cash, "cash"),
            "held": None if held is None else [writer.data(held[0]), write_position(held[1])],
            "before": [self.encode(told) for told in native.before],
            "silent": native.silent,
        }

    def decode(self, value: Any) -> object:
        """Return the payload that :meth:`encode` wrote."""
        if isinstance(value, str):
            return Decimal(value)
        reader = _reader(self._broker, value["orders"], value["terms"], value["fills"])
        held = value["held"]
        told = Told(
            reader.order(value["order"]),
            unplain(value["cash"]),
            None if held is None else (reader.datas[held[0]], read_position(held[1])),
        )
        told.before = tuple([one for one in map(self.decode, value["before"]) if isinstance(one, Told)])
        told.silent = value["silent"]
        return told


def write_broker(broker: SeatrialBroker, clock: int, began: Settings) -> BrokerState:
    """Return a broker as it stands between two cycles, at `clock` (UNIX ns UTC); it `began` with other settings."""
    writer = _writer(broker)
    desk: Any = broker.desk
    replica, venue = broker._replica, broker.venue
    datas = broker.cerebro.datas
    told = _under_way(broker)
    known = frozenset(() if replica is None else (*replica.orders, *[order.ref for order in told]))
    near = _write_ledger(writer, broker, matches=venue is None)
    far = None if venue is None else _write_ledger(writer, venue, matches=True, known=known)
    trades = [_write_strategy(writer, strategy) for strategy in broker.cerebro.runningstrats]
    return BrokerState(
        feeds=tuple(broker._names.datas),
        lengths=tuple([len(data) for data in datas]),
        clock=clock,
        near=near,
        far=far,
        desk=_write_desk(writer, desk),
        replica=None if replica is None else _write_replica(writer, replica, told),
        broker={
            "groups": [
                [leader, [[writer.order(order), check] for order, check in group]]
                for leader, group in broker._groups.items()
            ],
            "held": [writer.order(order) for order in broker._held.values()],
            "sent": dict(broker._sent),
            "owners": {symbol: writer.owner(owner) for symbol, owner in broker._owners.items()},
            "withheld": str(broker._account.withheld),
            "assumed": None if broker._account.assumed is None else str(broker._account.assumed),
            "marked": [[writer.data(data), plain(shown, "mark")] for data, shown in broker._marked.items()],
        },
        strategies=trades,
        counters=(_peek(OrderBase.refbasis), _peek(Trade.refbasis)),
        histories=broker.histories.passed(broker._book),
        fund=broker.histories.passed_fund(broker._book),
        fund_last=plain(broker._book._fhistlast, "fund"),
        record=None if broker.logbook is None else broker.logbook.snapshot(),
        recorded=None if broker.logbook is None else broker.logbook.seen(),
        began=began,
        settings=settings_of(broker),
        orders=writer.orders,
        terms=writer.terms,
        fills=writer.fills,
    )


def show(book: Matcher, stored: dict[str, Any]) -> None:
    """Let a ledger show the cash and the value it will have, while nothing trades yet."""
    for name, value in stored["scalars"].items():
        setattr(book, name, unplain(value))


def read_broker(broker: SeatrialBroker, state: BrokerState) -> None:
    """Let a started broker become what `state` says, but for what it is set to."""
    reader = _reader(broker, state.orders, state.terms, state.fills)
    _read_ledger(reader, broker, state.near)
    if state.far is not None:
        _read_ledger(reader, broker.venue, state.far)
        broker._ocos, broker._ocol, broker.d_credit = broker.venue._ocos, broker.venue._ocol, broker.venue.d_credit
    _read_desk(reader, broker.desk, state.desk)
    if broker._replica is not None:
        _read_replica(reader, broker._replica, state.replica or {})
    kept = state.broker
    broker._groups = {leader: [(reader.order(one), check) for one, check in group] for leader, group in kept["groups"]}
    broker._held = {order.ref: order for order in map(reader.order, kept["held"])}
    broker._sent = dict(kept["sent"])
    owners = kept["owners"].items()
    broker._owners = {symbol: None if one is None else reader.strategies[one] for symbol, one in owners}
    broker._account.withheld = Decimal(kept["withheld"])
    assumed = kept.get("assumed")  # which older checkpoints have not
    broker._account.assumed = None if assumed is None else Decimal(assumed)
    if state.fund_last is not None:
        broker._book._fhistlast = unplain(state.fund_last)
    broker._early = Decimal(0)  # a strategy's start() is called again, and its deposit is in the cash
    broker._marked = {reader.datas[number]: tuple(unplain(shown)) for number, shown in kept["marked"]}
    for strategy, stored in zip(reader.strategies, state.strategies, strict=True):
        _read_strategy(reader, strategy, stored)
    if broker.logbook is not None and state.record is not None:
        broker.logbook.restore(state.record, state.recorded)
    OrderBase.refbasis, Trade.refbasis = count(state.counters[0]), count(state.counters[1])


def _writer(broker: SeatrialBroker) -> Writer:
    cerebro = broker.cerebro
    return Writer(cerebro.datas, cerebro.runningstrats, partial(write_scheme, broker))


def _reader(broker: SeatrialBroker, *stored: list[Any]) -> Reader:
    orders, terms, fills = stored
    cerebro = broker.cerebro
    return Reader((orders, terms, fills), cerebro.datas, cerebro.runningstrats, partial(read_scheme, broker))


def _peek(counter: Any) -> int:
    """Return what a counter gives next; Python has no other way to ask."""
    found = re.search(r"\d+", repr(counter))
    return int(found.group()) if found is not None else 1


# -- ledgers -----------------------------------------------------------------------------------------------------------


def _write_ledger(
    writer: Writer, book: Matcher, *, matches: bool, known: frozenset[int] = frozenset()
) -> dict[str, Any]:
    """Write a ledger; a strategy may still name the `known` orders, for it has not heard of their end."""
    numbers = [*map(writer.order, book.notifs)]
    stored: dict[str, Any] = {
        "scalars": {name: plain(getattr(book, name), name) for name in _SCALARS},
        "positions": [[writer.data(data), write_position(one)] for data, one in book.positions.items()],
        "deposits": [plain(one, "deposit") for one in book._cash_addition],
        "notifs": numbers,
        "orders": [writer.order(order) for order in book.orders if order.alive()],
    }
    if matches:
        tickets = {} if book.desk is None else book.desk.tickets
        alive = {order.ref for order in (*book.pending, *book.submitted)} | known
        alive |= {order.ref for held in book._pchildren.values() for order in held}
        alive |= set(tickets)
        parents = alive | {one.order.parent.ref for one in tickets.values() if one.order.parent is not None}
        leaders = {book._ocos[ref] for ref in alive if ref in book._ocos}  # whose leader may be gone
        stored |= {
            "credit": [[writer.data(data), plain(one, "credit")] for data, one in book.d_credit.items()],
            "pending": [writer.order(order) for order in book.pending],
            "submitted": [writer.order(order) for order in book.submitted],
            "waking": [writer.order(order) for order in book._toactivate],
            "children": [
                [ref, [writer.order(one) for one in held]]
                for ref, held in book._pchildren.items()
                if held or ref in parents
            ],
            "groups": [[ref, leader] for ref, leader in book._ocos.items() if ref in alive or ref in leaders],
            "members": [
                [ref, refs] for ref, refs in book._ocol.items() if ref in leaders or not alive.isdisjoint(refs)
            ],
        }
    return stored


def _read_ledger(reader: Reader, book: Matcher, stored: dict[str, Any]) -> None:
    show(book, stored)
    book.positions.clear()
    book.positions.update({reader.datas[number]: read_position(one) for number, one in stored["positions"]})
    book._cash_addition = deque(map(unplain, stored["deposits"]))
    book.notifs = deque(map(reader.order, stored["notifs"]))
    book.orders = [*map(reader.order, stored["orders"])]
    if "pending" not in stored:
        return
    book.d_credit.clear()
    book.d_credit.update({reader.datas[number]: unplain(one) for number, one in stored["credit"]})
    book.pending.clear()
    book.pending.extend(map(reader.order, stored["pending"]))
    book.submitted = deque(map(reader.order, stored["submitted"]))
    book._toactivate = deque(map(reader.order, stored["waking"]))
    book._pchildren.clear()
    book._pchildren.update({ref: deque(map(reader.order, held)) for ref, held in stored["children"]})
    book._ocos.clear()
    book._ocos.update(dict(stored["groups"]))
    book._ocol.clear()
    book._ocol.update({ref: list(refs) for ref, refs in stored["members"]})


# -- what is under way -------------------------------------------------------------------------------------------------


def _write_desk(writer: Writer, desk: Desk) -> dict[str, Any]:
    tickets = [
        {
            "order": writer.order(one.order),
            "twin": writer.order(one.twin),
            "id": one.order_id,
            "symbol": one.symbol,
            "left": str(one.left),
            **{name: getattr(one, name) for name in _FLAGS},
        }
        for one in desk.tickets.values()
    ]
    times: dict[str, Any] = {"turn": desk.turn, "moment": desk._moment}
    times["pieces"] = [[writer.data(data), piece] for data, piece in desk.pieces.items()]
    return {"tickets": tickets, "waiting": desk.waiting, "doomed": desk.doomed, **times}


def _read_desk(reader: Reader, desk: Any, stored: dict[str, Any]) -> None:
    desk.tickets.clear()
    desk.by_id.clear()
    for one in stored["tickets"]:
        order, left = reader.order(one["order"]), Decimal(one["left"])
        ticket = Ticket(order, one["id"], one["symbol"], one["sent"], left, check=one["check"])
        ticket.twin = reader.order(one["twin"])
        for name in _FLAGS:
            setattr(ticket, name, one[name])
        desk.open(ticket)
    desk.waiting = [(arrived, tuple(ids), cancels) for arrived, ids, cancels in stored["waiting"]]
    desk.doomed = stored["doomed"]
    desk.turn, desk._moment = stored["turn"], stored["moment"]
    desk.pieces = {reader.datas[number]: piece and tuple(piece) for number, piece in stored["pieces"]}


def _under_way(broker: SeatrialBroker) -> list[Any]:
    """Return the orders, as they stood at the venue, of which reports are under way to the strategy."""
    reports = [native for _, _, native in broker._standing().wire.reports.messages if isinstance(native, Told)]
    return [told.order for one in reports for told in (*one.before, one)]


def _write_replica(writer: Writer, replica: Replica, told: list[Any]) -> dict[str, Any]:
    return {
        "orders": [writer.order(order) for order in replica.orders.values()],
        "ended": [writer.order(order) for order in replica.ended(told)],
        "accepted": list(replica.accepted),
        "asked": [[ref, writer.order(order)] for ref, order in replica.asked.items()],
        "waking": [writer.order(order) for order in replica._waking],
        "trails": [[ref, writer.order(twin), plain(shown, "price")] for ref, (twin, *shown) in replica.trails.items()],
    }


def _read_replica(reader: Reader, replica: Replica, stored: dict[str, Any]) -> None:
    ended = stored.get("ended", ())  # which older checkpoints have not
    replica.know([*map(reader.order, stored["orders"])], [*map(reader.order, ended)])
    replica.accepted = {ref: replica.orders[ref] for ref in stored["accepted"] if ref in replica.orders}
    replica.asked = {ref: reader.order(number) for ref, number in stored["asked"]}
    replica._waking = [reader.order(number) for number in stored["waking"]]
    replica.trails = {ref: (reader.order(number), *unplain(shown)) for ref, number, shown in stored["trails"]}


# -- strategies --------------------------------------------------------------------------------------------------------


def _write_strategy(writer: Writer, strategy: Any) -> dict[str, Any]:
    trades = [
        [writer.data(data), plain(tradeid, "tradeid"), writer.trade(held[-1])]  # one that is closed is the next one's
        for data, by_id in strategy._trades.items()
        for tradeid, held in by_id.items()
        if held
    ]
    return {"trades": trades, "sentinel": writer.order(getattr(strategy, "_sentinel", None))}


def _read_strategy(reader: Reader, strategy: Any, stored: dict[str, Any]) -> None:
    for number, tradeid, trade in stored["trades"]:
        strategy._trades[reader.datas[number]][unplain(tradeid)] = [reader.trade(trade)]
    if stored["sentinel"] is not None:
        strategy._sentinel = reader.order(stored["sentinel"])
