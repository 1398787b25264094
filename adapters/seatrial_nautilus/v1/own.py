"""A session that runs a NautilusTrader strategy, from the first row of the tape to the record.

NautilusTrader's own engine turns the tape, with the gate in the place of its execution client.
"""

from __future__ import annotations

import warnings
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import nautilus_trader
from nautilus_trader.accounting.error import AccountBalanceNegative
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.common.component import is_logging_initialized
from nautilus_trader.config import BacktestEngineConfig, LoggingConfig, RiskEngineConfig
from nautilus_trader.model.data import Bar
from nautilus_trader.model.identifiers import TraderId, Venue

from seatrial.clock import iso
from seatrial.engine.analyses import plain
from seatrial.engine.places import place_of
from seatrial.engine.recording import Recorder, run_record
from seatrial.errors import InvalidConfigError, SeatrialError, StrategyError
from seatrial.gate.observers import Observers
from seatrial.gate.queue import NEVER
from seatrial.venue.settings import open_observer
from seatrial_nautilus.v1.backtest import SeatrialModule, attach_module
from seatrial_nautilus.v1.own_awaited import awaited_of, held_by, named_by
from seatrial_nautilus.v1.own_catalog import CatalogData, has_catalog
from seatrial_nautilus.v1.own_data import TapeData, row_of
from seatrial_nautilus.v1.own_settings import check_scenario, read_settings, venue_options
from seatrial_nautilus.v1.own_strategy import build_strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seatrial.contracts.account import AccountView, Mark
    from seatrial.contracts.engine import EngineInfo, RunMonitor, RunRecord
    from seatrial.contracts.scenario import Scenario
    from seatrial.engine.context import OrderTarget
    from seatrial.plugins import Plugins

__all__ = ["OwnRun"]

_INTERRUPTED = "it was interrupted"
_PLACES = tuple(Path(str(file)).resolve().parent for file in (nautilus_trader.__file__, Path(__file__).parent))
"""Where the code lies that is neither the strategy's nor the core's: NautilusTrader's, and ours."""
_STRETCH = 4_096
"""How many rows are handed over at once."""
_RATE = "1000000/00:00:01"
"""Orders a second that are let through; NautilusTrader's own 100 would deny the rest before the gate hears of them."""
_TRADER = TraderId("SEATRIAL-001")
_kept: list[Any] = []
"""What keeps NautilusTrader's logger alive, which a process has once."""


class _InterruptedError(Exception):
    """The monitor has ended the run."""


class OwnRun:
    """One run of a NautilusTrader strategy."""

    def __init__(
        self, scenario: Scenario, kind: type, engine: EngineInfo, plugins: Plugins, monitor: RunMonitor | None
    ) -> None:
        """Open the tape and the venue for a strategy of class `kind`; the record will name `engine`.

        :raises SeatrialError: for what a NautilusTrader strategy cannot be run with.
        """
        settings = read_settings(scenario.engine_params)
        check_scenario(scenario, settings)
        reference = scenario.strategy
        if reference is None:
            raise InvalidConfigError("strategy", None, "name one")
        self._scenario = scenario
        self._path = reference.path
        self._info = engine
        self._monitor = monitor
        self._source = source = (
            CatalogData(scenario, settings.venue)
            if has_catalog(scenario)
            else TapeData(scenario, settings.venue, settings.bar_spec)
        )
        options = venue_options(scenario, settings, source.venue, source.instruments, plugins)
        self._strategy = build_strategy(reference.path, kind, reference.params)
        self._engine = BacktestEngine(_config(settings.log_level))
        if settings.log_level is not None:
            _kept.append(self._engine.kernel.get_log_guard())
        self._engine.add_strategy(self._strategy)
        lookout = _Lookout(self)
        self._engine.add_venue(modules=[lookout], **options)
        execution = scenario.execution
        session = self._session = attach_module(
            self._engine,
            lookout,
            {
                "latency": execution.latency,
                "risk": execution.risk,
                "simulator_id": execution.simulator_id,
                "seed": execution.seed,
                "strategy_names": {self._strategy.id.value: reference.strategy_id},
                "symbols": source.symbols,
                "plugins": plugins,
            },
        )
        for instrument in source.instruments:
            self._engine.add_instrument(instrument)
        session.marks.at_once = True  # the account is valued with every row
        self._recorder = Recorder(cast("OrderTarget", self))
        session.gate.add_listener(self._recorder.hear)
        self._observers = Observers([open_observer(one, plugins) for one in execution.observers])
        if self._observers:
            session.gate.add_listener(self._observers)
        self._told: list[str] = []
        self._started: int | None = None
        self._reached = 0
        self._stopped: str | None = None
        self._quit = False

    # -- what the recorder looks at --------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The time reached, in UNIX ns UTC."""
        return max(self._session.gate.now, self._reached)

    @property
    def account(self) -> AccountView:
        """The account as reported."""
        return self._session.account

    def last_mark(self, symbol: str) -> Mark | None:
        """Return a symbol's latest price with its time."""
        return self._session.account.last_mark(symbol)

    # -- the run ---------------------------------------------------------------------------------------------------

    def run(self) -> RunRecord:
        """Let NautilusTrader run the strategy, and return what happened.

        :raises StrategyError: where the strategy raises.
        """
        try:
            self._sail()
            record = self._record()
        except BaseException:
            with suppress(Exception):  # what a strategy does on its end is of no account now
                self._engine.dispose()
            raise
        self._guarded(self._engine.dispose)
        return record

    def begin(self, datum: Any) -> None:
        """Hear of the first piece of data, before anybody else does, and when the strategy has started.

        :raises StrategyError: where the strategy waits for what the tape does not hold.
        """
        self._started = datum.ts_init
        awaited = awaited_of(self._engine.kernel.msgbus)
        held = held_by(self._source)
        unserved = sorted(awaited - held)
        if unserved and not awaited & held:
            problem = f"it waits for {', '.join(unserved)}; the tape has {', '.join(sorted(named_by(self._source)))}"
            raise StrategyError(self._path, problem)
        self._told += [f"the strategy waits for {one}, which the tape does not have" for one in unserved]

    def row(self, datum: Any) -> None:
        """Note a row that has happened, and end the run where the monitor asks for it."""
        recorder, self._reached = self._recorder, datum.ts_init
        recorder.row(datum.ts_init, 1)
        if self._monitor is not None:
            instrument_id = datum.bar_type.instrument_id if type(datum) is Bar else datum.instrument_id
            if not self._monitor.row(row_of(datum, self._session.symbol_of(instrument_id)), recorder.rows):
                raise _InterruptedError

    def _sail(self) -> None:
        engine = self._engine
        try:
            for stretch in self._stretches():
                engine.add_data(stretch, validate=False)
                self._guarded(lambda: engine.run(streaming=True))
                engine.clear_data()
            self._quit = not self._strategy.is_running
            self._guarded(engine.end)
            self._guarded(self._finish)
        except _InterruptedError:
            self._stopped = _INTERRUPTED
        self._session.gate.advance(self.now)

    def _guarded(self, part: Callable[[], None]) -> None:
        """Do a part of the run in which the strategy has its say.

        :raises StrategyError: where it raises.
        """
        try:
            part()
        except (SeatrialError, _InterruptedError):
            raise
        except Exception as error:  # whatever a stranger's code raises becomes an error of ours
            raise self._failed(error) from error

    def _stretches(self) -> Iterator[list[Any]]:
        """Yield the data, some at once: what has the same time is not parted."""
        stop = self._scenario.stop
        held: list[Any] = []
        for datum in self._source.data():
            if stop is not None and datum.ts_init > stop:
                self._stopped = "the time to stop was reached"
                break
            if len(held) >= _STRETCH and datum.ts_init != held[-1].ts_init:
                yield held
                held = []
            held.append(datum)
        if held:
            yield held

    def _finish(self) -> None:
        """Let everything under way arrive; nothing trades any more."""
        session, stop = self._session, self._scenario.stop
        end = NEVER - 1 if stop is None else stop
        for due in takewhile(lambda due: due <= end, iter(session.gate.wire.next_due, NEVER)):
            session.run_until(due)
        if stop is not None:
            self._reached = max(self._reached, stop)

    def _failed(self, error: Exception) -> StrategyError:
        place = place_of(error, engine=_PLACES)
        where = f", {place}" if place else ""
        when = iso(self._engine.kernel.clock.timestamp_ns())
        if isinstance(error, AccountBalanceNegative):
            problem = (
                f"at {when} it overdrew the cash account ({error.balance} {error.currency}), which ends a backtest"
            )
            return StrategyError(self._path, f"{problem}; trade less, or on a margin account")
        return StrategyError(self._path, f"it failed at {when}{where} ({type(error).__name__}: {error})")

    def _warnings(self) -> Iterator[str]:
        yield from self._told
        if self._quit:
            yield "the strategy had stopped by itself before the tape ended"

    def _record(self) -> RunRecord:
        session = self._session
        return run_record(
            self._scenario,
            self._info,
            session.gate,
            session.account,
            self._recorder,
            tape=self._source,
            started=self._started,
            stopped=self._stopped,
            dropped=self._observers.dropped,
            warnings=self._warnings(),
            analyses=_analyses(self._engine, self._source.venue),
        )


class _Lookout(SeatrialModule):
    """The gate's module, which tells the run of every row."""

    def __init__(self, run: OwnRun) -> None:
        """Tell `run`."""
        super().__init__()
        self._run = run
        self._datum: Any = None
        self._has_begun = False

    def sleep(self, keep: Callable[[Any], None], pass_by: Callable[[int], None]) -> None:
        """Stay awake: the run hears of every row."""

    def pre_process(self, data: Any) -> None:
        """Hear of a row before it happens."""
        if not self._has_begun:
            self._has_begun = True
            self._run.begin(data)
        super().pre_process(data)
        self._datum = data

    def process(self, ts_now: int) -> None:
        """Hear of a moment, which is a row's last one where one is happening."""
        super().process(ts_now)
        datum, self._datum = self._datum, None
        if datum is not None:
            self._run.row(datum)


def _config(log_level: str | None) -> Any:
    """Return how the engine is set up: silent, unless `log_level` is given.

    :raises InvalidConfigError: for a level where the process has a logger already, or has run without one.
    """
    if log_level is not None and (is_logging_initialized() or _kept):
        problem = "NautilusTrader's logger is set up once in a process, and was; run this in a process of its own"
        raise InvalidConfigError("engine_params.log_level", log_level, problem)
    logging = LoggingConfig(bypass_logging=True) if log_level is None else LoggingConfig(log_level=log_level)
    return BacktestEngineConfig(
        trader_id=_TRADER,
        logging=logging,
        risk_engine=RiskEngineConfig(max_order_submit_rate=_RATE, max_order_modify_rate=_RATE),
        run_analysis=False,
    )


def _analyses(engine: Any, venue: str) -> dict[str, Any]:
    """Return what NautilusTrader's portfolio analyzer says of the trader's positions."""
    analyzer, cache = engine.portfolio.analyzer, engine.cache
    account = cache.account_for_venue(Venue(venue))
    if account is None:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # statistics of few numbers
        analyzer.calculate_statistics(account, [*cache.positions(), *cache.position_snapshots()])
        found = {
            "pnls": {one.code: analyzer.get_performance_stats_pnls(one) for one in analyzer.currencies},
            "returns": analyzer.get_performance_stats_returns(),
            "general": analyzer.get_performance_stats_general(),
        }
    return {name: plain(value) for name, value in found.items()}
