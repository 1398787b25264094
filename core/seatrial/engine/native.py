"""The native engine: a scenario on seatrial's own simulated venue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.engine.claims import NATIVE
from seatrial.engine.run import Run
from seatrial.errors import InvalidConfigError
from seatrial.plugins import installed_plugins
from seatrial.venue.simulator import ExecutionSimulator

if TYPE_CHECKING:
    from seatrial.contracts.engine import RunMonitor, RunRecord
    from seatrial.contracts.scenario import Scenario
    from seatrial.plugins import Plugins

__all__ = ["NativeEngine"]


class NativeEngine:
    """Runs scenarios on the simulated venue."""

    def __init__(
        self, plugins: Plugins | None = None, simulator: type[ExecutionSimulator] = ExecutionSimulator
    ) -> None:
        """Look names up in `plugins`, the installed ones unless given; each run opens a `simulator` of its own."""
        self._plugins = plugins
        self._simulator = simulator

    def run(self, scenario: Scenario, *, directory: str | None = None, monitor: RunMonitor | None = None) -> RunRecord:
        """Run a scenario and return what happened; see :class:`~seatrial.contracts.engine.Engine`.

        :raises SeatrialError: for a scenario that cannot be run, or a strategy that fails, naming what is wrong.
        """
        if scenario.engine_params:
            raise InvalidConfigError("engine_params", scenario.engine_params, "the native engine takes none")
        plugins = self._plugins or installed_plugins()
        with Run(scenario, NATIVE, plugins, directory, monitor, simulator=self._simulator) as run:
            for rows in run.steps():
                run.meet(rows)
                if not run.tell(rows):
                    break
            run.finish()
            return run.record()
