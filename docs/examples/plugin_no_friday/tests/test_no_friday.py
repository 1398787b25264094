"""The rule, the latency model and the observer do what the README says, and seatrial finds them."""

import logging
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from no_friday.latency import Retrying

from seatrial import ExecutionSimulator, NamedRule, Order, OrderSide, OrderType, Quote, RiskConfig
from seatrial.clock import iso, to_ns
from seatrial.errors import PluginError
from seatrial.plugins import installed_plugins

BUY, SELL = OrderSide.BUY, OrderSide.SELL
THURSDAY = datetime(2000, 3, 2, 15, tzinfo=UTC)
FRIDAY = datetime(2000, 3, 3, 15, tzinfo=UTC)
MS = 1_000_000


def order(order_id: str, side: OrderSide, at: datetime, quantity: int = 10) -> Order:
    """Return a market order in IBM."""
    return Order(
        order_id=order_id, symbol="IBM", side=side, order_type=OrderType.MARKET, quantity=quantity, created_at=at
    )


def holding_ten(zone: str = "UTC") -> ExecutionSimulator:
    """Return a simulator under the rule, by its name, that bought ten on Thursday."""
    rules = (NamedRule("no_friday", {"zone": zone}),)
    simulator = ExecutionSimulator(initial_cash=10_000, risk_config=RiskConfig(rules=rules), observers=["event_log"])
    simulator.process_quote(Quote(to_ns(THURSDAY), "IBM", Decimal(99), Decimal(100)))
    simulator.submit_order(order("thursday", BUY, THURSDAY), THURSDAY)
    return simulator


def test_friday_refuses_an_opening_order() -> None:
    """The refusal names the rule and says which day it is where."""
    simulator = holding_ten()

    refused = simulator.submit_order(order("friday", BUY, FRIDAY), FRIDAY)

    assert refused.rejection is not None
    assert refused.rejection.rule == "no_friday"
    assert refused.rejection.message == "Friday in UTC: 10 IBM are enough"
    assert simulator.positions == {"IBM": Decimal(10)}


@pytest.mark.parametrize(("quantity", "left"), [(4, {"IBM": Decimal(6)}), (10, {})])
def test_friday_lets_a_position_be_reduced(quantity: int, left: dict[str, Decimal]) -> None:
    """A sale of part or all of what is held leaves on a Friday too."""
    simulator = holding_ten()

    simulator.submit_order(order("exit", SELL, FRIDAY, quantity), FRIDAY)

    assert simulator.positions == left


def test_friday_refuses_to_flip_a_position() -> None:
    """A sale of more than is held would open a short position."""
    simulator = holding_ten()

    refused = simulator.submit_order(order("flip", SELL, FRIDAY, 11), FRIDAY)

    assert refused.rejection is not None
    assert refused.rejection.rule == "no_friday"


@pytest.mark.parametrize(
    ("zone", "hour", "passes"),
    [("UTC", 0, False), ("America/New_York", 4, True), ("America/New_York", 5, False), ("Asia/Tokyo", 15, True)],
)
def test_zone_says_when_friday_is(zone: str, hour: int, *, passes: bool) -> None:
    """The same instant is a Friday in one place and not in another."""
    at = FRIDAY.replace(hour=hour)
    simulator = holding_ten(zone)

    sent = simulator.submit_order(order("more", BUY, at), at)

    assert (sent.rejection is None) is passes


def test_unknown_zone_stops_the_run_before_it_starts() -> None:
    """The error names the rule and who offers it."""
    with pytest.raises(PluginError, match=r"'no_friday' .from seatrial-no-friday .*Atlantis"):
        holding_ten("Atlantis/Capital")


def test_one_loss_in_four_costs_a_timeout() -> None:
    """Of all equally likely values a quarter take a timeout longer, a quarter of those two, and so on."""
    model = Retrying(base_ms=20, timeout_ms=200, loss_pct=25)

    delays = [model.sample(part * 2**60) // MS for part in range(16)]

    assert sorted(delays)[:12] == [20] * 12
    assert delays[1:4] == [220] * 3
    assert delays[0] > 220


@pytest.mark.parametrize("loss_pct", [-1, 100])
def test_link_that_loses_everything_is_refused(loss_pct: int) -> None:
    """The error names the model and the setting."""
    params = {"base_ms": 20, "timeout_ms": 200, "loss_pct": loss_pct}

    with pytest.raises(PluginError, match=f"'retrying' cannot be built .*loss_pct={loss_pct}"):
        installed_plugins().latency_model("retrying", params)


def test_event_log_writes_every_event(caplog: pytest.LogCaptureFixture) -> None:
    """One line each, in order; an event that concerns no order shows a dash."""
    caplog.set_level(logging.INFO, "no_friday")
    simulator = holding_ten()

    simulator.disable_trading("me", "done", FRIDAY)

    kinds = [type(event).__name__ for event in simulator.events]
    assert [message.split()[1] for message in caplog.messages] == kinds
    assert caplog.messages[0] == f"{iso(to_ns(THURSDAY))} OrderSubmitted thursday"
    assert caplog.messages[-1] == f"{iso(to_ns(FRIDAY))} TradingStateChanged -"
