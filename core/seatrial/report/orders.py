"""The orders of a run, one row each."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
from rich import box
from rich.table import Table
from rich.text import Text

from seatrial.contracts.events import OrderDenied, OrderSubmitted
from seatrial.contracts.orders import Order
from seatrial.contracts.rejection import RejectionReason
from seatrial.contracts.terms import OrderSide, OrderStatus, OrderType
from seatrial.errors import InvalidConfigError
from seatrial.report.words import money, plain, price_terms, shown_price, stamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.contracts.engine import RunRecord

__all__ = ["OrderRow", "order_rows", "orders_table"]


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order at the end of its run.

    `time` is when it left, or was refused before it could, in UNIX ns UTC. Its terms are the last ones reported;
    `price` is how they read. `fees` are in currency, `reason` says why it was refused or ended unasked.
    """

    order_id: str
    time: int
    strategy_id: str
    symbol: str
    side: OrderSide
    order_type: OrderType
    quantity: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    price: str
    status: OrderStatus
    filled: Decimal
    avg_price: Decimal | None
    fees: Decimal
    reason: RejectionReason | None


def order_rows(
    record: RunRecord, *, symbol: str | None = None, status: str | None = None, strategy: str | None = None
) -> list[OrderRow]:
    """Return the orders of a run in the order in which they were sent; of one symbol, status or strategy where given.

    :raises InvalidConfigError: for a status that there is not.
    """
    if status is not None and status not in list(OrderStatus):
        raise InvalidConfigError("status", str(status), f"give one of {', '.join(OrderStatus)}")
    sent: dict[str, int] = {}
    for event in record.events:
        if isinstance(event, OrderSubmitted | OrderDenied):
            sent.setdefault(event.order_id, len(sent))
    return [
        _row(order)
        for order in sorted(record.orders, key=lambda order: sent.get(order.order_id, len(sent)))
        if symbol in {None, order.symbol} and status in {None, order.status} and strategy in {None, order.strategy_id}
    ]


def _row(order: Order) -> OrderRow:
    return OrderRow(
        order_id=order.order_id,
        time=order.events[0].timestamp if order.events else order.created_at,
        strategy_id=order.strategy_id,
        symbol=order.symbol,
        side=order.side,
        order_type=order.order_type,
        quantity=order.quantity,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        price=price_terms(order),
        status=order.status,
        filled=order.filled_quantity,
        avg_price=order.avg_fill_price,
        fees=order.total_commission,
        reason=order.rejection_reason,
    )


def orders_table(rows: Iterable[OrderRow]) -> Table:
    """Return rows as a table for the terminal: money to cents, a mean price to six decimals."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for heading in ("time", "order", "side", "symbol", "type"):
        table.add_column(heading)
    for heading in ("quantity", "price", "filled", "at", "fees"):
        table.add_column(heading, justify="right")
    for heading in ("status", "reason"):
        table.add_column(heading)
    for row in rows:
        cells = (
            stamp(row.time),
            row.order_id,
            row.side,
            row.symbol,
            row.order_type,
            plain(row.quantity),
            row.price or "-",
            plain(row.filled),
            shown_price(row.avg_price),
            money(row.fees),
            row.status,
            row.reason or "",
        )
        table.add_row(*[Text(cell) for cell in cells])
    return table
