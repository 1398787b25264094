"""A script on NautilusTrader alone: a plain `BacktestEngine` and strategy, without gate, venue or ledger of ours.

It is what the contract compares the engine with. NautilusTrader is told by a fill model, its own means, to fill at what
the market shows. By default it fills a stop that the market has jumped past at its trigger, and lets the market stand
at the price of the order it filled last until the next one comes.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.backtest.models import FillModel
from nautilus_trader.config import BacktestEngineConfig, LoggingConfig, RiskEngineConfig, StrategyConfig
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import Bar, BarType, QuoteTick, TradeTick
from nautilus_trader.model.enums import AccountType, AggressorSide, BookType, LiquiditySide, OmsType
from nautilus_trader.model.identifiers import TradeId, Venue
from nautilus_trader.model.objects import FIXED_PRECISION, Money, Quantity
from nautilus_trader.trading.strategy import Strategy

from seatrial.contracts.events import OrderExecution
from seatrial.contracts.market import Bar as CoreBar
from seatrial.contracts.market import Quote
from seatrial.contracts.scenario import CancelAt, SubmitAt
from seatrial.contracts.terms import Liquidity, OrderType
from seatrial.engine.run import open_scenario, traded
from seatrial.errors import InvalidConfigError
from seatrial.venue.working import at_work
from seatrial_nautilus.v1.engine_params import check_params
from seatrial_nautilus.v1.exact import VENUE, Grid, listed
from seatrial_nautilus.v1.pit_orders import TRADER, order_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.contracts.market import Instrument, MarketEvent
    from seatrial.contracts.orders import Order
    from seatrial.contracts.scenario import Instruction, Scenario

__all__ = ["stock_executions"]

_PLENTY = 10**9
_FOLLOWING = frozenset({OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT})


class _ShownFills(FillModel):
    """Fills what takes liquidity at what the market shows, a resting limit at its own price, both in any quantity."""

    def get_orderbook_for_fill_simulation(self, instrument: Any, order: Any, best_bid: Any, best_ask: Any) -> Any:
        """Return the book that an order meets."""
        if order.liquidity_side == LiquiditySide.MAKER:
            best_bid = best_ask = order.price
        size = Quantity.from_raw(order.quantity.raw, instrument.size_precision)
        book = OrderBook(instrument.id, BookType.L1_MBP)
        book.update_quote_tick(QuoteTick(instrument.id, best_bid, best_ask, size, size, 0, 0))
        return book


class _Script(Strategy):
    """Sends what a script holds, each at its time, and writes down what is filled."""

    def __init__(self, script: Iterable[Instruction], listings: dict[str, tuple[Any, Grid]]) -> None:
        super().__init__(StrategyConfig(strategy_id="S", order_id_tag="1"))
        self.script = script
        self.listings = listings
        self.sent: dict[str, Any] = {}
        self.names: dict[Any, str] = {}
        self.found: list[OrderExecution] = []

    def on_start(self) -> None:
        """Set an alarm for each step."""
        for number, step in enumerate(self.script):
            self.clock.set_time_alert_ns(f"{number}", step.at, lambda _, step=step: self.do(step))

    def do(self, step: Any) -> None:
        """Take one step of the script."""
        if isinstance(step, CancelAt):
            self.cancel_order(self.sent[step.order_id])
            return
        for order in step.orders:
            instrument, grid = self.listings[order.symbol]
            made = order_for(at_work(order, step.at, 0, None), instrument.id, grid, len(self.sent) + 1)
            self.sent[order.order_id] = made
            self.names[made.client_order_id] = order.order_id
            self.submit_order(made)

    def on_order_filled(self, event: Any) -> None:
        """Write a fill down."""
        name = self.names[event.client_order_id]
        self.found.append(
            OrderExecution(
                order_id=name,
                timestamp=event.ts_event,
                reported_at=event.ts_event,
                execution_id=f"{name}/1",
                quantity=event.last_qty.as_decimal(),
                price=event.last_px.as_decimal(),
                commission=Decimal(0),
                is_partial=False,
                liquidity=Liquidity.TAKER if event.liquidity_side == LiquiditySide.TAKER else Liquidity.MAKER,
            )
        )


def stock_executions(scenario: Scenario) -> list[OrderExecution]:
    """Run a script on NautilusTrader alone, and return what was executed, in its order: on one price by price.

    :raises InvalidConfigError: for a scenario with costs, a strategy, or steps and orders that a plain script has not.
    """
    for step in scenario.script:
        plain = isinstance(step, CancelAt) or (isinstance(step, SubmitAt) and all(map(_is_plain, step.orders)))
        if not plain:
            raise InvalidConfigError("script", step, "NautilusTrader alone is tried with single orders and cancels")
    if scenario.strategy is not None or scenario.execution.venue.slippage_bps:
        raise InvalidConfigError("strategy", scenario.strategy, "NautilusTrader alone is tried without, and no costs")
    tape, instruments = open_scenario(scenario)
    known = traded(tape, instruments)
    grids = {symbol: Grid(one) for symbol, one in known.items()}
    listings = {symbol: (listed(one, grids[symbol], n), grids[symbol]) for n, (symbol, one) in enumerate(known.items())}
    engine = _engine(scenario, next(iter(known.values())))
    for instrument, _ in listings.values():
        engine.add_instrument(instrument)
    engine.add_data([_datum(row, *listings[row.symbol], n) for n, row in enumerate(tape)])
    strategy = _Script(scenario.script, listings)
    engine.add_strategy(strategy)
    try:
        engine.run()
        return strategy.found
    finally:
        engine.dispose()


def _engine(scenario: Scenario, first: Instrument) -> Any:
    engine = BacktestEngine(
        BacktestEngineConfig(
            trader_id=TRADER, logging=LoggingConfig(bypass_logging=True), risk_engine=RiskEngineConfig(bypass=True)
        )
    )
    engine.add_venue(
        venue=Venue(VENUE),
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        starting_balances=[Money.from_str(f"{scenario.execution.initial_cash} {first.currency}")],
        fill_model=_ShownFills(),
        frozen_account=True,
        use_message_queue=False,
        trade_execution=True,
        **_settings_of(scenario),
    )
    return engine


def _is_plain(order: Order) -> bool:
    return not (order.parent_id or order.oco_id or order.order_type in _FOLLOWING)


def _settings_of(scenario: Scenario) -> dict[str, bool]:
    """Return the venue's settings that a scenario asks for."""
    settings = check_params(scenario.engine_params)
    return {name: getattr(settings, name) for name in settings.__struct_fields__}


def _datum(row: MarketEvent, instrument: Any, grid: Grid, number: int) -> Any:
    size = Quantity.from_raw(_PLENTY * 10**FIXED_PRECISION, grid.size_digits)
    if isinstance(row, Quote):
        return QuoteTick(instrument.id, grid.price(row.bid), grid.price(row.ask), size, size, row.ts, row.ts)
    if isinstance(row, CoreBar):
        kind = BarType.from_str(f"{instrument.id}-1-MINUTE-LAST-EXTERNAL")
        prices = [grid.price(price) for price in (row.open, row.high, row.low, row.close)]
        return Bar(kind, *prices, size, row.ts, row.ts)
    trade_id = TradeId(f"{number}")
    return TradeTick(instrument.id, grid.price(row.price), size, AggressorSide.NO_AGGRESSOR, trade_id, row.ts, row.ts)
