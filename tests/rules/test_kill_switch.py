"""The kill switch: halts everything but cancels, at once, until a named operator enables trading."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import (
    LATENCY_NORMAL,
    ExecutionSimulator,
    LatencyConfig,
    NamedRule,
    Order,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionLimitRule,
    Quote,
    Rejection,
    RejectionReason,
    RiskConfig,
    TradingState,
)
from seatrial.clock import to_ns
from seatrial.contracts.events import CancelRefused, ModifyRefused, TradingStateChanged
from seatrial.contracts.rejection import RefusedBy
from seatrial.errors import InvalidConfigError
from seatrial_rules.switch import KillSwitch

if TYPE_CHECKING:
    from collections.abc import Callable

T0 = to_ns(datetime(2024, 3, 4, 10, tzinfo=UTC))
MS = 1_000_000
DAY = 86_400_000 * MS
BUY, SELL = OrderSide.BUY, OrderSide.SELL
ACTIVE, REDUCE_ONLY, HALTED = TradingState.ACTIVE, TradingState.REDUCE_ONLY, TradingState.HALTED
DISABLED = RejectionReason.RISK_TRADING_DISABLED
AT_START = "trading was not enabled when the session was configured; enable_trading(by, reason) lets orders out again"


def _sim(latency: LatencyConfig | None = None, **risk: Any) -> ExecutionSimulator:
    """Return a cash account with X at 99/100 and a bid of ten at 90 working, where orders may leave."""
    sim = ExecutionSimulator(
        initial_cash=10_000, latency_config=latency or LatencyConfig(), risk_config=RiskConfig(**risk)
    )
    _price(sim, T0)
    sim.submit_order(_bid("bid"), T0)
    return sim


def _price(sim: ExecutionSimulator, ts: int, bid: int = 99) -> None:
    sim.process_quote(Quote(ts, "X", Decimal(bid), Decimal(bid + 1)))


def _bid(order_id: str, quantity: int = 10) -> Order:
    return Order(
        order_id=order_id,
        symbol="X",
        side=BUY,
        order_type=OrderType.LIMIT,
        quantity=quantity,
        created_at=T0,
        limit_price=Decimal(90),
    )


def _market(order_id: str, side: OrderSide = BUY, quantity: int = 10) -> Order:
    return Order(
        order_id=order_id, symbol="X", side=side, order_type=OrderType.MARKET, quantity=quantity, created_at=T0
    )


def _changes(sim: ExecutionSimulator) -> list[TradingStateChanged]:
    return [event for event in sim.events if type(event) is TradingStateChanged]


def test_a_session_configured_without_trading_starts_halted() -> None:
    """The very first order is refused, before any market data, and the log tells why."""
    sim = ExecutionSimulator(initial_cash=10_000, risk_config=RiskConfig(trading_enabled=False))

    refused = sim.submit_order(_bid("a"), T0)

    cause = Rejection(DISABLED, AT_START, RefusedBy.GATE, "kill_switch")
    assert refused.rejection == Rejection(DISABLED, f"halted: {AT_START}", RefusedBy.GATE, "kill_switch")
    assert _changes(sim) == [TradingStateChanged(T0, T0, HALTED, "kill_switch", AT_START, cause)]


def test_only_an_operator_ends_it() -> None:
    """Days and marks do not."""
    sim = _sim(trading_enabled=False)
    sim.advance(T0 + 3 * DAY)
    assert sim.trading_state is HALTED

    sim.enable_trading("risk desk", "limits checked", T0 + 3 * DAY)

    assert sim.submit_order(_bid("b"), T0 + 3 * DAY).status is OrderStatus.SUBMITTED
    assert _changes(sim)[-1] == TradingStateChanged(T0 + 3 * DAY, T0 + 3 * DAY, ACTIVE, "risk desk", "limits checked")


def test_disabled_trading_cancels_what_works_and_says_how_to_resume() -> None:
    """The resting bid ends, a new order is refused with the way out."""
    sim = _sim()

    sim.disable_trading("risk desk", "rogue strategy")

    assert sim.get_order("bid").status is OrderStatus.CANCELLED
    refused = sim.submit_order(_market("a", SELL), T0)
    assert refused.rejection == Rejection(
        DISABLED, "trading is halted; enable_trading(by, reason) lets orders out again", RefusedBy.GATE, "kill_switch"
    )


def test_working_orders_may_be_left_alone() -> None:
    """Then they can still be cancelled, not modified, and they still fill."""
    sim = _sim()
    sim.submit_order(_bid("other"), T0)
    sim.disable_trading("risk desk", "test", cancel_working=False)

    changed = sim.modify_order("bid", T0, quantity=Decimal(5))
    sim.cancel_order("other", T0)
    _price(sim, T0 + 1, 89)

    assert [type(event) for event in changed.events][-1] is ModifyRefused
    assert sim.get_order("other").status is OrderStatus.CANCELLED
    assert sim.get_order("bid").status is OrderStatus.FILLED


def test_what_is_on_the_wire_is_followed_by_a_cancel_and_may_still_fill() -> None:
    """No cancel unsends an order: it arrives first, and what it trades at once stands."""
    sim = _sim(LATENCY_NORMAL)
    sim.submit_order(_market("under way"), T0)

    sim.disable_trading("risk desk", "test", T0 + 10 * MS)
    sim.advance(T0 + 1_000 * MS)

    assert sim.get_order("bid").status is OrderStatus.CANCELLED
    order = sim.get_order("under way")
    assert order.status is OrderStatus.FILLED
    assert type(order.events[-1]) is CancelRefused


@pytest.mark.parametrize("reduces", [False, True])
def test_halted_means_reducing_orders_too(*, reduces: bool) -> None:
    """Nothing leaves but cancels; under restriction a reducing order does."""
    sim = _sim()
    sim.submit_order(_market("long"), T0)

    (sim.restrict_trading if reduces else sim.disable_trading)("risk desk", "test")

    assert sim.submit_order(_market("exit", SELL), T0).is_complete
    assert bool(sim.positions) is not reduces


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("me", ""), ("  ", "why"), (None, "why"), ("me", 5)])
@pytest.mark.parametrize("switch", ["disable_trading", "restrict_trading", "enable_trading"])
def test_nobody_switches_trading_for_no_reason(switch: str, by: Any, reason: Any) -> None:
    """Each switch wants a name and a reason, and does nothing without."""
    sim = _sim()

    with pytest.raises(InvalidConfigError, match="say who switches trading, and why"):
        getattr(sim, switch)(by, reason)

    assert (sim.trading_state, _changes(sim)) == (ACTIVE, [])


def test_operators_need_no_risk_config() -> None:
    """Halt, restriction and resumption work on a simulator without any rule."""
    sim = ExecutionSimulator(initial_cash=10_000)
    _price(sim, T0)
    sim.submit_order(_market("long"), T0)

    sim.restrict_trading("risk desk", "test")
    flip, leave = sim.submit_order(_market("f", SELL, 11), T0), sim.submit_order(_market("e", SELL), T0)
    sim.disable_trading("risk desk", "test")

    assert (flip.rejection_reason, leave.status) == (RejectionReason.RISK_REDUCE_ONLY, OrderStatus.FILLED)
    assert sim.submit_order(_market("a"), T0).rejection_reason is DISABLED


def test_a_pulled_switch_halts_and_cancels() -> None:
    """The object may be pulled from anywhere; the next mark acts on it and names who pulled."""
    switch = KillSwitch()
    sim = _sim(rules=(switch,))

    switch.pull("risk desk", "fire drill")
    _price(sim, T0 + 1)

    assert (sim.trading_state, sim.get_order("bid").status) == (HALTED, OrderStatus.CANCELLED)
    assert _changes(sim)[0].reason.startswith("risk desk: fire drill; ")
    sim.enable_trading("risk desk", "drill over")
    _price(sim, T0 + 2)
    assert sim.trading_state is ACTIVE


def test_a_pulled_switch_lets_no_further_order_out() -> None:
    """Also when the order comes before any mark, and when time has passed without one."""
    switch = KillSwitch()
    sim = _sim(rules=(switch,))

    switch.pull("risk desk", "fire drill")

    assert sim.submit_order(_market("at once"), T0).rejection_reason is DISABLED
    assert sim.submit_order(_market("later"), T0 + 1_000 * MS).rejection_reason is DISABLED


def test_one_switch_halts_everybody_it_was_given_to() -> None:
    """A switch for several accounts stops all of them, not whoever looks first."""
    switch = KillSwitch()
    sims = [_sim(rules=(switch,)) for _ in range(3)]

    switch.pull("risk desk", "fire drill")
    for sim in sims:
        _price(sim, T0 + 1)

    assert [sim.trading_state for sim in sims] == [HALTED, HALTED, HALTED]


@pytest.mark.parametrize(
    "rule", [lambda: KillSwitch(engaged=True), lambda: NamedRule("kill_switch", {"engaged": True})]
)
def test_a_switch_may_be_engaged_from_the_start(rule: Callable[[], object]) -> None:
    """As an object or by name, it holds before the first order."""
    sim = ExecutionSimulator(initial_cash=10_000, risk_config=RiskConfig(rules=(rule(),)))

    assert sim.submit_order(_bid("a"), T0).rejection_reason is DISABLED


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("me", " "), (None, None)])
def test_a_switch_is_not_pulled_by_nobody(by: Any, reason: Any) -> None:
    """Nor for no reason; nothing happens then."""
    switch = KillSwitch()
    sim = _sim(rules=(switch,))

    with pytest.raises(InvalidConfigError, match="say who switches trading, and why"):
        switch.pull(by, reason)
    _price(sim, T0 + 1)

    assert sim.trading_state is ACTIVE


def _two(switch: KillSwitch) -> tuple[ExecutionSimulator, ExecutionSimulator]:
    return _sim(rules=(switch,)), _sim(rules=(switch,))


def _restored(sim: ExecutionSimulator, *switches: KillSwitch) -> list[ExecutionSimulator]:
    return [ExecutionSimulator.from_checkpoint(sim.snapshot(), rules=(one,)) for one in (KillSwitch(), *switches)]


def test_a_shared_switch_keeps_its_pull_for_whom_it_still_stops() -> None:
    """One account's operator does not speak for another's, nor does the checkpoint of another forget the pull."""
    switch = KillSwitch()
    released, waiting = _two(switch)
    switch.pull("ops", "fire")
    _price(released, T0 + MS)
    released.enable_trading("ops", "over")

    for sim in (waiting, *_restored(waiting, switch)):
        _price(sim, T0 + 2 * MS)
        assert sim.trading_state is HALTED
    for sim in (released, *_restored(released)):
        _price(sim, T0 + 2 * MS)
        assert sim.trading_state is ACTIVE


def test_a_shared_switch_does_not_stop_again_whom_an_operator_let_go() -> None:
    """Although another account, which was let go before, still waits after a second pull."""
    switch = KillSwitch()
    first, second = _two(switch)
    switch.pull("ops", "one")
    for sim in (first, second):
        _price(sim, T0 + MS)
        sim.enable_trading("ops", "over")
    switch.pull("ops", "two")
    _price(first, T0 + 2 * MS)
    first.enable_trading("ops", "over")

    for sim in (first, *_restored(first)):
        _price(sim, T0 + 3 * MS)
        assert sim.submit_order(_bid("more"), sim.now).status is OrderStatus.SUBMITTED
    assert second.snapshot().gate != first.snapshot().gate


def test_a_restored_switch_that_was_pulled_since_stays_pulled() -> None:
    """A checkpoint in which nobody had pulled it takes nothing back; and one that was engaged when built was let go."""
    quiet, engaged = _sim(rules=(KillSwitch(),)), _sim(rules=(KillSwitch(engaged=True),))
    engaged.enable_trading("ops", "begin")
    pulled = KillSwitch()
    pulled.pull("ops", "fire")

    again = ExecutionSimulator.from_checkpoint(quiet.snapshot(), rules=(pulled,))
    begun = ExecutionSimulator.from_checkpoint(engaged.snapshot(), rules=(KillSwitch(engaged=True),))
    for sim in (again, begun):
        _price(sim, T0 + MS)

    assert (again.trading_state, begun.trading_state) == (HALTED, ACTIVE)


def test_enabling_trading_releases_no_limit() -> None:
    """Limits that refuse single orders are not latches: they hold on."""
    sim = _sim(trading_enabled=False, position_limit=PositionLimitRule(max_shares=Decimal(5)))

    sim.enable_trading("risk desk", "go")

    assert sim.submit_order(_bid("a", 6), T0).rejection_reason is RejectionReason.RISK_POSITION_LIMIT
    assert sim.submit_order(_bid("b", 5), T0).status is OrderStatus.SUBMITTED
