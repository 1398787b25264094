"""The NautilusTrader engine: what it refuses, what it can be told, and how it goes on."""

from __future__ import annotations

import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import nautilus_trader
import pytest
from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.backtrader.engine.crew import MORE, PLAIN, bars, config, scenario, ticks
from tests.backtrader.engine.crew import __file__ as crew
from tests.nautilus.rig import tapes
from tests.nautilus.rig.tapes import mixed, quotes

from seatrial import LATENCY_INSTANT, LATENCY_NORMAL, LATENCY_SLOW, Instrument, Order, OrderSide, OrderType, TimeInForce
from seatrial.contracts.events import OrderExecution, OrderRejected
from seatrial.contracts.market import Bar, Quote, Trade
from seatrial.contracts.rejection import RejectionReason
from seatrial.contracts.scenario import ExecutionConfig, Scenario, StrategyRef, SubmitAt, Tape
from seatrial.contracts.venue import Convention, LimitFill, VenueConfig
from seatrial.engine.native import NativeEngine
from seatrial.errors import CheckpointError, InvalidConfigError, InvalidMarketDataError, StrategyError
from seatrial.plugins import installed_plugins
from seatrial_nautilus.claims import NAUTILUS
from seatrial_nautilus.v1.engine import NautilusEngine
from seatrial_nautilus.v1.pit import Pit

TEN = Decimal(10)


def run(played: Scenario, **settings: Any) -> Any:
    """Run on NautilusTrader."""
    return NautilusEngine().run(replace(played, **settings))


def sent(*orders: dict[str, Any], rows: tuple[Any, ...] | None = None, **settings: Any) -> Scenario:
    """Return a script that sends orders for A after the second of three quotes at 10, or of other rows."""
    shown = rows or tuple(Quote(n * 1_000, "A", TEN, TEN) for n in range(1, 4))
    at = shown[1].ts + 1
    terms = {"symbol": "A", "side": OrderSide.BUY, "quantity": Decimal(1), "created_at": at}
    steps = [SubmitAt(at, (Order(order_id=f"S-{n}", **{**terms, **one}),)) for n, one in enumerate(orders, 1)]
    return Scenario(tape=Tape(rows=shown), script=tuple(steps), **settings)


def fills(record: Any) -> list[tuple[str, Decimal]]:
    """Return what was executed, at which price."""
    return [(event.order_id, event.price) for event in record.events if isinstance(event, OrderExecution)]


def test_it_is_on_offer_and_loads() -> None:
    """The plugin names its claims and NautilusTrader's version, and loads the engine."""
    spec = installed_plugins().engines()["nautilus"]
    assert spec.info == NAUTILUS
    assert nautilus_trader.__version__ in spec.version
    assert type(installed_plugins().engine("nautilus")) is NautilusEngine


def test_without_nautilustrader_one_line_says_what_to_install() -> None:
    """The engine stays on the list; loading it tells how to get it."""
    program = (
        "import sys; sys.modules['nautilus_trader'] = None\n"
        "from seatrial.plugins import installed_plugins\n"
        "from seatrial.errors import EngineNotInstalledError\n"
        "assert 'nautilus' in installed_plugins().engines()\n"
        "try: installed_plugins().engine('nautilus')\n"
        "except EngineNotInstalledError as error: print(error)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    expected = "engine 'nautilus' needs nautilus_trader, which is not installed: pip install 'seatrial[nautilus]'\n"
    assert told.stdout == expected


def test_on_2_one_line_says_that_it_needs_1(tmp_path: Path) -> None:
    """2.0 has no matching that Python could use; the error names the version that has."""
    folder = tmp_path / "nautilus_trader" / "live"
    folder.mkdir(parents=True)
    for path in (folder.parent / "__init__.py", folder / "__init__.py", folder / "clients.py"):
        path.touch()
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from seatrial.plugins import installed_plugins\n"
        "installed_plugins().engine('nautilus')"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert "the nautilus engine needs NautilusTrader 1.x" in told.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("params", "setting", "hint"),
    [
        ({"bar_adaptive_high_low_order": True}, "bar_adaptive_high_low_order", "takes bar_adaptive_high_low_ordering"),
        ({"oms_type": "HEDGING"}, "oms_type", "one position per symbol"),
        (
            {"fill_model": "x"},
            "fill_model",
            r"slippage_bps under \[costs\], limit_fill and",
        ),
        ({"reject_stop_orders": "yes"}, "reject_stop_orders", "give true or false"),
    ],
)
def test_engine_params_nobody_takes_are_refused(params: dict[str, Any], setting: str, hint: str) -> None:
    """The setting is named before anything runs, with where it belongs."""
    with pytest.raises(InvalidConfigError, match=hint) as caught:
        run(sent({"order_type": OrderType.MARKET}), engine_params=params)
    assert caught.value.setting == f"engine_params.{setting}"


@pytest.mark.parametrize(
    "terms",
    [
        {"order_type": OrderType.MARKET_TO_LIMIT},
        {"order_type": OrderType.LIMIT, "limit_price": TEN, "time_in_force": TimeInForce.AT_OPEN},
        {"order_type": OrderType.NATIVE, "native_type": "iceberg"},
        {"order_type": OrderType.LIMIT, "limit_price": Decimal("9.99999999999999999")},
        {"order_type": OrderType.LIMIT, "limit_price": Decimal(10**20)},
        {"order_type": OrderType.MARKET, "quantity": Decimal(10**20)},
    ],
)
def test_an_order_that_cannot_be_taken_is_rejected(terms: dict[str, Any]) -> None:
    """The venue says that it is unsupported; the run goes on."""
    orders = ({"symbol": "A", "side": OrderSide.BUY, "quantity": 1, **terms}, {"order_type": OrderType.MARKET})
    params = {"orders": [orders[0], {**orders[1], "symbol": "A", "side": OrderSide.BUY, "quantity": 1}]}
    record = run(
        Scenario(tape=Tape(rows=ticks(1, 50)), strategy=StrategyRef(path=f"{crew}:Sender", params=params)),
    )

    [rejected] = [event for event in record.events if isinstance(event, OrderRejected)]
    assert (rejected.order_id, rejected.rejection.reason) == ("S-1", RejectionReason.UNSUPPORTED)
    assert [order_id for order_id, _ in fills(record)] == ["S-2"]


def test_prices_beyond_nautilustraders_are_told_with_their_symbol() -> None:
    """A tape whose digits cannot be shown exactly ends the run, once somebody waits for its prices."""
    fine = Decimal("10.00000000000000001")
    rows = (Trade(1_000, "A", TEN), Trade(2_000, "A", TEN), Trade(3_000, "A", fine))
    with pytest.raises(InvalidMarketDataError, match=r"A.*10\.00000000000000001 .* 16 decimals"):
        run(sent({"order_type": OrderType.MARKET}, rows=rows))


def test_a_tick_with_too_many_decimals_is_refused() -> None:
    """The setting and the symbol are named."""
    played = sent({"order_type": OrderType.MARKET, "symbol": "A"})
    with pytest.raises(InvalidConfigError, match="16 decimals; A needs 18"):
        run(played, instruments=(Instrument(symbol="A", tick_size=Decimal("1e-18")),))


@pytest.mark.parametrize(("adaptive", "expected"), [(True, "S-2"), (False, "S-1")])
def test_a_bars_high_may_come_first(adaptive: bool, expected: str) -> None:
    """As NautilusTrader's setting of that name says, which for the engine is true unless told otherwise."""
    rows = (
        *(Bar(n * 60, "A", TEN, TEN, TEN, TEN) for n in (1, 2)),
        *(Bar(n * 60, "A", TEN, Decimal(12), Decimal(9), TEN) for n in (3, 4)),
    )
    pair = {"quantity": Decimal(1), "oco_id": "pair", "order_type": OrderType.STOP}
    played = sent(
        {**pair, "stop_price": Decimal("11.50")},
        {**pair, "order_type": OrderType.LIMIT, "limit_price": Decimal("9.50")},
        rows=rows,
        execution=ExecutionConfig(venue=VenueConfig(limit_fill=LimitFill.TOUCH)),
    )
    record = run(played, engine_params={} if adaptive else {"bar_adaptive_high_low_ordering": False})

    assert [order_id for order_id, _ in fills(record)] == [expected]


@pytest.mark.parametrize("rejects", [True, False])
def test_stops_that_the_market_has_passed_can_be_rejected(rejects: bool) -> None:
    """As NautilusTrader does by default; here they trade unless told otherwise."""
    record = run(
        sent({"order_type": OrderType.STOP, "stop_price": Decimal(9)}), engine_params={"reject_stop_orders": rejects}
    )

    refused = [event.rejection for event in record.events if isinstance(event, OrderRejected)]
    assert fills(record) == ([] if rejects else [("S-1", TEN)])
    assert [one.reason for one in refused] == ([RejectionReason.INVALID_PRICE] if rejects else [])
    assert all("was in the market" in one.message for one in refused)


def test_prices_nobody_waits_for_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tape without orders costs nothing of NautilusTrader; while an order rests it sees each price."""
    shown: list[Decimal] = []
    show = Pit.show

    def count(pit: Pit, bid: Decimal, ask: Decimal, ts: int) -> bool:
        shown.append(bid)
        return show(pit, bid, ask, ts)

    monkeypatch.setattr(Pit, "show", count)
    prices = [TEN + n for n in range(9)]
    rows = tuple(Quote(n * 1_000, "A", price, price) for n, price in enumerate(prices, 1))
    away = {"order_type": OrderType.LIMIT, "limit_price": Decimal(1)}

    run(replace(sent(away, rows=rows), script=()))
    assert shown == []
    run(sent(away, rows=rows))
    assert shown == prices[1:]  # the one that stood at arrival, and all that follow


@pytest.mark.parametrize(("method", "silenced"), [("fill_market_order", "market"), ("fill_limit_order", "limit")])
def test_nothing_trades_unless_nautilustrader_says_so(
    method: str, silenced: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A matching engine that keeps an order's trade to itself leaves it unfilled; nobody matches behind its back."""
    both = ({"order_type": OrderType.MARKET}, {"order_type": OrderType.LIMIT, "limit_price": TEN})
    assert fills(run(sent(*both))) == [("S-1", TEN), ("S-2", TEN)]

    monkeypatch.setattr(Pit, method, lambda pit, order: None)
    assert fills(run(sent(*both))) == [("S-2" if silenced == "market" else "S-1", TEN)]


def test_it_holds_no_order_that_has_ended() -> None:
    """What NautilusTrader looks at with each price are the orders that work, however many there have been."""
    held: list[int] = []
    played = scenario(3, LATENCY_NORMAL, config(), PLAIN, rows=ticks(3, 1_500))
    drop = Pit.drop

    def look(pit: Pit, order_id: str) -> None:
        drop(pit, order_id)
        held.append(len(pit.get_open_orders()) - len(pit.held))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pit, "drop", look)
        NautilusEngine().run(played)
    assert len(held) > 100
    assert max(held) <= 0


@pytest.mark.parametrize("seed", range(4))
def test_a_run_goes_on_from_any_checkpoint(seed: int, tmp_path: Path) -> None:
    """What rested, trailed or waited in NautilusTrader's hands is there again, on every kind of tape."""
    rows = (mixed(seed, 300), ticks(seed, 300), quotes(seed, 300, most=40), bars(seed, 60))[seed]
    venue = config(convention=[None, Convention.STANDING][seed % 2])
    played = scenario(seed, LATENCY_SLOW, venue, MORE, rows=rows)
    params = {"seed": seed, "kinds": list(MORE)}
    strategy = StrategyRef(path=f"{tapes.__file__}:Kept", params=params, strategy_id="W")
    every: str | int = "bar" if seed == 3 else 1
    played = replace(played, strategy=strategy, execution=replace(played.execution, checkpoint_every=every))
    whole = NautilusEngine().run(played, directory=str(tmp_path))
    again = replace(played, execution=replace(played.execution, checkpoint_every="never"))

    for path in random.Random(seed).sample(whole.checkpoints, 3):
        resumed = NautilusEngine().run(replace(again, resume_from=path), directory=str(tmp_path))
        assert resumed.events == whole.events
        assert (resumed.account, resumed.orders) == (whole.account, whole.orders)


def test_a_run_goes_on_as_it_began(tmp_path: Path) -> None:
    """Neither on another engine nor with other settings of the same one."""
    played = scenario(1, LATENCY_NORMAL, config(), PLAIN, rows=ticks(1, 60))
    played = replace(played, execution=replace(played.execution, checkpoint_every=1))
    path = NautilusEngine().run(played, directory=str(tmp_path)).checkpoints[1]
    again = replace(played, resume_from=path)

    with pytest.raises(CheckpointError, match="the run began with engine='nautilus', not 'native'; resume it as it be"):
        NativeEngine().run(again, directory=str(tmp_path))
    with pytest.raises(CheckpointError, match=r"the run began with engine_params=\{\}, not \{'reject_stop_orders'"):
        NautilusEngine().run(replace(again, engine_params={"reject_stop_orders": True}), directory=str(tmp_path))


def test_a_neutral_strategy_that_fails_is_named() -> None:
    """The error names its part and its line."""
    sender = StrategyRef(path=f"{crew}:Sender", params={"orders": [{}]})
    with pytest.raises(StrategyError, match=r"on_market failed at .*, crew\.py:\d+ \(TypeError"):
        run(Scenario(tape=Tape(rows=ticks(1, 50)), strategy=sender))


def test_symbols_need_no_name_that_nautilustrader_knows() -> None:
    """Any printable one trades."""
    rows = tuple(Quote(n * 1_000, "Öl 1", TEN, TEN) for n in range(1, 4))
    record = run(sent({"order_type": OrderType.MARKET, "symbol": "Öl 1"}, rows=rows))
    assert fills(record) == [("S-1", TEN)]


def test_the_same_run_gives_the_same_bytes() -> None:
    """NautilusTrader's random ids reach nothing that is recorded."""
    played = scenario(1, LATENCY_INSTANT, config(), MORE)
    assert run(played) == run(played)
