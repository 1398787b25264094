"""The NautilusTrader engine: a scenario matched by NautilusTrader, behind the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nautilus_trader.trading.strategy import Strategy

from seatrial.engine.loading import load_class
from seatrial.engine.needs import refuse_unclaimed
from seatrial.engine.run import Run
from seatrial.plugins import installed_plugins
from seatrial_nautilus.claims import NAUTILUS
from seatrial_nautilus.v1.engine_params import check_params
from seatrial_nautilus.v1.floor import NautilusSimulator
from seatrial_nautilus.v1.own import OwnRun
from seatrial_nautilus.v1.stock import stock_executions

if TYPE_CHECKING:
    from seatrial.contracts.engine import RunMonitor, RunRecord
    from seatrial.contracts.events import OrderExecution
    from seatrial.contracts.scenario import Scenario
    from seatrial.plugins import Plugins

__all__ = ["NautilusEngine"]


class NautilusEngine:
    """Runs scenarios on NautilusTrader: the neutral strategy on its matching, or a strategy of its own as it is."""

    def __init__(self, plugins: Plugins | None = None) -> None:
        """Look names up in `plugins`, the installed ones unless given."""
        self._plugins = plugins

    def run(self, scenario: Scenario, *, directory: str | None = None, monitor: RunMonitor | None = None) -> RunRecord:
        """Run a scenario and return what happened; see :class:`~seatrial.contracts.engine.Engine`.

        :raises SeatrialError: for a scenario that cannot be run, or a strategy that fails, naming what is wrong.
        """
        refuse_unclaimed(scenario, NAUTILUS.capabilities)
        plugins = self._plugins or installed_plugins()
        kind = None if scenario.strategy is None else load_class(scenario.strategy.path)
        if kind is not None and issubclass(kind, Strategy):
            return OwnRun(scenario, kind, NAUTILUS, plugins, monitor).run()
        settings = check_params(scenario.engine_params)
        with Run(scenario, NAUTILUS, plugins, directory, monitor, simulator=NautilusSimulator) as run:
            run.simulator.venue.market.settings = settings
            for rows in run.steps():
                run.meet(rows)
                if not run.tell(rows):
                    break
            run.finish()
            return run.record()

    def stock(self, scenario: Scenario) -> list[OrderExecution]:
        """Run a script without delays, rules and costs on NautilusTrader alone; return what was executed, in order."""
        return stock_executions(scenario)
