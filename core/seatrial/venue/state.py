"""The simulated venue as stored, and back again.

Ladders are not stored: an order that waits in one goes back to where its price, side and time belong.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from seatrial.contracts.market import Quote
from seatrial.contracts.orders import Order
from seatrial.venue.ledger import LedgerState
from seatrial.venue.moment import Moment
from seatrial.venue.working import Phase, Place, at_work

if TYPE_CHECKING:
    from seatrial.venue.book import Book
    from seatrial.venue.simulated import SimulatedVenue
    from seatrial.venue.working import Working

__all__ = ["BookState", "MomentState", "VenueState", "WorkingState", "load_venue", "save_venue"]


class WorkingState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A working order, as stored; see :class:`~seatrial.venue.working.Working` for what the fields mean."""

    order_id: str
    sequence: int
    since: int
    phase: Phase
    quantity: Decimal
    remaining: Decimal
    filled: Decimal
    filled_value: Decimal
    charged: Decimal
    limit: Decimal | None = None
    trigger: Decimal | None = None
    extreme: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    limit_offset: Decimal | None = None
    expire_at: int | None = None
    close_at: int | None = None
    met: bool = False
    placed: bool = False
    held: bool = False


class MomentState(msgspec.Struct, frozen=True):
    """What is left of a standing market, as stored."""

    ts: int
    bid: Decimal
    ask: Decimal
    bid_left: Decimal | None
    ask_left: Decimal | None
    strict: bool
    shared: bool
    path: bool


class BookState(msgspec.Struct, frozen=True, omit_defaults=True):
    """One symbol's market and its unsorted lists of orders, as stored."""

    symbol: str
    fresh: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()
    quote: Quote | None = None
    moment: MomentState | None = None
    last: Decimal | None = None
    last_at: int = 0
    is_bars: bool = False
    bar_end: int | None = None


class VenueState(msgspec.Struct, frozen=True):
    """A venue as stored; `ended` holds only what the client's orders do not tell."""

    sequence: int
    working: tuple[WorkingState, ...]
    children: dict[str, tuple[str, ...]]
    groups: dict[str, tuple[str, ...]]
    ended: dict[str, Decimal]
    ended_groups: tuple[str, ...]
    timers: tuple[tuple[int, str], ...]
    books: tuple[BookState, ...]
    ledger: LedgerState


_FIELDS = tuple(name for name in WorkingState.__struct_fields__ if name not in {"order_id", "sequence", "since"})
_LISTS: tuple[Place, ...] = ("fresh", "waiting", "closing")
_MOMENT = MomentState.__struct_fields__


def save_venue(venue: SimulatedVenue, completed: Mapping[str, Order]) -> VenueState:
    """Return the venue's state; `completed` are the client's ended orders, which need not be stored again."""
    return VenueState(
        venue.sequence,
        tuple([_save_working(working) for working in venue.working.values()]),
        _alive(venue.children),
        _alive(venue.groups),
        {
            order_id: filled
            for order_id, filled in venue.ended.items()
            if (told := completed.get(order_id)) is None or told.filled_quantity != filled
        },
        tuple(sorted(venue.ended_groups)),
        tuple([(due, working.order_id) for due, working in venue.timers.items()]),
        tuple([_save_book(book) for book in venue.market.books.values()]),
        venue.ledger.snapshot(),
    )


def load_venue(
    venue: SimulatedVenue, state: VenueState, pending: Mapping[str, Order], completed: Mapping[str, Order]
) -> None:
    """Make a new venue what `state` says; `pending` and `completed` are the client's orders."""
    venue.sequence = state.sequence
    for stored in state.books:
        _load_book(venue.market.book(stored.symbol), stored)
    for saved in state.working:
        order = pending[saved.order_id]
        book = venue.market.book(order.symbol)
        working = _load_working(order, saved, book.multiplier)
        venue.working[working.order_id] = working
        if working.placed:
            book.rest(working)
    for stored in state.books:
        book = venue.market.book(stored.symbol)
        for name in _LISTS:
            for order_id in getattr(stored, name):
                book.keep(venue.working[order_id], name)
    for family, lists in ((venue.children, state.children), (venue.groups, state.groups)):
        family.update({name: [venue.working[order_id] for order_id in ids] for name, ids in lists.items()})
    venue.ended.update(_told(completed))
    venue.ended.update(state.ended)
    venue.ended_groups.update(state.ended_groups)
    for due, order_id in state.timers:
        working = venue.working[order_id]
        working.expiry = venue.timers.push(due, working)
    venue.ledger.restore(state.ledger)


def _load_working(order: Order, saved: WorkingState, multiplier: Decimal | None) -> Working:
    working = at_work(order, saved.since, saved.sequence, multiplier)
    for name in _FIELDS:
        value = getattr(saved, name)
        if isinstance(value, Decimal) and not value.is_finite():
            message = f"{name} of {saved.order_id} is {value}, which is no number"
            raise ValueError(message)
        if value is not getattr(working, name):  # one without conditions has no room even for none
            setattr(working, name, value)
    return working


def _told(completed: Mapping[str, Order]) -> dict[str, Decimal]:
    """Return what was filled of each order that reached the venue and is over, as the client was told."""
    return {order_id: order.filled_quantity for order_id, order in completed.items() if order.reached_venue}


def _alive(families: Mapping[str, list[Working]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple([one.order_id for one in members if one.live]) for name, members in families.items()}


def _save_working(working: Working) -> WorkingState:
    values = {name: getattr(working, name) for name in _FIELDS}
    return WorkingState(working.order_id, working.sequence, working.since, **values)


def _save_book(book: Book) -> BookState:
    moment = book.moment
    return BookState(
        book.symbol,
        fresh=tuple(book.fresh),
        waiting=tuple(book.waiting),
        closing=tuple(book.closing),
        quote=book.quote,
        moment=None if moment is None else MomentState(*[getattr(moment, name) for name in _MOMENT]),
        last=book.last,
        last_at=book.last_at,
        is_bars=book.is_bars,
        bar_end=book.bar_end,
    )


def _load_book(book: Book, stored: BookState) -> None:
    book.quote, book.last, book.last_at = stored.quote, stored.last, stored.last_at
    book.is_bars, book.bar_end = stored.is_bars, stored.bar_end
    if stored.moment is not None:
        book.moment = Moment(**msgspec.structs.asdict(stored.moment))
