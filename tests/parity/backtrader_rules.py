"""How Backtrader differs from the native engine, rule by rule. What it does is Backtrader's documented behaviour."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from tests.parity.aspects import history_of
from tests.parity.rules import Rule, Semantic, Setting

from seatrial.contracts.engine import Capability
from seatrial.contracts.market import Quote, Trade
from seatrial.contracts.terms import OrderSide, OrderType
from seatrial.contracts.venue import Convention, LimitFill

if TYPE_CHECKING:
    from tests.parity.aspects import Difference
    from tests.parity.rules import Two

    from seatrial.contracts.engine import RunRecord
    from seatrial.contracts.market import Bar
    from seatrial.contracts.orders import Order
    from seatrial.contracts.scenario import Scenario

__all__ = ["BACKTRADER_RULES"]


def _next_price(scenario: Scenario) -> Scenario:
    if not any(isinstance(row, Quote) for row in scenario.tape.rows):
        return scenario
    venue = replace(scenario.execution.venue, convention=Convention.NEXT)
    return replace(scenario, execution=replace(scenario.execution, venue=venue))


def _one_price(scenario: Scenario) -> Scenario:
    if not any(isinstance(row, Quote) for row in scenario.tape.rows):
        return scenario
    rows = tuple([_middle(row) if isinstance(row, Quote) else row for row in scenario.tape.rows])
    venue = replace(scenario.execution.venue, limit_fill=LimitFill.TOUCH)
    execution = replace(scenario.execution, venue=venue)
    finer = [
        one if one.tick_size is None else replace(one, tick_size=one.tick_size / 2) for one in scenario.instruments
    ]
    return replace(scenario, tape=replace(scenario.tape, rows=rows), execution=execution, instruments=tuple(finer))


def _middle(quote: Quote) -> Trade:
    return Trade(quote.ts, quote.symbol, (quote.bid + quote.ask) / 2)


# -- what native has no setting for --------------------------------------------------------------------------------


def _is_refused_modify(two: Two, difference: Difference) -> bool:
    """Up to that refusal both histories are the same; from there on the order trades, if at all, as it was sent."""
    answer = difference.other
    if answer is None or answer["event"] != "modify_refused" or answer["rejection"] != "unsupported":
        return False
    history = history_of(two.other, difference.order_id)
    sent = next(order for order in two.other.orders if order.order_id == difference.order_id)
    fills = _fills(two, sent)
    limit = sent.limit_price
    kept = limit is not None and all(_sign(sent) * (limit - fill["price"]) >= 0 for fill in fills)
    whole = sum((fill["quantity"] for fill in fills), Decimal(0)) in {0, sent.quantity}
    return kept and whole and not any(event["event"] == "replaced" for event in history)


def _is_exit_of_the_entry_bar(two: Two, difference: Difference) -> bool:
    """Natively the exits ended in the bar that filled their entry; walked from the next one on, as on Backtrader."""
    order = two.order(difference.order_id)
    if order.parent_id is None or difference.native is None:
        return False
    filled = [event["timestamp"] for event in history_of(two.native, order.parent_id) if event["event"] == "filled"]
    entry_bar = two.bar_at(max(filled, default=-1))
    if entry_bar is None or difference.native["timestamp"] > entry_bar.ts:
        return False
    later = [bar for bar in two.bars if bar.ts > entry_bar.ts]
    return _is_filled_as_walked(two, two.group(order), later)


def _is_order_of_arrival(two: Two, difference: Difference) -> bool:
    """Natively another one of the group traded, in the same bar; walked in the order of arrival, it is Backtrader's."""
    group = two.group(two.order(difference.order_id))
    natively, other = _filled_of(two.native, group), _filled_of(two.other, group)
    if natively is None or other is None or natively[0] == other[0]:
        return False
    bars = list(two.bars_of(group[0]))
    return two.bar_at(natively[1]) == two.bar_at(other[1]) and _is_filled_as_walked(two, group, bars)


def _is_filled_as_walked(two: Two, group: list[Order], bars: list[Bar]) -> bool:
    """Return whether Backtrader let the one of a group trade that does where each bar asks all of them, in turn."""
    filled = _filled_of(two.other, group)
    for bar in bars:
        for order in group:
            paid = _paid_in(bar, order, is_first=bar is bars[0])
            if paid is not None:
                return filled is not None and filled[0] == order.order_id and _filled_in(two, order, bar, paid)
    return filled is None


def _filled_of(record: RunRecord, group: list[Order]) -> tuple[str, int] | None:
    """Return which of a group was filled, and when."""
    for order in group:
        for event in history_of(record, order.order_id):
            if event["event"] == "filled":
                return order.order_id, int(event["timestamp"])
    return None


def _paid_in(bar: Bar, order: Order, *, is_first: bool) -> Decimal | None:
    """Return what a limit or a stop pays in a bar as a whole; `None` where it does not trade."""
    sign = _sign(order)
    if order.limit_price is not None:
        return _limit_from_open(bar, order.limit_price, sign) if is_first else _resting(bar, order.limit_price, sign)
    stop = order.stop_price
    if stop is None or sign * ((bar.high if sign > 0 else bar.low) - stop) < 0:
        return None
    return sign * max(sign * bar.open, sign * stop)


def _is_trail_by_closes(two: Two, difference: Difference) -> bool:
    """Walked bar by bar, with a trigger that follows the closes, the order comes to Backtrader's fill."""
    order = two.order(difference.order_id)
    if order.order_type is not OrderType.TRAILING_STOP or order.trail_amount is None:
        return False
    sign = _sign(order)
    trigger: Decimal | None = None  # this, and what follows, in prices that rise towards the trigger
    for bar in two.bars_of(order):
        opened, closed = sign * bar.open, sign * bar.close
        if trigger is None:
            trigger = opened + order.trail_amount
        if sign * (bar.high if sign > 0 else bar.low) >= trigger:
            return _filled_in(two, order, bar, sign * max(opened, trigger))
        trigger = min(trigger, closed + order.trail_amount)
    return not _fills(two, order)


def _is_stop_limit_by_the_bar(two: Two, difference: Difference) -> bool:
    """Walked bar by bar, by open, trigger and close alone, the order comes to Backtrader's fill."""
    order = two.order(difference.order_id)
    limit, stop = order.limit_price, order.stop_price
    if order.order_type is not OrderType.STOP_LIMIT or limit is None or stop is None:
        return False
    sign = _sign(order)
    triggered = False
    for bar in two.bars_of(order):
        paid = None
        if triggered:
            paid = _resting(bar, limit, sign)
        elif sign * (bar.open - stop) >= 0:
            triggered, paid = True, _limit_from_open(bar, limit, sign)
        elif sign * ((bar.high if sign > 0 else bar.low) - stop) >= 0:
            triggered = True
            if sign * (limit - stop) >= 0:
                paid = stop
            elif sign * (bar.open - bar.close) > 0 and sign * (limit - bar.close) >= 0:
                paid = limit
        if paid is not None:
            return _filled_in(two, order, bar, paid)
    return not _fills(two, order)


def _limit_from_open(bar: Bar, limit: Decimal, sign: int) -> Decimal | None:
    """Return what a limit that meets a bar's open pays: the open if that is no worse, else itself if traded through."""
    return bar.open if sign * (limit - bar.open) >= 0 else _resting(bar, limit, sign)


def _resting(bar: Bar, limit: Decimal, sign: int) -> Decimal | None:
    """Return what a limit that rests pays: its own price, if the bar trades through it."""
    return limit if sign * (limit - (bar.low if sign > 0 else bar.high)) > 0 else None


def _sign(order: Order) -> int:
    return 1 if order.side is OrderSide.BUY else -1


def _fills(two: Two, order: Order) -> list[dict[str, Any]]:
    return [event for event in history_of(two.other, order.order_id) if event["event"] == "filled"]


def _filled_in(two: Two, order: Order, bar: Bar, price: Decimal) -> bool:
    """Return whether Backtrader filled an order whole, at once, in a bar, at a price."""
    whole = [(fill["quantity"], fill["price"], two.bar_at(fill["timestamp"])) for fill in _fills(two, order)]
    return whole == [(order.quantity, price, bar)]


BACKTRADER_RULES: tuple[Rule, ...] = (
    Setting(
        "BT-NEXT",
        "An order meets the next price",
        "What was already printed cannot be traded again: an order that arrives between two prices trades at the first "
        "one at or after its arrival. On quotes the native venue lets it meet the quote that stands.",
        "The native run is repeated with `convention = next`.",
        Capability.STANDING,
        _next_price,
    ),
    Setting(
        "BT-ONE-PRICE",
        "There is one price, without a spread and without a size",
        "Backtrader's data has no bid, no ask and no displayed size. Its engine refuses quotes; it is given the middle "
        "of each quote as a print, good for any quantity, that fills a limit at touch.",
        "The native run is repeated on the same prints, with `limit_fill = touch`.",
        Capability.QUOTES,
        _one_price,
    ),
    Semantic(
        "BT-NO-MODIFY",
        "Orders cannot be changed",
        "Backtrader's orders have no modify: it is refused as `unsupported`, and the order works on as it was.",
        "Up to Backtrader's answer to the modify both histories are the same, and the answer is that refusal. The "
        "order then trades its first quantity, no worse than its first limit, or not at all.",
        _is_refused_modify,
    ),
    Semantic(
        "BT-EXITS-NEXT-BAR",
        "The exits of a bracket work from the next bar on",
        "Backtrader wakes a bracket's exits in the round after its entry was filled. Natively they may trade on what "
        "is left of the path of the bar that filled it.",
        "The native exits were done within the bar that filled the entry. Walked bar by bar from the next one on, they "
        "come to Backtrader's fill, its bar and its price.",
        _is_exit_of_the_entry_bar,
    ),
    Semantic(
        "BT-ARRIVAL",
        "Within a bar, orders are looked at in the order in which they arrived",
        "Backtrader looks at each bar as a whole. Of two orders of a group that the bar could both fill, the one that "
        "was sent first trades; natively it is the one that the bar's path meets first.",
        "Natively another one of the group was filled in the same bar. Walked bar by bar in the order in which it was "
        "sent, the group comes to Backtrader's fill, its bar and its price.",
        _is_order_of_arrival,
    ),
    Semantic(
        "BT-TRAIL-CLOSE",
        "A trailing stop follows the closes",
        "On bars Backtrader moves the trigger of a trailing stop once per bar, after its close. Natively it follows "
        "every price on the path of the bar.",
        "A trigger that follows the closes, walked over the tape, comes to the bar and the price of Backtrader's fill.",
        _is_trail_by_closes,
    ),
    Semantic(
        "BT-STOP-LIMIT",
        "A stop-limit's bar is judged by its open, its trigger and its close",
        "In the bar that triggers it, Backtrader fills a limit that the price has to come back to only where open and "
        "close prove that it did. Natively the path of the bar says so.",
        "That rule, walked over the tape, comes to the bar and the price of Backtrader's fill.",
        _is_stop_limit_by_the_bar,
    ),
)
