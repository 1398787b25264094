"""The Backtrader engine: a scenario run by cerebro, matched by Backtrader's broker."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import backtrader as bt

from seatrial.engine.loading import load_class
from seatrial.engine.needs import refuse_unclaimed
from seatrial.engine.run import Run, traded
from seatrial.plugins import installed_plugins
from seatrial_backtrader.analyses import analyses_of, check_params, open_cerebro
from seatrial_backtrader.claims import BACKTRADER
from seatrial_backtrader.costs import Scheme
from seatrial_backtrader.feed import Wheel, add_feeds
from seatrial_backtrader.floor import BacktraderSimulator
from seatrial_backtrader.helm import Helm
from seatrial_backtrader.pit import Pit
from seatrial_backtrader.stock import stock_executions
from seatrial_backtrader.voyage import Voyage

if TYPE_CHECKING:
    from seatrial.contracts.engine import RunMonitor, RunRecord
    from seatrial.contracts.events import OrderExecution
    from seatrial.contracts.scenario import Scenario
    from seatrial.plugins import Plugins

__all__ = ["BacktraderEngine"]


class BacktraderEngine:
    """Runs scenarios on Backtrader: the neutral strategy, or a Backtrader strategy as it is."""

    def __init__(self, plugins: Plugins | None = None) -> None:
        """Look names up in `plugins`, the installed ones unless given."""
        self._plugins = plugins

    def run(self, scenario: Scenario, *, directory: str | None = None, monitor: RunMonitor | None = None) -> RunRecord:  # noqa: ARG002 - no checkpoints are claimed
        """Run a scenario and return what happened; see :class:`~seatrial.contracts.engine.Engine`.

        :raises SeatrialError: for a scenario that cannot be run, or a strategy that fails, naming what is wrong.
        """
        refuse_unclaimed(scenario, BACKTRADER.capabilities)
        settings = check_params(scenario.engine_params)
        plugins = self._plugins or installed_plugins()
        kind = None if scenario.strategy is None else load_class(scenario.strategy.path)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning, module="backtrader")
            if kind is not None and issubclass(kind, bt.Strategy):
                cerebro = open_cerebro(settings)
                return Voyage(scenario, kind, plugins, monitor).sail(cerebro)
            with Run(scenario, BACKTRADER, plugins, None, monitor, simulator=BacktraderSimulator) as run:
                cerebro = open_cerebro(settings, exactbars=not settings.analyzers)
                _sail(cerebro, run)
                return run.record(analyses_of(cerebro.runstrats[0][0]))

    def stock(self, scenario: Scenario) -> list[OrderExecution]:
        """Run a script without delays, rules and costs on Backtrader alone; return what was executed, in order."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning, module="backtrader")
            return stock_executions(scenario)


def _sail(cerebro: Any, run: Run[BacktraderSimulator]) -> None:
    """Let cerebro turn the tape of a run."""
    simulator, market = run.simulator, run.simulator.venue.market
    wheel = Wheel(run.steps())
    pit = Pit(checksubmit=False, cash=float(simulator.initial_cash))
    pit.referee = market
    cerebro.setbroker(pit)
    known = traded(run.tape, run.instruments)
    add_feeds(cerebro, wheel, known, run.tape)
    for symbol, instrument in known.items():
        pit.addcommissioninfo(Scheme(mult=float(instrument.multiplier)), name=symbol)
    feeds = dict(zip(known, cerebro.datas, strict=True))

    def turn() -> None:
        if wheel.rows:
            market.connect(pit, feeds, cerebro.runningstrats[0])
            run.meet(wheel.rows)

    pit.turn = turn
    cerebro.addstrategy(Helm, run=run, wheel=wheel)
    cerebro.run()
