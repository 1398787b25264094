"""How much is done per step does not depend on how much there is, shown by counting work instead of time.

Work is every bytecode the interpreter executes, and every comparison of an order's price, also inside the standard
library's bisection. The same step beside ten orders and beside ten thousand has to cost exactly the same.
"""

from __future__ import annotations

import gc
import sys
from decimal import Decimal
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest

from seatrial import (
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    AccountType,
    ExecutionSimulator,
    LatencyConfig,
    Order,
    OrderExecution,
    OrderSide,
    OrderType,
    PositionLimitRule,
    Quote,
    RiskConfig,
    Trade,
    Uniform,
    VenueConfig,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import CodeType, FrameType

FEW, MANY = 10, 10_000
MS = 1_000_000
START = 1_700_000_000_000 * MS
BID, ASK = Decimal(100), Decimal("100.02")
KINDS = (
    (OrderType.LIMIT, OrderSide.BUY, "limit_price", -1),
    (OrderType.LIMIT, OrderSide.SELL, "limit_price", 1),
    (OrderType.STOP, OrderSide.BUY, "stop_price", 1),
    (OrderType.STOP, OrderSide.SELL, "stop_price", -1),
    (OrderType.MARKET_IF_TOUCHED, OrderSide.BUY, "stop_price", -1),
    (OrderType.MARKET_IF_TOUCHED, OrderSide.SELL, "stop_price", 1),
)
COMPARED = [0]


class _Price(Decimal):
    """A Decimal that counts how often it is compared, and stays one when negated."""

    def _count(self) -> None:
        COMPARED[0] += 1

    def __eq__(self, other: object) -> bool:
        self._count()
        return super().__eq__(other)

    def __lt__(self, other: Any) -> bool:
        self._count()
        return super().__lt__(other)

    def __le__(self, other: Any) -> bool:
        self._count()
        return super().__le__(other)

    def __gt__(self, other: Any) -> bool:
        self._count()
        return super().__gt__(other)

    def __ge__(self, other: Any) -> bool:
        self._count()
        return super().__ge__(other)

    def __neg__(self) -> _Price:
        return _Price(super().__neg__())

    __hash__ = Decimal.__hash__


class Work(NamedTuple):
    """What a step cost."""

    steps: int
    comparisons: int


def _counts(code: CodeType) -> bool:
    return code.co_filename != __file__ or "_Price" not in code.co_qualname


def _count_by_tracing(action: Callable[[], object]) -> int:
    steps = 0

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal steps
        if not _counts(frame.f_code):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        steps += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return steps


def _count_by_monitoring(monitoring: Any, action: Callable[[], object]) -> int:
    steps, tool = 0, 4  # a number that no debugger, profiler or coverage tool claims

    def instruction(code: CodeType, offset: int) -> None:
        nonlocal steps
        steps += _counts(code)

    monitoring.use_tool_id(tool, "work")
    try:
        monitoring.register_callback(tool, monitoring.events.INSTRUCTION, instruction)
        monitoring.set_events(tool, monitoring.events.INSTRUCTION)
        action()
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)
    return steps


def _work(action: Callable[[], object]) -> Work:
    """Return what `action` costs; the counting of comparisons is no step."""
    compared = COMPARED[0]
    monitoring = getattr(sys, "monitoring", None)  # from Python 3.12 on, where tracing loses bytecodes
    gc.disable()  # a collection that falls into the action, and whoever listens to it, is no work of ours
    try:
        steps = _count_by_tracing(action) if monitoring is None else _count_by_monitoring(monitoring, action)
    finally:
        gc.enable()
    assert steps > 0
    return Work(steps, COMPARED[0] - compared)


def _simulator(latency: LatencyConfig = LATENCY_INSTANT) -> ExecutionSimulator:
    simulator = ExecutionSimulator(
        initial_cash=Decimal(10**12),
        latency_config=latency,
        venue_config=VenueConfig(account_type=AccountType.MARGIN),
    )
    simulator.process_quote(Quote(START, "ALFA", BID, ASK))
    return simulator


def _order(order_id: str, kind: OrderType, side: OrderSide, now: int, symbol: str = "ALFA", **fields: Any) -> Order:
    return Order(
        order_id=order_id, symbol=symbol, side=side, order_type=kind, quantity=Decimal(1), created_at=now, **fields
    )


def _resting(count: int, latency: LatencyConfig = LATENCY_INSTANT, kinds: int = len(KINDS)) -> ExecutionSimulator:
    """Return a simulator to which orders of all waiting kinds were sent, from one to fifty away from the market."""
    simulator = _simulator(latency)
    now = simulator.now
    for n in range(count):
        kind, side, field, sign = KINDS[n % kinds]
        fields: dict[str, Any] = {field: _Price(BID + sign * (1 + Decimal(n * 7_919 % 4_900) / 100))}
        simulator.submit_order(_order(f"R-{n}", kind, side, now, **fields), now)
    assert len(simulator.pending_orders) == count
    return simulator


def _quote(simulator: ExecutionSimulator) -> object:
    return simulator.process_quote(Quote(simulator.now + MS, "ALFA", BID - Decimal("0.01"), ASK))


def _trade(simulator: ExecutionSimulator) -> object:
    return simulator.process_trade(Trade(simulator.now + MS, "ALFA", ASK, Decimal(1)))


def _price(simulator: ExecutionSimulator) -> object:
    return simulator.process_market_data(simulator.now + MS, {"ALFA": BID})


def _wait(simulator: ExecutionSimulator) -> object:
    return simulator.advance(simulator.now + MS)


def _scan(simulator: ExecutionSimulator) -> object:
    """Do what a broken twin does on a tick: look at every order."""
    for order in simulator.pending_orders.values():
        if order.limit_price == ASK:
            break
    return _quote(simulator)


@cache
def _undisturbed(count: int) -> ExecutionSimulator:
    """Return a simulator for steps that concern no order, shared by the tests that take such steps."""
    return _resting(count)


def _beside(step: Callable[[ExecutionSimulator], object], simulators: Iterable[ExecutionSimulator]) -> list[Work]:
    """Return what a step costs in each simulator, once it is warm."""
    found = []
    for simulator in simulators:
        step(simulator)
        found.append(_work(partial(step, simulator)))
    return found


@pytest.mark.parametrize("step", [_quote, _trade, _price, _wait])
def test_a_tick_costs_the_same_whatever_rests(step: Callable[[ExecutionSimulator], object]) -> None:
    """A tick that concerns no order does exactly the same beside ten and beside ten thousand resting orders."""
    few, many = _beside(step, map(_undisturbed, (FEW, MANY)))

    assert few == many
    assert many.comparisons <= 12


def test_a_tick_that_looks_at_every_order_is_caught() -> None:
    """A broken twin that scans the orders costs visibly more beside more of them."""
    few, many = _beside(_scan, map(_undisturbed, (FEW, MANY)))

    assert many.steps > 100 * few.steps / FEW
    assert many.comparisons > MANY / len(KINDS)


def test_a_match_costs_as_much_as_a_sorted_list_does() -> None:
    """A tick that fills the best order compares prices O(log n) times, and does nothing else more often."""
    costs = []
    for count in (FEW, MANY):
        simulator = _resting(count, kinds=1)
        order = _order("best", OrderType.LIMIT, OrderSide.BUY, simulator.now, limit_price=_Price("99.50"))
        simulator.submit_order(order, simulator.now)
        quote = Quote(simulator.now + MS, "ALFA", Decimal("99.45"), Decimal("99.50"))
        costs.append(_work(partial(simulator.process_quote, quote)))
        assert list(simulator.completed_orders) == ["best"]

    few, many = costs
    assert many.steps == few.steps
    assert many.comparisons - few.comparisons <= 2 * (MANY // FEW).bit_length()


@pytest.mark.parametrize("latency", [LATENCY_INSTANT, LATENCY_NORMAL], ids=["resting", "on the wire"])
def test_a_cancel_costs_the_same_whatever_is_queued(latency: LatencyConfig) -> None:
    """Cancelling an order from the middle does the same beside ten and beside ten thousand, on the wire or resting.

    To find its price among the others' takes O(log n) comparisons, and to leave it a few steps more where it was the
    only one there.
    """

    def cancel(simulator: ExecutionSimulator) -> object:
        order_id = f"R-{len(simulator.pending_orders) // 2}"
        return simulator.cancel_order(order_id, simulator.now)

    few, many = _beside(cancel, (_resting(count, latency, kinds=1) for count in (FEW, MANY)))

    assert abs(many.steps - few.steps) <= (20 if latency is LATENCY_INSTANT else 0)
    assert many.comparisons <= few.comparisons + (MANY // FEW).bit_length()


def test_cancelling_most_orders_costs_the_same_per_order() -> None:
    """Whatever has gone leaves nothing behind to look at: per cancel, thirty times the orders cost no more."""
    costs = []
    for count in (100, 3_000):
        simulator = _resting(count, kinds=1)
        cancels = range(count * 9 // 10)

        def cancel_most(simulator: ExecutionSimulator = simulator, cancels: range = cancels) -> None:
            for n in cancels:
                simulator.cancel_order(f"R-{n}", simulator.now)

        work = _work(cancel_most)
        costs.append((work.steps / len(cancels), work.comparisons / len(cancels)))

    (few_steps, few_comparisons), (many_steps, many_comparisons) = costs
    assert many_steps <= 1.2 * few_steps
    assert many_comparisons <= few_comparisons + 3 * (3_000).bit_length()


@pytest.mark.parametrize("latency", [LATENCY_INSTANT, LATENCY_NORMAL], ids=["resting", "on the wire"])
def test_a_submit_costs_the_same_whatever_is_queued(latency: LatencyConfig) -> None:
    """Sending one more market order does the same behind ten and behind ten thousand others."""

    def submit(simulator: ExecutionSimulator) -> object:
        n = len(simulator.pending_orders) + len(simulator.completed_orders)
        order = _order(f"M-{n}", OrderType.MARKET, OrderSide.BUY, simulator.now)
        return simulator.submit_order(order, simulator.now)

    few, many = _beside(submit, (_resting(count, latency) for count in (FEW, MANY)))

    assert few == many


def test_an_exposed_bracket_ends_at_the_same_cost_whatever_works_beside_it() -> None:
    """With rules that count what works, the end of one bracket looks at its own exits, not at those of a thousand."""

    def fleet(count: int) -> ExecutionSimulator:
        limits = RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(10**9)))
        simulator = ExecutionSimulator(initial_cash=Decimal(10**12), risk_config=limits)
        simulator.process_quote(Quote(START, "ALFA", BID, ASK))
        for n in range(count):
            entry = _order(f"B-{n}", OrderType.LIMIT, OrderSide.BUY, START, limit_price=Decimal(50))
            exit_ = _order(f"E-{n}", OrderType.LIMIT, OrderSide.SELL, START, limit_price=Decimal(150))
            simulator.submit_bracket(entry, exit_, timestamp=START)
        return simulator

    def end_one(simulator: ExecutionSimulator) -> object:
        first = next(order_id for order_id in simulator.pending_orders if order_id.startswith("B-"))
        return simulator.cancel_order(first, simulator.now)

    few, many = _beside(end_one, (fleet(count) for count in (FEW, 1_000)))

    assert few == many


def test_a_mark_costs_the_same_whatever_is_held() -> None:
    """Pricing one symbol and reading the account's value does the same with one position and with five hundred."""
    costs = []
    for count in (1, 500):
        simulator = _simulator()
        for n in range(count):
            symbol = f"S{n}"
            simulator.process_quote(Quote(simulator.now, symbol, BID, ASK))
            order = _order(f"H-{n}", OrderType.MARKET, OrderSide.BUY, simulator.now, symbol)
            simulator.submit_order(order, simulator.now)
        assert len(simulator.positions) == count

        def value(simulator: ExecutionSimulator = simulator) -> Decimal:
            simulator.process_quote(Quote(simulator.now + MS, "S0", BID + 1, ASK + 1))
            return simulator.get_account_value()

        value()
        costs.append(_work(value))

    assert costs[0] == costs[1]


class _Counting:
    """A delay that counts how often it was drawn."""

    def __init__(self) -> None:
        self.draws = 0
        self.delay = Uniform(100 * MS, 200 * MS)

    def sample(self, bits: int) -> int:
        self.draws += 1
        return self.delay.sample(bits)


@pytest.mark.parametrize("every", [100, 10, 1], ids="{} ms".format)
def test_each_match_is_drawn_and_queued_once(every: int) -> None:
    """However often the market ticks while a report travels, its delay is drawn once and it waits once."""
    fill = _Counting()
    simulator = _simulator(LatencyConfig(submit=Uniform(50 * MS, 50 * MS), fill=cast("Any", fill)))
    held = []
    for n in range(300):
        now = START + (n + 1) * every * MS
        simulator.process_quote(Quote(now, "ALFA", BID, ASK))
        side = OrderSide.SELL if n % 2 else OrderSide.BUY
        simulator.submit_order(_order(f"M-{n}", OrderType.MARKET, side, now), now)
        held.append((now, len(simulator.gate.wire.reports)))
    simulator.advance(simulator.now + 1_000 * MS)

    fills = [event for event in simulator.events if type(event) is OrderExecution]

    assert fill.draws == len(fills) == 300
    for now, waiting in held:
        # An accept takes no time itself, but may wait behind a fill that was reported before it.
        matched = sum(fill.timestamp <= now < fill.reported_at for fill in fills)
        assert matched <= waiting <= 2 * matched
