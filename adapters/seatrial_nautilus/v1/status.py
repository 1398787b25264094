"""What a live client answers when it is asked how things stand: what its trader has been told, and nothing else.

What the venue did since travels still, and is told when it arrives. So a reconciliation finds nothing to mend, and
never knows more than a real client could.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.reports import FillReport, OrderStatusReport, PositionStatusReport
from nautilus_trader.model.enums import PositionSide, TriggerType
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.objects import Quantity

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["fill_reports", "order_report", "order_reports", "position_reports"]


def order_report(order: Any, account_id: Any, now: int) -> Any:
    """Return how an order stands; `None` for one that the trader knows to be on its way, or never left."""
    if order is None or order.venue_order_id is None:
        return None
    return OrderStatusReport(
        account_id=account_id,
        instrument_id=order.instrument_id,
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
        order_side=order.side,
        order_type=order.order_type,
        time_in_force=order.time_in_force,
        order_status=order.status,
        price=order.price if order.has_price else None,
        trigger_price=order.trigger_price if order.has_trigger_price else None,
        trigger_type=order.trigger_type if order.has_trigger_price else TriggerType.NO_TRIGGER,
        quantity=order.quantity,
        filled_qty=order.filled_qty,
        avg_px=Decimal(str(order.avg_px)) if order.avg_px else None,
        post_only=order.is_post_only,
        reduce_only=order.is_reduce_only,
        report_id=UUID4(),
        ts_accepted=order.ts_accepted,
        ts_last=order.ts_last,
        ts_init=now,
    )


def order_reports(orders: Iterable[Any], account_id: Any, now: int, *, open_only: bool) -> list[Any]:
    """Return how orders stand that the venue has taken."""
    reports = [order_report(order, account_id, now) for order in orders if order.is_open or not open_only]
    return [report for report in reports if report is not None]


def fill_reports(orders: Iterable[Any], account_id: Any, now: int) -> list[Any]:
    """Return every fill of `orders` that was told."""
    return [
        FillReport(
            account_id=account_id,
            instrument_id=fill.instrument_id,
            client_order_id=fill.client_order_id,
            venue_order_id=fill.venue_order_id,
            venue_position_id=fill.position_id,
            trade_id=fill.trade_id,
            order_side=fill.order_side,
            last_qty=fill.last_qty,
            last_px=fill.last_px,
            commission=fill.commission,
            liquidity_side=fill.liquidity_side,
            report_id=UUID4(),
            ts_event=fill.ts_event,
            ts_init=now,
        )
        for order in orders
        for fill in order.events
        if isinstance(fill, OrderFilled)
    ]


def position_reports(positions: Iterable[Any], account_id: Any, now: int, *, named: bool) -> list[Any]:
    """Return positions as told: each of them where they are `named`, else what they come to by instrument."""
    by_name: dict[Any, list[Any]] = {}
    for position in positions:
        by_name.setdefault(position.id if named else position.instrument_id, []).append(position)
    reports: list[Any] = []
    for held in by_name.values():
        net = sum((one.signed_decimal_qty() for one in held), Decimal(0))
        side = PositionSide.FLAT if net == 0 else PositionSide.LONG if net > 0 else PositionSide.SHORT
        reports.append(
            PositionStatusReport(
                account_id=account_id,
                instrument_id=held[0].instrument_id,
                venue_position_id=held[0].id if named else None,
                position_side=side,
                quantity=Quantity(abs(net), held[0].size_precision),
                avg_px_open=Decimal(str(held[0].avg_px_open)) if len(held) == 1 else None,
                report_id=UUID4(),
                ts_last=max(one.ts_last for one in held),
                ts_init=now,
            )
        )
    return reports
