"""The first voyage: two strategies, each run twice on the same data, without delays and with those of a retail broker.

The strategies are there to send orders, not to make money. Everything is seeded: the output never changes.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from rich import box
from rich.console import Console
from rich.table import Table

from seatrial import (
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    ExecutionSimulator,
    LatencyConfig,
    Order,
    OrderExecution,
    OrderSide,
    OrderStatus,
    OrderType,
    Quote,
    TimeInForce,
)
from seatrial.contracts.events import CancelRequested
from seatrial.data.sample import IBM, ibm_daily
from seatrial.data.ticks import TICK, tick_tape
from seatrial.report.summary import summarize
from seatrial.report.table import summary_table

if TYPE_CHECKING:
    from seatrial import Bar
    from seatrial.contracts.events import Event

PROFILES = {"INSTANT": LATENCY_INSTANT, "NORMAL": LATENCY_NORMAL}
CASH = Decimal(100_000)
PER_SHARE = Decimal("0.005")
MS = 1_000_000
SECOND = 1_000 * MS


Voyage: TypeAlias = tuple[ExecutionSimulator, list[Decimal]]
"""A simulator at the end of its run, and samples of its equity on the way."""


class Crossing:
    """On bars: hold IBM while its 20-day mean is above its 100-day mean, behind a trailing stop of 10 per cent."""

    def __init__(self, simulator: ExecutionSimulator) -> None:
        self.simulator = simulator
        self.closes: deque[Decimal] = deque(maxlen=100)
        self.was_above = True  # so that the first entry waits for a cross
        self.entries = 0

    def on_bar(self, bar: Bar) -> None:
        """Decide on the close; the order then meets the next open."""
        self.closes.append(bar.close)
        if len(self.closes) < 100:
            return
        closes = list(self.closes)
        above = sum(closes[-20:]) / 20 > sum(closes) / 100
        if above and not self.was_above:
            self.enter(bar)
        elif not above and self.was_above:
            self.leave(bar)
        self.was_above = above

    def enter(self, bar: Bar) -> None:
        """Buy for nine tenths of the cash; the stop travels with the entry and wakes when it has filled."""
        if self.simulator.positions or self.simulator.pending_orders:
            return
        self.entries += 1
        quantity = self.simulator.cash * 9 // (bar.close * 10)
        entry = new_order(f"buy-{self.entries}", "IBM", OrderSide.BUY, quantity, bar.ts)
        stop = Order(
            order_id=f"stop-{self.entries}",
            symbol="IBM",
            side=OrderSide.SELL,
            order_type=OrderType.TRAILING_STOP,
            quantity=quantity,
            created_at=bar.ts,
            trail_percent=10,
        )
        self.simulator.submit_bracket(entry, stop, timestamp=bar.ts)

    def leave(self, bar: Bar) -> None:
        """Take the stop back and sell: the two requests travel in this order and never overtake each other."""
        for order_id in list(self.simulator.pending_orders):
            self.simulator.cancel_order(order_id, bar.ts)
        for symbol, quantity in list(self.simulator.positions.items()):
            sell = new_order(f"sell-{self.entries}", symbol, OrderSide.SELL, quantity, bar.ts)
            self.simulator.submit_order(sell, bar.ts)


class Chasing:
    """On ticks: buy when the price runs up, paying up to two ticks more; bid quietly when it idles.

    A bid is taken back when the market leaves it, or after 2 s. What is bought is sold 1.5 s after it is known.

    Entries depend on the tape alone, so both runs send the same ones and can be compared order by order.
    """

    def __init__(self, simulator: ExecutionSimulator) -> None:
        self.simulator = simulator
        self.recent: deque[Quote] = deque()
        self.exits: deque[tuple[int, str, Decimal]] = deque()
        self.bids: dict[str, int] = {}
        self.count = 0
        self.ready_at = 0
        simulator.add_listener(self.on_event)

    def on_event(self, event: Event, order: Order | None) -> None:
        """Plan the way out of what is known to be bought."""
        if isinstance(event, OrderExecution) and order is not None and order.side is OrderSide.BUY:
            self.exits.append((event.reported_at + SECOND * 3 // 2, f"{event.execution_id}.out", event.quantity))

    def on_quote(self, quote: Quote) -> None:
        """Look at the last 300 ms, after the venue has seen the quote too."""
        now, recent = quote.ts, self.recent
        recent.append(quote)
        while recent[0].ts < now - 300 * MS:
            recent.popleft()
        self.tend(quote)
        if now < self.ready_at:
            return
        run = quote.bid - recent[0].bid
        if run >= Decimal("0.03"):
            self.enter("take", quote.ask + Decimal("0.02"), quote, TimeInForce.IOC, post_only=False)
        elif run == 0 and len(recent) > 2:
            order_id = self.enter("rest", quote.bid, quote, TimeInForce.GTC, post_only=True)
            self.bids[order_id] = now + 2 * SECOND

    def enter(self, kind: str, price: Decimal, quote: Quote, tif: TimeInForce, *, post_only: bool) -> str:
        """Send a limit order to buy 200, and nothing more for a second."""
        self.count += 1
        self.ready_at = quote.ts + SECOND
        order = Order(
            order_id=f"{kind}-{self.count}",
            symbol="TICK",
            side=OrderSide.BUY,
            order_type=OrderType.LIMIT,
            quantity=200,
            created_at=quote.ts,
            limit_price=price,
            time_in_force=tif,
            post_only=post_only,
        )
        self.simulator.submit_order(order, quote.ts)
        return order.order_id

    def tend(self, quote: Quote) -> None:
        """Take back bids that the market has left or is about to run over, and sell what is due."""
        for order_id, until in list(self.bids.items()):
            order = self.simulator.get_order(order_id)
            limit = order.limit_price
            if order.is_complete:
                del self.bids[order_id]
            elif limit is not None and (quote.bid < limit or quote.ts >= until):
                del self.bids[order_id]
                self.simulator.cancel_order(order_id, quote.ts)
        while self.exits and self.exits[0][0] <= quote.ts:
            _, order_id, quantity = self.exits.popleft()
            sell = new_order(order_id, "TICK", OrderSide.SELL, quantity, quote.ts)
            self.simulator.submit_order(sell, quote.ts)


def new_order(order_id: str, symbol: str, side: OrderSide, quantity: Decimal, now: int) -> Order:
    """Return a market order."""
    return Order(
        order_id=order_id, symbol=symbol, side=side, order_type=OrderType.MARKET, quantity=quantity, created_at=now
    )


def sail_bars(name: str, latency: LatencyConfig) -> Voyage:
    """Run the crossing over thirteen years of IBM; return the simulator and the equity at each close."""
    simulator = ExecutionSimulator(
        initial_cash=CASH,
        slippage_bps=1,
        commission_per_share=PER_SHARE,
        latency_config=latency,
        instruments=[IBM],
        simulator_id=name,
    )
    strategy = Crossing(simulator)
    equity = []
    for bar in ibm_daily():
        simulator.process_bar(bar)
        strategy.on_bar(bar)
        equity.append(simulator.get_account_value())
    return simulator, equity


def sail_ticks(name: str, latency: LatencyConfig) -> Voyage:
    """Run the chase over 20,000 generated ticks; return the simulator and the equity at each quote."""
    simulator = ExecutionSimulator(
        initial_cash=CASH,
        commission_per_share=PER_SHARE,
        latency_config=latency,
        instruments=[TICK],
        simulator_id=name,
    )
    strategy = Chasing(simulator)
    equity = []
    for row in tick_tape(7, 20_000):
        simulator.process(row)
        if isinstance(row, Quote):
            strategy.on_quote(row)
            equity.append(simulator.get_account_value())
    return simulator, equity


class Comparison:
    """The entries of both tick runs, order by order."""

    def __init__(self, instant: ExecutionSimulator, normal: ExecutionSimulator) -> None:
        self.pairs = [
            (order, normal.get_order(order_id))
            for order_id, order in instant.completed_orders.items()
            if order.side is OrderSide.BUY and normal.get_order(order_id).is_complete
        ]
        takes = [pair for pair in self.pairs if pair[0].order_id.startswith("take")]
        rests = [pair for pair in self.pairs if pair[0].order_id.startswith("rest")]
        self.moved = [pair for pair in takes if worse_bps(*pair)]
        self.missed = [pair for pair in takes if pair[1].filled_quantity < pair[0].filled_quantity]
        self.raced = [pair for pair in rests if outran_cancel(pair[1])]
        self.crossed = [pair for pair in rests if pair[1].status is OrderStatus.REJECTED]
        costs = [cost for pair in takes if (cost := worse_bps(*pair)) is not None]
        self.takes = len(costs)
        self.mean_cost = sum(costs, Decimal(0)) / len(costs)

    def table(self) -> Table:
        """Return a few orders of each kind, line by line."""
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for heading in ("order", "limit", "INSTANT", "NORMAL: matched, reported"):
            table.add_column(heading)
        table.add_column("worse by", justify="right")
        for instant, normal in (*self.moved[:3], *self.missed[:2], *self.raced[:2], *self.crossed[:1]):
            cost = worse_bps(instant, normal)
            table.add_row(
                instant.order_id,
                f"{instant.limit_price}",
                outcome(instant),
                outcome(normal),
                "-" if cost is None else f"{cost:+.1f} bp",
            )
        return table


def worse_bps(instant: Order, normal: Order) -> Decimal | None:
    """Return how much more the delayed buy paid, in basis points; `None` unless both traded."""
    if instant.avg_fill_price is None or normal.avg_fill_price is None:
        return None
    return (normal.avg_fill_price / instant.avg_fill_price - 1) * 10_000


def outran_cancel(order: Order) -> bool:
    """Return whether the order was matched after its cancel had left, and before it arrived."""
    asked = cancel_sent(order)
    return asked is not None and any(one.timestamp > asked for one in order.executions)


def cancel_sent(order: Order) -> int | None:
    """Return when a cancel left, if one did."""
    return next((event.timestamp for event in order.events if isinstance(event, CancelRequested)), None)


def outcome(order: Order) -> str:
    """Return what became of an order, with the ms since it left for the first match and for the report of it."""
    if order.avg_fill_price is None:
        return str(order.rejection_reason or order.status)
    first, left = order.executions[0], order.events[0].timestamp
    matched, reported = (first.timestamp - left) // MS, (first.reported_at - left) // MS
    when = f"+{matched} ms" if matched == reported else f"+{matched}, +{reported} ms"
    note = f", cancel +{((cancel_sent(order) or left) - left) // MS}" if outran_cancel(order) else ""
    return f"{order.filled_quantity} at {order.avg_fill_price:.2f}, {when}{note}"


def main() -> None:
    """Sail, and show the log."""
    console = Console(width=100, highlight=False)
    print("Each strategy runs twice. INSTANT: no delays. NORMAL: 50 ms for an order or a cancel to arrive, then")
    print("100 to 200 ms until a fill is known. They are there to send orders, not to make money.\n")
    print("1. Real daily bars: IBM, 2000-03-01 to 2013-03-01; 20/100-day crossing behind a trailing stop")
    bars = {name: sail_bars(name, latency) for name, latency in PROFILES.items()}
    console.print(summary_table(summarize(simulator, equity=equity) for simulator, equity in bars.values()))
    prices = [[one.price for one in fills(simulator)] for simulator, _ in bars.values()]
    assert prices[0] == prices[1]
    print(f"All {len(prices[0])} fills are the same to the cent: an order sent at the close meets the next open,")
    print("50 ms later or not; only the reports come later. On daily bars such latency does not matter.\n")

    print("2. Generated ticks: 20,000 quotes and trades in half an hour; chasing runs, bidding in between")
    ticks = {name: sail_ticks(name, latency) for name, latency in PROFILES.items()}
    console.print(summary_table(summarize(simulator, equity=equity) for simulator, equity in ticks.values()))
    compared = Comparison(*(simulator for simulator, _ in ticks.values()))
    print("\nThe same orders to buy 200 under both: a take trades at once what it can, a rest only waits.")
    print("+n is ms after sending: until the match, its report, or the sending of a cancel. 1 bp is 0.01 %.\n")
    console.print(compared.table())
    print(
        f"\n50 ms on the way cost {compared.mean_cost:.2f} bp on each of the {compared.takes} takes that traded; "
        f"{len(compared.missed)} got less or nothing."
    )
    print(
        f"{len(compared.raced)} bids were filled with their cancel under way. "
        "A test without delays shows none of this.\n"
    )
    print("Next: read docs/concepts.md; try LATENCY_SLOW or your own LatencyConfig in PROFILES of")
    print("docs/examples/first_voyage.py; then give ExecutionSimulator your own orders and tape.")


def fills(simulator: ExecutionSimulator) -> list[OrderExecution]:
    """Return the executions of a run as they were reported."""
    return [event for event in simulator.events if isinstance(event, OrderExecution)]


if __name__ == "__main__":
    main()
