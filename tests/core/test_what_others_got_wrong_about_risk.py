"""What others got wrong about limits and switches: see `what_others_got_wrong.md`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, NamedTuple, cast

import pytest

from seatrial import (
    LATENCY_NORMAL,
    AccountType,
    DrawdownLimitRule,
    ExecutionSimulator,
    ExposureLimitRule,
    Order,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionLimitRule,
    Quote,
    RejectionReason,
    RiskAction,
    RiskConfig,
    RiskViolation,
    TradingState,
    VenueConfig,
)
from seatrial.contracts.account import RiskView
from seatrial.contracts.events import ModifyRefused, TradingStateChanged
from seatrial.contracts.plugin import RiskRuleSpec
from seatrial.gate.exposure import Exposure
from seatrial.hookspecs import hookimpl
from seatrial.plugins import Plugins
from seatrial_rules.limits import ExposureLimit, PositionLimit
from seatrial_rules.losses import DrawdownLimit

D = Decimal
T0 = 1_700_000_000_000_000_000
MS = 1_000_000
MARGIN = VenueConfig(account_type=AccountType.MARGIN, leverage=D(2))
STATUS = OrderStatus
REASON = RejectionReason

Make = Callable[..., ExecutionSimulator]


class Case(NamedTuple):
    clause: str
    check: Callable[[Make], None]
    twin: Make


def new_order(order_id: str, kind: OrderType = OrderType.MARKET, **fields: Any) -> Order:
    """Return a buy of 10 ACME, unless told otherwise."""
    given: dict[str, Any] = {"symbol": "ACME", "side": OrderSide.BUY, "quantity": D(10), "created_at": T0, **fields}
    return Order(order_id=order_id, order_type=kind, **given)


def show(simulator: ExecutionSimulator, ts: int, price: Decimal | int) -> None:
    """Show a locked quote."""
    simulator.process_quote(Quote(ts, "ACME", D(price), D(price)))


class Offers:
    """A plugin with rules that bear the names of the built-in ones."""

    def __init__(self, rules: dict[str, Any]) -> None:
        self.rules = rules

    @hookimpl
    def seatrial_risk_rules(self) -> Iterable[RiskRuleSpec]:
        return [RiskRuleSpec(name=name, build=build) for name, build in self.rules.items()]


def opened_with(rules: dict[str, Any], settings: dict[str, Any]) -> ExecutionSimulator:
    """Return a simulator whose limits are other people's."""
    plugins = Plugins()
    plugins.register(Offers(rules), "others")
    return ExecutionSimulator(plugins=plugins, **settings)


class Seen:
    """An account in which some things look different."""

    def __init__(self, account: RiskView, **looks: Any) -> None:
        self._account = account
        self.__dict__.update(looks)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._account, name)


def seen(account: RiskView, **looks: Any) -> RiskView:
    """Return an account in which `looks` stand for what is there."""
    return cast("RiskView", Seen(account, **looks))


# -- W01 ---------------------------------------------------------------------------------------------------------------

VALUE_LIMITS = {
    REASON.RISK_POSITION_LIMIT: [RiskConfig(position_limit=PositionLimitRule(max_value=D(1_000)))],
    REASON.RISK_EXPOSURE_LIMIT: [
        RiskConfig(exposure_limit=ExposureLimitRule(max_gross_exposure_pct=D(10))),
        RiskConfig(exposure_limit=ExposureLimitRule(max_net_exposure_pct=D(10))),
    ],
}


def check_limits_know_the_price(make: Make) -> None:
    """Limits in currency and in per cent act when an order is sent, with or without a price of its own."""
    for reason, configs in VALUE_LIMITS.items():
        for config in configs:
            simulator = make(initial_cash=10_000, risk_config=config)

            blind = simulator.submit_order(new_order("blind", quantity=D(1)), T0)
            show(simulator, T0, 100)
            market = simulator.submit_order(new_order("market", quantity=D(11)), T0)
            limit = simulator.submit_order(new_order("limit", OrderType.LIMIT, quantity=D(11), limit_price=D(95)), T0)
            within = simulator.submit_order(new_order("within", quantity=D(10)), T0)

            assert blind.rejection_reason is REASON.RISK_PRICE_MISSING
            for refused, value in ((market, D(1_100)), (limit, D(1_045))):
                assert refused.status is STATUS.REJECTED
                assert refused.rejection is not None
                assert refused.rejection.reason is reason
                assert (refused.rejection.value, refused.rejection.limit) == (value, D(1_000))
            assert within.status is STATUS.FILLED


class PricelessPositionLimit(PositionLimit):
    """Is told no value, and takes that for no objection."""

    def __init__(self, **limits: Any) -> None:
        super().__init__(**limits)
        self.needs_price = False

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:
        return super().check(order, seen(account, worst_value=lambda symbol: None), now)


class PricelessExposureLimit(ExposureLimit):
    """Adds up values that are nothing each."""

    needs_price = False

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:
        return super().check(order, seen(account, gross_exposure=lambda: D(0), net_exposure=lambda: D(0)), now)


def submits_without_prices(**settings: Any) -> ExecutionSimulator:
    """Ask about an order before anybody has said what anything costs."""
    rules = {"position_limit": PricelessPositionLimit, "exposure_limit": PricelessExposureLimit}
    return opened_with(rules, settings)


# -- W02 ---------------------------------------------------------------------------------------------------------------


def check_positions_count_as_wealth(make: Make) -> None:
    """What was paid for a position is no loss: only a fall of its price is, and then the way out stays open."""
    for action, state in (
        (RiskAction.REDUCE_ONLY, TradingState.REDUCE_ONLY),
        (RiskAction.HALT, TradingState.HALTED),
    ):
        limit = DrawdownLimitRule(max_daily_drawdown_pct=D(5), max_total_drawdown_pct=D(10), action=action)
        simulator = make(initial_cash=10_000, risk_config=RiskConfig(drawdown_limit=limit))

        show(simulator, T0, 100)
        simulator.submit_order(new_order("entry", quantity=D(90)), T0)
        show(simulator, T0 + 1, 100)
        exit_ = simulator.submit_order(new_order("exit", side=OrderSide.SELL, quantity=D(30)), T0 + 1)
        assert exit_.status is STATUS.FILLED

        states: list[tuple[Decimal, TradingState]] = []
        for step, price in enumerate((92, 91), start=2):
            show(simulator, T0 + step, price)
            states.append((simulator.get_account_value(), simulator.trading_state))
        assert states == [(D(9_520), TradingState.ACTIVE), (D(9_460), state)]
        (cause,) = [event.cause for event in simulator.events if isinstance(event, TradingStateChanged)]
        assert cause is not None
        assert cause.reason is REASON.RISK_DRAWDOWN_LIMIT
        assert (cause.value, cause.limit) == (D(9_460), D(9_500))

        last = simulator.submit_order(new_order("last", side=OrderSide.SELL, quantity=D(60)), T0 + 4)
        assert last.status is (STATUS.FILLED if state is TradingState.REDUCE_ONLY else STATUS.REJECTED)


class CashDrawdownLimit(DrawdownLimit):
    """Takes cash for all there is."""

    def watch(self, account: RiskView, now: int) -> RiskViolation | None:
        return super().watch(seen(account, equity=account.cash), now)


def measures_cash_alone(**settings: Any) -> ExecutionSimulator:
    """See a loss in every purchase."""
    return opened_with({"drawdown_limit": CashDrawdownLimit}, settings)


# -- W03 ---------------------------------------------------------------------------------------------------------------


def check_working_orders_count(make: Make) -> None:
    """Of five orders of 100 units one passes a limit of 100; it counts on its way, at work, matched and held."""
    config = RiskConfig(position_limit=PositionLimitRule(max_shares=D(100)))
    for side in OrderSide:
        simulator = make(
            initial_cash=100_000, latency_config=LATENCY_NORMAL, risk_config=config, venue_config=MARGIN, seed=3
        )
        show(simulator, T0, 100)
        limit = D(99 if side is OrderSide.BUY else 101)
        terms = {"side": side, "quantity": D(100), "limit_price": limit}
        five = [simulator.submit_order(new_order(f"O-{n}", OrderType.LIMIT, **terms), T0) for n in range(5)]

        assert [order.rejection_reason for order in five] == [None, *[REASON.RISK_POSITION_LIMIT] * 4]
        for refused in five[1:]:
            assert refused.rejection is not None
            assert (refused.rejection.value, refused.rejection.limit) == (D(200), D(100))
        for after, held in ((60, 0), (90, 0), (300, 100)):
            ts = T0 + after * MS
            show(simulator, ts, D(100) if after == 60 else limit)
            one_more = simulator.submit_order(new_order(f"after {after} ms", side=side, quantity=D(1)), ts)
            assert one_more.rejection_reason is REASON.RISK_POSITION_LIMIT
            assert abs(simulator.account.position("ACME")) == held
        assert simulator.get_order("O-0").status is STATUS.FILLED


class LonelyPositionLimit(PositionLimit):
    """Adds an order to the position, and nothing else that is at work."""

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:
        change = order.quantity if order.side is OrderSide.BUY else -order.quantity
        worst = abs(account.position(order.symbol) + change)
        return super().check(order, seen(account, worst_position=lambda symbol: worst), now)


def ignores_working_orders(**settings: Any) -> ExecutionSimulator:
    """Look at each order as if it were the only one."""
    return opened_with({"position_limit": LonelyPositionLimit}, settings)


# -- W26 ---------------------------------------------------------------------------------------------------------------


def check_reduce_only_reduces(make: Make) -> None:
    """While only reducing is allowed no order opens, grows or flips a position, alone or together with others."""
    for side, other in (tuple(OrderSide), tuple(OrderSide)[::-1]):
        simulator = make(initial_cash=10_000, venue_config=MARGIN)
        show(simulator, T0, 100)
        simulator.submit_order(new_order("held", side=side), T0)
        simulator.restrict_trading(by="ops", reason="drill", timestamp=T0 + 1)
        away = D(110 if other is OrderSide.SELL else 90)

        sent = [
            simulator.submit_order(order, T0 + 1)
            for order in (
                new_order("opens long", symbol="OTHER", side=OrderSide.BUY),
                new_order("opens short", symbol="OTHER", side=OrderSide.SELL),
                new_order("grows", side=side, quantity=D(1)),
                new_order("flips", side=other, quantity=D(11)),
                new_order("rests", OrderType.LIMIT, side=other, quantity=D(6), limit_price=away),
                new_order("flips with the other", side=other, quantity=D(5)),
                new_order("reduces", side=other, quantity=D(4)),
            )
        ]
        simulator.modify_order("rests", T0 + 2, quantity=D(7))

        refused = [order.order_id for order in sent if order.rejection_reason is REASON.RISK_REDUCE_ONLY]
        assert refused == ["opens long", "opens short", "grows", "flips", "flips with the other"]
        rests = simulator.get_order("rests")
        assert (rests.status, rests.quantity) == (STATUS.SUBMITTED, D(6))
        answers = [event.rejection.reason for event in rests.events if isinstance(event, ModifyRefused)]
        assert answers == [REASON.RISK_REDUCE_ONLY]
        assert simulator.get_order("reduces").status is STATUS.FILLED
        assert simulator.positions == {"ACME": D(6) if side is OrderSide.BUY else D(-6)}


class LeansAgainst(Exposure):
    """Takes every order that does not add to a position for one that reduces it."""

    __slots__ = ()

    def reduces(self, order: Order) -> bool:
        position = self._account.position(order.symbol)
        return position <= 0 if order.side is OrderSide.BUY else position >= 0


class ReducesBeyondNothing(ExecutionSimulator):
    """Lets whoever is flat open, and whoever holds something flip."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.gate.admission.exposure = LeansAgainst(self.gate.client, self._account, self._instruments)


# -- W31 ---------------------------------------------------------------------------------------------------------------


class SmallOrders:
    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:
        return None if order.quantity < 10 else RiskViolation("too large", order.quantity, D(9))


CONTROLS = {
    REASON.RISK_POSITION_LIMIT: RiskConfig(position_limit=PositionLimitRule(max_shares=D(10))),
    REASON.RISK_EXPOSURE_LIMIT: RiskConfig(exposure_limit=ExposureLimitRule(max_gross_exposure_pct=D(4))),
    REASON.RISK_DRAWDOWN_LIMIT: RiskConfig(drawdown_limit=DrawdownLimitRule(max_total_drawdown_pct=D("0.5"))),
    REASON.RISK_TRADING_DISABLED: RiskConfig(trading_enabled=False),
    REASON.RISK_RULE: RiskConfig(rules=(SmallOrders(),)),
}


def second_order(simulator: ExecutionSimulator) -> Order:
    """Buy one unit at 100, then ten at 40; return the ten."""
    show(simulator, T0, 100)
    simulator.submit_order(new_order("one", quantity=D(1)), T0)
    show(simulator, T0 + 1, 40)
    return simulator.submit_order(new_order("ten"), T0 + 1)


def check_controls_refuse(make: Make) -> None:
    """The same order fills where nothing is limited, and is refused by each control that is configured."""
    assert second_order(make(initial_cash=10_000)).status is STATUS.FILLED

    for reason, config in CONTROLS.items():
        order = second_order(make(initial_cash=10_000, risk_config=config))
        assert order.status is STATUS.REJECTED, reason
        assert order.rejection_reason is reason


def controls_nothing(*, risk_config: RiskConfig | None = None, **settings: Any) -> ExecutionSimulator:
    """Take limits in and leave them be."""
    return ExecutionSimulator(**settings)


CASES = (
    Case("W01", check_limits_know_the_price, submits_without_prices),
    Case("W02", check_positions_count_as_wealth, measures_cash_alone),
    Case("W03", check_working_orders_count, ignores_working_orders),
    Case("W26", check_reduce_only_reduces, ReducesBeyondNothing),
    Case("W31", check_controls_refuse, controls_nothing),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.clause)
def test_simulator_does_it_right(case: Case) -> None:
    """The simulator passes the clause's check."""
    case.check(ExecutionSimulator)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.clause)
def test_check_catches_the_fault(case: Case) -> None:
    """A simulator with exactly this fault does not pass."""
    with pytest.raises(AssertionError) as caught:
        case.check(case.twin)
    assert caught.traceback[-1].name == case.check.__name__  # the check's own words, no accident on the way
