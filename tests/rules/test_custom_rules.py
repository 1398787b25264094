"""Rules of one's own: taken as objects or by name, told everything, and never trusted to be right."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from seatrial import (
    ExecutionSimulator,
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
    RiskViolation,
    TradingState,
)
from seatrial.clock import to_ns
from seatrial.contracts.events import OrderEvent, TradingStateChanged, encode_events
from seatrial.contracts.plugin import RiskRuleSpec
from seatrial.contracts.rejection import RefusedBy
from seatrial.errors import InvalidConfigError
from seatrial.hookspecs import hookimpl
from seatrial.plugins import Plugins

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.contracts.account import RiskView
    from seatrial.contracts.events import Event

T0 = to_ns(datetime(2024, 3, 4, 10, tzinfo=UTC))
BUY, SELL = OrderSide.BUY, OrderSide.SELL
TEN = PositionLimitRule(max_shares=Decimal(10))


class NoBuying:
    """Refuses purchases above some units."""

    def __init__(self, above: int = 0) -> None:
        self.above = above

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:
        above = Decimal(self.above)
        return RiskViolation(f"no buying above {above}", order.quantity, above) if order.quantity > above else None


class Mine:
    """Offers it by name."""

    @hookimpl
    def seatrial_risk_rules(self) -> list[RiskRuleSpec]:
        return [RiskRuleSpec(name="no_buying", build=NoBuying)]


class Answers:
    """Does whatever it was given: to orders, to the account, or to events."""

    def __init__(self, **methods: Any) -> None:
        self.__dict__ |= methods


def _sim(*rules: object, plugins: Plugins | None = None, **risk: Any) -> ExecutionSimulator:
    """Return a cash account of 100,000 with X at 100."""
    sim = ExecutionSimulator(initial_cash=100_000, risk_config=RiskConfig(rules=rules, **risk), plugins=plugins)
    _price(sim, T0)
    return sim


def _price(sim: ExecutionSimulator, ts: int) -> None:
    sim.process_quote(Quote(ts, "X", Decimal(100), Decimal(100)))


def _order(order_id: str, side: OrderSide = BUY, quantity: int = 10, limit: int | None = None) -> Order:
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    return Order(
        order_id=order_id, symbol="X", side=side, order_type=kind, quantity=quantity, created_at=T0, limit_price=limit
    )


def _raise(error: BaseException) -> Any:
    raise error


def _pass(*_: object) -> None:
    return None


def test_an_object_of_ones_own_class_is_asked_under_the_name_of_its_class() -> None:
    """Its refusal carries its words and numbers."""
    sim = _sim(NoBuying(above=5))

    refused = sim.submit_order(_order("a"), T0)

    assert refused.rejection == Rejection(
        RejectionReason.RISK_RULE, "no buying above 5", RefusedBy.GATE, "NoBuying", Decimal(10), Decimal(5)
    )
    assert sim.submit_order(_order("b", quantity=5), T0).status is OrderStatus.FILLED


def test_a_registered_name_is_built_with_its_parameters() -> None:
    """A mere name takes none."""
    plugins = Plugins()
    plugins.load()
    plugins.register(Mine(), "mine")
    sim = _sim(NamedRule("no_buying", {"above": 5}), "no_buying", plugins=plugins, position_limit=TEN)

    refused = [sim.submit_order(_order(str(n), quantity=n), T0).rejection for n in (11, 10, 5)]

    assert [(one.rule, one.limit) for one in refused if one is not None] == [
        ("position_limit", Decimal(10)),
        ("no_buying", Decimal(5)),
        ("no_buying#2", Decimal(0)),
    ]


@pytest.mark.parametrize("names", [("a", "a", "a"), ("a#2", "a", "a"), ("a", "a#2", "a")])
def test_every_rule_is_asked_whatever_the_rules_are_called(names: tuple[str, ...]) -> None:
    """Three of one name are three rules."""
    asked: list[int] = []
    rules = [Answers(name=name, check=lambda *_, n=n: asked.append(n)) for n, name in enumerate(names)]

    _sim(*rules).submit_order(_order("a"), T0)

    assert asked == [0, 1, 2]


def _set_cash(order: Order, account: Any, now: int) -> None:
    account.cash = Decimal(10**9)


def _set_position(order: Order, account: Any, now: int) -> None:
    account.positions["X"] = Decimal(10**9)


def _set_quantity(order: Any, account: RiskView, now: int) -> None:
    order.quantity = Decimal(1)


class _Unspeakable(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


NONSENSE: dict[str, Callable[..., Any]] = {
    "raises": lambda *_: _raise(LookupError("lost")),
    "raises what cannot be shown": lambda *_: _raise(_Unspeakable()),
    "returns True": lambda *_: True,
    "returns a str": lambda *_: "no",
    "returns the class": lambda *_: RiskViolation,
    "returns an action that is none": lambda *_: RiskViolation("x", action="explode"),  # type: ignore[arg-type]
    "returns a reason that is none": lambda *_: RiskViolation("x", reason="because"),  # type: ignore[arg-type]
    "returns a message that is none": lambda *_: RiskViolation(5),  # type: ignore[arg-type]
    "returns a float": lambda *_: RiskViolation("x", 0.1),  # type: ignore[arg-type]
    "takes too few arguments": lambda order: None,
    "sets cash": _set_cash,
    "sets a position": _set_position,
    "sets the quantity": _set_quantity,
}


@pytest.mark.parametrize("what", NONSENSE)
def test_a_rule_that_fails_denies_the_order_and_nothing_else(what: str) -> None:
    """Cash, positions and exposure stay as they were; the next order is judged as if nothing had happened."""
    answers = {"a": NONSENSE[what]}
    sim = _sim(Answers(check=lambda order, *more: answers.get(order.order_id, _pass)(order, *more)), position_limit=TEN)

    refused = sim.submit_order(_order("a"), T0)

    assert refused.status is OrderStatus.REJECTED
    assert refused.rejection_reason is RejectionReason.RISK_RULE_ERROR
    assert refused.quantity == 10
    assert refused.rejection is not None
    assert refused.rejection.rule == "Answers"
    assert sim.cash == 100_000
    assert (dict(sim.positions), sim.trading_state) == ({}, TradingState.ACTIVE)
    assert sim.submit_order(_order("b", limit=90), T0).status is OrderStatus.SUBMITTED
    assert sim.submit_order(_order("c", quantity=1), T0).rejection_reason is RejectionReason.RISK_POSITION_LIMIT
    assert encode_events(list(sim.events))


@pytest.mark.parametrize("what", [what for what in NONSENSE if not what.startswith("sets the")])
def test_a_watcher_that_fails_restricts_trading_and_the_session_goes_on(what: str) -> None:
    """However often it fails, it latches once; reducing orders pass, and an operator may go on without it."""
    failing = [True]
    sim = _sim(Answers(watch=lambda *args: NONSENSE[what](None, *args) if failing[0] else None), position_limit=TEN)
    for tick in range(1, 4):
        _price(sim, T0 + tick)

    [change] = [event for event in sim.events if type(event) is TradingStateChanged]
    assert (change.state, change.by) == (TradingState.REDUCE_ONLY, "Answers")
    assert change.cause is not None
    assert change.cause.reason is RejectionReason.RISK_RULE_ERROR
    refused = sim.submit_order(_order("a"), T0 + 3)
    assert refused.rejection_reason is RejectionReason.RISK_RULE_ERROR
    failing[0] = False
    sim.enable_trading("risk desk", "rule mended")
    assert sim.submit_order(_order("b"), T0 + 3).status is OrderStatus.FILLED


def test_a_rule_that_fails_says_how() -> None:
    """The author of the rule reads in the refusal what to mend."""
    answers = [_raise, lambda *_: "no"]
    sim = _sim(Answers(check=lambda *_: answers.pop(0)(KeyError("sector"))))

    messages = [sim.submit_order(_order(name), T0).rejection_message for name in "ab"]

    assert messages == [
        "the rule failed: KeyError: 'sector'",
        "the rule failed: it returned 'no'; return None or a RiskViolation",
    ]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_inside_a_rule_is_not_swallowed_and_leaves_nothing_counted(stop: type[BaseException]) -> None:
    """Whoever catches it further out may send the same order again."""
    stops: list[BaseException] = [stop()]
    sim = _sim(Answers(check=lambda *_: _raise(stops.pop()) if stops else None), position_limit=TEN)

    with pytest.raises(stop):
        sim.submit_order(_order("a"), T0)

    assert sim.submit_order(_order("a"), T0).status is OrderStatus.FILLED


def test_a_view_that_is_kept_goes_on_showing_the_account_and_still_cannot_be_set() -> None:
    """It is live, and read-only for good."""
    kept: list[Any] = []
    sim = _sim(Answers(check=lambda order, account, now: kept.append(account)))
    sim.submit_order(_order("a"), T0)

    view = kept[0]

    assert (view.cash, view.position("X"), view.working("X", BUY)) == (99_000, 10, 0)
    assert (view.equity, view.trading_state) == (100_000, TradingState.ACTIVE)
    with pytest.raises(AttributeError):
        view.cash = Decimal(0)
    with pytest.raises(TypeError):
        view.positions["X"] = Decimal(0)


def test_rules_hear_every_event_before_any_listener_does() -> None:
    """Each event, once, in the order of the log, with the order as it then stood."""
    told: list[tuple[str, Event]] = []

    def hear(event: Event, order: Order | None) -> None:
        told.append(("rule", event))
        if isinstance(event, OrderEvent):
            assert order is not None
            assert order.events[-1] == event

    sim = _sim(Answers(check=_pass, hear=hear))
    sim.add_listener(lambda event, order: told.append(("listener", event)))

    sim.submit_order(_order("a"), T0)
    sim.restrict_trading("risk desk", "test")

    assert told == [(who, event) for event in sim.events for who in ("rule", "listener")]


def test_a_rule_that_fails_to_hear_restricts_trading() -> None:
    """It no longer knows what it should know."""
    sim = _sim(Answers(check=_pass, hear=lambda *_: _raise(LookupError("lost"))))

    sim.submit_order(_order("a"), T0)

    assert sim.trading_state is TradingState.REDUCE_ONLY
    assert sim.submit_order(_order("exit", SELL), T0).status is OrderStatus.FILLED


@pytest.mark.parametrize("exempts", [True, False])
def test_only_a_rule_that_exempts_reducing_orders_lets_them_pass(*, exempts: bool) -> None:
    """Whatever it answers, an exit passes then; otherwise it does not."""
    refuse = RiskViolation("never")
    sim = _sim(Answers(check=lambda order, *_: refuse if order.side is SELL else None, exempts_reducing=exempts))
    sim.submit_order(_order("long"), T0)

    assert sim.submit_order(_order("exit", SELL), T0).is_complete
    assert bool(sim.positions) is not exempts


def test_rules_see_the_order_among_what_works_and_modifies_on_their_new_terms() -> None:
    """So a rule compares one number with one limit."""
    seen: list[tuple[Decimal, Decimal, Decimal | None]] = []

    def check(order: Order, account: RiskView, now: int) -> None:
        seen.append((order.quantity, account.worst_position("X"), account.gross_exposure()))

    sim = _sim(Answers(check=check))
    sim.submit_order(_order("a", limit=90), T0)
    sim.modify_order("a", T0, quantity=Decimal(20))

    assert seen == [(Decimal(10), Decimal(10), Decimal(900)), (Decimal(20), Decimal(20), Decimal(1_800))]


def test_a_rule_that_needs_a_price_has_what_works_counted_whatever_it_says() -> None:
    """Units without a price stop the order after them, also where the rule is said to need no worst case."""
    sim = _sim(Answers(check=_pass, needs_price=True, needs_exposure=False))
    assert sim.submit_order(_order("a"), T0).status is OrderStatus.FILLED
    assert sim.submit_order(_order("b", SELL), T0).status is OrderStatus.FILLED

    sim.gate.adjusted(T0, Decimal(0), "transfer", symbol="Y", quantity=Decimal(1))
    sim.advance(T0)
    order = msgspec.structs.replace(_order("c"), symbol="Y")

    assert sim.submit_order(order, T0).rejection_reason is RejectionReason.RISK_PRICE_MISSING


@pytest.mark.parametrize(
    "ask",
    [
        lambda account: account.mark("X"),
        lambda account: account.working("X", BUY),
        lambda account: account.worst_position("X"),
        lambda account: account.worst_value("X"),
        lambda account: account.gross_exposure(),
        lambda account: account.net_exposure(),
    ],
)
def test_a_rule_that_asks_for_what_it_says_it_does_not_need_has_failed(ask: Callable[[RiskView], Any]) -> None:
    """Nobody keeps marks and what works for it: it is told so, and the order stays here."""
    sim = _sim(Answers(check=lambda order, account, now: ask(account) and None, needs_exposure=False))

    order = sim.submit_order(_order("a"), T0)

    assert order.rejection_reason is RejectionReason.RISK_RULE_ERROR
    assert "leave out needs_exposure = False" in str(order.rejection_message)


class Shared:
    """Handed to several accounts: each is allowed one order."""

    def for_account(self) -> Any:
        """Return the rule of one account."""
        return Once()


class Once:
    """Lets one order out, and remembers that over a restart."""

    sent = 0

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:
        self.sent += 1
        return RiskViolation("once is enough") if self.sent > 1 else None

    def save_state(self) -> int:
        return self.sent

    def load_state(self, value: int) -> None:
        self.sent = value


def test_an_object_for_several_accounts_has_a_rule_for_each() -> None:
    """What one account used up the other has still left, also in its checkpoint; refusals name the object."""
    shared = Shared()
    first, second = _sim(shared), _sim(shared)
    first.submit_order(_order("a"), T0)

    for sim in (first, ExecutionSimulator.from_checkpoint(first.snapshot(), rules=(shared,))):
        refused = sim.submit_order(_order("b"), T0)
        assert refused.rejection is not None
        assert (refused.rejection.message, refused.rejection.rule) == ("once is enough", "Shared")
    for sim in (second, ExecutionSimulator.from_checkpoint(second.snapshot(), rules=(shared,))):
        assert sim.submit_order(_order("b"), T0).status is OrderStatus.FILLED


def test_an_object_that_has_no_rule_for_an_account_is_named() -> None:
    """Before the first order."""
    with pytest.raises(InvalidConfigError, match=r"rules='Answers': its for_account\(\) failed \(ZeroDivisionError: "):
        _sim(Answers(for_account=lambda: 1 / 0))
    with pytest.raises(InvalidConfigError, match=r"rules='Answers': it has neither check\(\) nor watch\(\)"):
        _sim(Answers(for_account=lambda: None))
