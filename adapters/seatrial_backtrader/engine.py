"""The Backtrader engine: a scenario run by cerebro, matched by Backtrader's broker."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import backtrader as bt

from seatrial.engine.needs import refuse_unclaimed
from seatrial.engine.run import Run
from seatrial.plugins import installed_plugins
from seatrial_backtrader.analyses import add_analyzers, analyses_of, check_params
from seatrial_backtrader.claims import BACKTRADER
from seatrial_backtrader.costs import Scheme
from seatrial_backtrader.feed import TapeFeed, Wheel, frame_of
from seatrial_backtrader.floor import BacktraderSimulator
from seatrial_backtrader.helm import Helm
from seatrial_backtrader.pit import Pit

if TYPE_CHECKING:
    from seatrial.contracts.engine import RunMonitor, RunRecord
    from seatrial.contracts.scenario import Scenario
    from seatrial.plugins import Plugins

__all__ = ["BacktraderEngine"]


class BacktraderEngine:
    """Runs scenarios on Backtrader."""

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
        with Run(scenario, BACKTRADER, plugins, None, monitor, simulator=BacktraderSimulator) as run:
            cerebro = bt.Cerebro(**{"stdstats": False, "exactbars": 1, **settings.cerebro})
            add_analyzers(cerebro, settings)
            sail(cerebro, run)
            return run.record(analyses_of(cerebro.runstrats[0][0]))


def sail(cerebro: Any, run: Run[BacktraderSimulator]) -> None:
    """Let cerebro turn the tape of a run."""
    simulator = run.simulator
    wheel = Wheel(run.steps())
    frame, compression = frame_of(run.tape)
    cerebro.addstore(wheel)
    pit = Pit(checksubmit=False, cash=float(simulator.initial_cash))
    cerebro.setbroker(pit)
    feeds: dict[str, Any] = {}
    for symbol, multiplier in run.symbols().items():
        feeds[symbol] = TapeFeed(wheel=wheel, symbol=symbol, timeframe=frame, compression=compression)
        cerebro.adddata(feeds[symbol], name=symbol)
        pit.addcommissioninfo(Scheme(mult=float(multiplier)), name=symbol)
    pit.referee = simulator.venue.market

    def turn() -> None:
        if wheel.rows:
            simulator.venue.market.connect(pit, feeds, cerebro.runningstrats[0])
            run.meet(wheel.rows)

    pit.turn = turn
    cerebro.addstrategy(Helm, run=run, wheel=wheel)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="backtrader")
        cerebro.run()
