"""Orders that leave on other terms than they were made on: emulated, spawned by an algorithm, turned into units."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")

from nautilus_trader.config import ExecEngineConfig
from nautilus_trader.examples.algorithms.twap import TWAPExecAlgorithm
from nautilus_trader.model.enums import OrderSide, OrderStatus, OrderType, TriggerType
from nautilus_trader.model.identifiers import ExecAlgorithmId

from seatrial import Constant, LatencyConfig
from seatrial_nautilus.v1.checkpoint import snapshot
from seatrial_nautilus.v1.keeping import keep_order, order_of

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.nautilus.rig.market import MS, PAIR, quotes
from tests.nautilus.rig.scripted import Scripted
from tests.nautilus.rig.voyage import engine, heard, settings

# pandas 3 warns of how NautilusTrader 1.231 calls it
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

CONVERTS = "convert_quote_qty_to_base" in ExecEngineConfig.__struct_fields__
ROWS = quotes(PAIR, 120, 3)
DELAYS = {"latency_config": LatencyConfig(submit=Constant(4 * MS), fill=Constant(12 * MS))}


def _price(trader: Any, ticks: int) -> Any:
    """Return a price so many ticks from what a buyer pays."""
    ask = trader.cache.quote_tick(PAIR.id).ask_price
    return PAIR.make_price(ask + ticks * PAIR.price_increment)


def _emulated_limit(trader: Any) -> None:
    price, size = _price(trader, -4), PAIR.make_qty(100_000)
    limit = trader.order_factory.limit(PAIR.id, OrderSide.BUY, size, price, emulation_trigger=TriggerType.BID_ASK)
    trader.submit_order(limit)


def _emulated_bracket(trader: Any) -> None:
    bracket = trader.order_factory.bracket(
        PAIR.id,
        OrderSide.BUY,
        PAIR.make_qty(100_000),
        entry_order_type=OrderType.LIMIT,
        entry_price=_price(trader, -3),
        sl_trigger_price=_price(trader, -14),
        tp_price=_price(trader, 6),
        emulation_trigger=TriggerType.BID_ASK,
    )
    trader.submit_order_list(bracket)


def _sliced(trader: Any) -> None:
    order = trader.order_factory.market(
        PAIR.id,
        OrderSide.SELL,
        PAIR.make_qty(100_000),
        exec_algorithm_id=ExecAlgorithmId("TWAP"),
        exec_algorithm_params={"horizon_secs": 0.212, "interval_secs": 0.053},
    )
    trader.submit_order(order)


def _in_quote_currency(trader: Any) -> None:
    size = PAIR.make_qty(110_000)
    trader.submit_order(trader.order_factory.market(PAIR.id, OrderSide.BUY, size, quote_quantity=True))


def _bracket_that_ends_at_once(trader: Any) -> None:
    """Send a bracket whose entry fills in parts, and whose stop is released by the first of them."""
    bracket = trader.order_factory.bracket(
        PAIR.id,
        OrderSide.BUY,
        PAIR.make_qty(100_000),
        entry_order_type=OrderType.LIMIT,
        entry_price=_price(trader, 0),
        sl_trigger_price=_price(trader, 0),
        tp_price=_price(trader, 40),
        emulation_trigger=TriggerType.BID_ASK,
    )
    trader.submit_order_list(bracket)


CASES = {
    "emulated limit": {2: _emulated_limit, 40: _emulated_limit},
    "emulated bracket": {2: _emulated_bracket, 50: _emulated_bracket},
    "slices": {2: _sliced, 33: _sliced},
    "quote currency": {2: _in_quote_currency, 33: _in_quote_currency, 70: _in_quote_currency},
}


def _prepared(script: dict[int, Any], oms: str, gate: dict[str, Any] | None) -> tuple[Any, Any, Scripted]:
    made, session = engine([PAIR], settings("MARGIN", oms), gate)
    trader = Scripted(PAIR, script)
    made.add_strategy(trader)
    made.add_exec_algorithm(TWAPExecAlgorithm())
    return made, session, trader


def _found(made: Any, trader: Scripted, after: int = 0) -> dict[str, Any]:
    """Return what was heard later than a time, and where it ended."""
    events = [one for one in trader.events if one.ts_init > after]
    fields = ("client_order_id", "last_qty", "last_px", "quantity", "price", "position_id")
    told = [
        (type(one).__name__, one.ts_event, one.ts_init, *[str(getattr(one, field, "")) for field in fields])
        for one in events
    ]
    return {**heard(made, []), "told": told}


@pytest.mark.parametrize("oms", ["NETTING", "HEDGING"])
@pytest.mark.parametrize("case", CASES)
def test_the_venue_gets_an_order_on_the_terms_it_leaves_on(case: str, oms: str) -> None:
    """What is released, spawned or turned into units trades as on the stock venue, and the record agrees."""
    if case == "quote currency" and not CONVERTS:
        pytest.skip("this version leaves it to the venue")
    found: list[dict[str, Any]] = []
    ways: tuple[dict[str, Any] | None, ...] = ({}, None)
    for gate in ways:
        made, session, trader = _prepared(CASES[case], oms, gate)
        made.add_data(ROWS)
        made.run()
        found.append(_found(made, trader))
        if session is not None:
            filled = {one.order_id: one.filled_quantity for one in session.gate.completed_orders.values()}
            traded = [one for one in made.cache.orders_closed() if one.filled_qty > 0]
            told = {one.client_order_id.value: one.filled_qty.as_decimal() for one in traded}
            assert {name: filled[name] for name in told} == told

    assert found[0] == found[1]
    assert sum(one[0] == "OrderFilled" for one in found[0]["told"]) > 1


@pytest.mark.parametrize("at", [5, 20, 31, 54])
@pytest.mark.parametrize("case", ["emulated limit", "emulated bracket", "quote currency"])
def test_a_session_goes_on_with_such_orders_wherever_it_is_cut(case: str, at: int) -> None:
    """An order that was released as another type, or whose exits are still to come, is what it was."""
    if case == "quote currency" and not CONVERTS:
        pytest.skip("this version leaves it to the venue")
    after = ROWS[at].ts_init
    made, session, trader = _prepared(CASES[case], "HEDGING", DELAYS)
    made.add_data(ROWS)
    made.run()
    whole = _found(made, trader, after)
    made, session, trader = _prepared(CASES[case], "HEDGING", DELAYS)
    made.add_data(ROWS[: at + 1])
    made.run(streaming=True)
    checkpoint = snapshot(session)

    made, session, trader = _prepared(CASES[case], "HEDGING", {**DELAYS, "resume_from": checkpoint})
    trader.seen = at + 1
    made.add_data(ROWS[at + 1 :])
    made.run(start=after)

    assert _found(made, trader, after) == whole
    assert whole["told"]


def test_an_exit_that_left_before_its_entry_was_filled_whole_keeps_its_quantity() -> None:
    """Under delays the exit of a first part arrives when the entry is filled: for that part, on both sides."""
    thin = [one for one in ROWS if one.ask_size < 100_000]
    made, session, _ = _prepared({0: _bracket_that_ends_at_once}, "HEDGING", DELAYS)
    made.add_data(thin)
    made.run()

    entry, stop, _ = sorted(made.cache.orders(), key=lambda one: int(one.client_order_id.value.rsplit("-", 1)[-1]))
    assert entry.filled_qty == 100_000
    assert stop.quantity == stop.filled_qty == 40_000
    assert stop.is_closed
    assert session.gate.completed_orders[stop.client_order_id.value].filled_quantity == 40_000


class _Keeping(Scripted):
    """Keeps each order as it is when it is released."""

    def on_order_released(self, event: Any) -> None:
        state = keep_order(self.cache.order(event.client_order_id), self.cache)
        self.kept.append(order_of(state))

    kept: list[Any]


def test_an_order_that_was_released_and_has_not_left_waits_again() -> None:
    """A live trader that is killed between the two would find an order that nobody sends."""
    made, _ = engine([PAIR], settings("MARGIN", "NETTING"), {})
    trader = _Keeping(PAIR, {2: _emulated_limit})
    trader.kept = []
    made.add_strategy(trader)
    made.add_data(ROWS)
    made.run()

    [order] = trader.kept
    assert (order.order_type, order.status) == (OrderType.LIMIT, OrderStatus.EMULATED)
    assert order.emulation_trigger == TriggerType.BID_ASK
    assert made.cache.order(order.client_order_id).order_type == OrderType.MARKET
