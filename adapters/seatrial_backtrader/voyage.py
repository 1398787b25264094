"""A session that runs a Backtrader strategy, from the first row of the tape to the record."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import backtrader as bt

from seatrial.clock import iso
from seatrial.contracts.market import Bar
from seatrial.contracts.venue import Convention, LimitFill
from seatrial.engine.places import place_of
from seatrial.engine.recording import Recorder, run_record
from seatrial.engine.run import open_scenario, steps_of, traded
from seatrial.errors import InvalidConfigError, SeatrialError, StrategyError
from seatrial.gate.account import Account
from seatrial.gate.instruments import Instruments
from seatrial.gate.queue import NEVER
from seatrial_backtrader import analyses
from seatrial_backtrader.claims import BACKTRADER
from seatrial_backtrader.costs import Scheme
from seatrial_backtrader.feed import Wheel, add_feeds
from seatrial_backtrader.own import OwnBroker
from seatrial_backtrader.till import Till

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.contracts.account import AccountView, Mark
    from seatrial.contracts.engine import RunMonitor, RunRecord
    from seatrial.contracts.market import MarketEvent
    from seatrial.contracts.scenario import Scenario
    from seatrial.engine.context import OrderTarget
    from seatrial.plugins import Plugins

__all__ = ["Voyage"]

_INTERRUPTED = "it was interrupted"
_PLACES = tuple(Path(str(module.__file__)).resolve().parent for module in (bt, analyses))
"""Where the code lies that is neither the strategy's nor the core's: Backtrader's, and ours."""


class Voyage:
    """One run of a Backtrader strategy."""

    def __init__(self, scenario: Scenario, kind: type, plugins: Plugins, monitor: RunMonitor | None) -> None:
        """Open the tape and the account for a strategy of class `kind`.

        :raises SeatrialError: for what a Backtrader strategy cannot be run with.
        """
        _check(scenario, kind)
        execution = scenario.execution
        self._scenario = scenario
        self._kind = kind
        self._monitor = monitor
        self._stopped: str | None = None
        self._tape, instruments = open_scenario(scenario)
        self._traded = traded(self._tape, instruments)
        known = Instruments(instruments)
        self._account = Account(execution.initial_cash, known)
        self._wheel = Wheel(self._steps())
        risk = execution.risk
        broker = self._broker = OwnBroker(
            cash=float(execution.initial_cash),
            latency_config=execution.latency,
            risk_config=risk,
            simulator_id=execution.simulator_id,
            seed=execution.seed,
            observers=execution.observers,
            plugins=plugins,
            bar_theta=execution.venue.bar_theta,
            stale_match="never",
        )
        broker.account, broker.instruments, broker.wheel = self._account, known, self._wheel
        broker.till = Till(execution.initial_cash, execution.venue, known, plugins)
        if scenario.strategy is not None:
            broker.strategy_id = scenario.strategy.strategy_id
        self._recorder = Recorder(cast("OrderTarget", self))
        self._started: int | None = None

    # -- what the recorder looks at --------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The time reached, in UNIX ns UTC."""
        gate = self._broker.gate
        return 0 if gate is None else gate.now

    @property
    def account(self) -> AccountView:
        """The account as reported."""
        return self._account

    def last_mark(self, symbol: str) -> Mark | None:
        """Return a symbol's latest price with its time."""
        return self._account.last_mark(symbol)

    # -- the run ---------------------------------------------------------------------------------------------------

    def sail(self, cerebro: Any) -> RunRecord:
        """Let cerebro run the strategy, and return what happened.

        :raises StrategyError: where the strategy raises.
        """
        broker, strategy = self._broker, self._scenario.strategy
        cerebro.setbroker(broker)
        add_feeds(cerebro, self._wheel, self._traded, self._tape)
        for symbol, instrument in self._traded.items():
            broker.addcommissioninfo(Scheme(mult=float(instrument.multiplier), fees=broker.till.fees), name=symbol)
        cerebro.addstrategy(self._kind, **({} if strategy is None else strategy.params))
        cerebro.addanalyzer(_Witness, _name=_Witness.__name__, voyage=self)
        try:
            cerebro.run()
        except SeatrialError:
            raise
        except Exception as error:  # whatever a stranger's code raises becomes an error of ours
            raise self._failed(error) from error
        if not cerebro.runstrats[0]:
            path = "" if strategy is None else strategy.path
            raise StrategyError(path, "it raised StrategySkipError: it will not run with these params")
        self._finish()
        found = analyses.analyses_of(cerebro.runstrats[0][0])
        del found[_Witness.__name__]
        return self._record(found)

    def begin(self) -> None:
        """Hear of everything from now on."""
        if self._broker.gate is not None:
            self._broker.gate.add_listener(self._recorder.hear)

    def row(self, cerebro: Any) -> None:
        """Note a step that has happened, and end the run where the monitor asks for it."""
        rows = self._wheel.rows
        if not rows:
            return
        self._recorder.row(self.now, len(rows))
        if self._monitor is not None and not self._monitor.row(rows[-1], self._recorder.rows):
            self._stopped = _INTERRUPTED
            cerebro.runstop()

    def _steps(self) -> Iterator[tuple[MarketEvent, ...]]:
        stop = self._scenario.stop
        for rows in steps_of(self._tape):
            if stop is not None and rows[-1].ts > stop:
                self._stopped = "the time to stop was reached"
                return
            if self._started is None:
                first = rows[0]
                self._started = first.start if isinstance(first, Bar) and first.start is not None else first.ts
            yield rows

    def _finish(self) -> None:
        """Let everything under way arrive; nothing trades any more."""
        gate, stop = self._broker.gate, self._scenario.stop
        if gate is None or self._stopped == _INTERRUPTED:
            return
        end = NEVER - 1 if stop is None else stop
        for due in takewhile(lambda due: due <= end, iter(gate.wire.next_due, NEVER)):
            gate.advance(due)
        if stop is not None and stop > gate.now:
            gate.advance(stop)

    def _failed(self, error: Exception) -> StrategyError:
        strategy = self._scenario.strategy
        path = "" if strategy is None else strategy.path
        place = place_of(error, engine=_PLACES)
        where = f", {place}" if place else ""
        return StrategyError(path, f"it failed at {iso(self.now)}{where} ({type(error).__name__}: {error})")

    def _record(self, found: dict[str, Any]) -> RunRecord:
        return run_record(
            self._scenario,
            BACKTRADER,
            self._broker._standing(),
            self._account,
            self._recorder,
            tape=self._tape,
            started=self._started,
            stopped=self._stopped,
            dropped=self._broker._observers.dropped,
            analyses=found,
        )


class _Witness(bt.Analyzer):
    """Sits among the analyzers, and tells the run of every step."""

    params: Any = (("voyage", None),)

    def start(self) -> None:
        """Hear that the broker is open."""
        self.p.voyage.begin()

    def prenext(self) -> None:
        """Hear of a step before all feeds and indicators are ready."""
        self.p.voyage.row(self.strategy.env)

    def next(self) -> None:
        """Hear of a step."""
        self.p.voyage.row(self.strategy.env)


def _check(scenario: Scenario, kind: Any) -> None:
    """Refuse what a Backtrader strategy cannot be run with.

    :raises InvalidConfigError: naming the setting.
    :raises StrategyError: for parameters that the strategy does not take.
    """
    venue, strategy = scenario.execution.venue, scenario.strategy
    refused: Mapping[str, tuple[object, bool, str]] = {
        "script": (len(scenario.script), bool(scenario.script), "it runs beside a neutral strategy only"),
        "limit_fill": (
            venue.limit_fill,
            venue.limit_fill is LimitFill.THROUGH,
            "a Backtrader strategy's fill at touch",
        ),
        "convention": (venue.convention, venue.convention is Convention.STANDING, "Backtrader's is next"),
        "participation": (venue.participation, venue.participation is not None, "Backtrader strategies fill whole"),
        "leverage": (venue.leverage, venue.leverage != 1, "a Backtrader strategy has none; leave it out"),
    }
    for setting, (value, is_set, problem) in refused.items():
        if is_set:
            raise InvalidConfigError(setting, value, problem)
    if strategy is None:
        return
    takes = set(kind.params._getkeys())
    unknown = sorted(set(strategy.params) - takes)
    if unknown:
        problem = f"it takes no {unknown[0]!r}; its params are {', '.join(sorted(takes)) or 'none'}"
        raise StrategyError(strategy.path, problem)
