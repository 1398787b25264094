"""One run of a scenario on a simulator, step by step, for whichever engine turns the wheel.

The tape is read row by row, so memory does not grow with it. After each row the run can be left and gone on with: a
checkpoint then holds the simulator, the strategy, and how far the tape was read.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Self, TypeVar, cast

import msgspec

from seatrial.clock import NANOS_PER_SECOND, iso
from seatrial.contracts._text import said
from seatrial.contracts.market import Bar, Instrument
from seatrial.data.tape import has_bars, open_tape, sample_instruments
from seatrial.engine.context import Context
from seatrial.engine.loading import build, built_on
from seatrial.engine.places import place_of
from seatrial.engine.progress import Digest, Origin, Progress, check_same, read_again, stored_progress
from seatrial.engine.recording import Recorder, run_record
from seatrial.engine.script import Script
from seatrial.engine.strategy import Strategy
from seatrial.errors import InvalidConfigError, StrategyError
from seatrial.gate.keeping import as_state
from seatrial.gate.queue import NEVER
from seatrial.store.checkpoints import CheckpointManager
from seatrial.venue.simulator import ExecutionSimulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from seatrial.contracts.checkpoint import ExecutionCheckpoint
    from seatrial.contracts.engine import EngineInfo, RunMonitor, RunRecord
    from seatrial.contracts.events import Event
    from seatrial.contracts.market import MarketEvent
    from seatrial.contracts.orders import Order
    from seatrial.contracts.scenario import Scenario
    from seatrial.data.tape import OpenTape
    from seatrial.plugins import Plugins

__all__ = ["Run", "open_scenario", "steps_of", "traded"]


_INTERRUPTED = "it was interrupted"


S = TypeVar("S", bound=ExecutionSimulator)


class Run(Generic[S]):
    """One run of one scenario: the engine takes its :meth:`steps`, lets the market and then everybody have each."""

    def __init__(
        self,
        scenario: Scenario,
        engine: EngineInfo,
        plugins: Plugins,
        directory: str | None,
        monitor: RunMonitor | None,
        *,
        simulator: type[S],
    ) -> None:
        """Open the tape, the account and the strategy; checkpoints go into `directory`.

        :raises SeatrialError: for a scenario that cannot be run, naming what is wrong.
        """
        execution = scenario.execution
        every = execution.checkpoint_every
        if every != "never" and directory is None:
            raise InvalidConfigError("checkpoint_every", every, "give a directory for the checkpoints")
        if every == "bar" and not has_bars(scenario.tape):
            raise InvalidConfigError("checkpoint_every", every, "the tape has no bars; give 'event' or whole seconds")
        self.tape, instruments = open_scenario(scenario)
        self._scenario = scenario
        self._engine = engine
        self._monitor = monitor
        self._stopped: str | None = None
        self.instruments = instruments
        """What was declared, or trades on the sample; none at all where any symbol trades."""
        fresh = simulator(
            initial_cash=execution.initial_cash,
            latency_config=execution.latency,
            risk_config=execution.risk,
            simulator_id=execution.simulator_id,
            seed=execution.seed,
            instruments=instruments,
            venue_config=execution.venue,
            observers=execution.observers,
            plugins=plugins,
        )
        self._manager = CheckpointManager(directory) if directory is not None else None
        self._saved: list[str] = []
        self._resumed: Progress | None = None
        self.simulator = fresh
        """What the run happens on."""
        if scenario.resume_from is not None:
            checkpoint = _stored(scenario.resume_from)
            check_same(scenario.resume_from, checkpoint.config, fresh.config)
            self.simulator = cast("S", simulator.from_checkpoint(checkpoint, plugins=plugins))
            self._resumed = stored_progress(checkpoint, scenario.resume_from, scenario, self._origin)
        progress = self._resumed
        strategy = scenario.strategy
        self._strategy: Any = None if strategy is None else build(strategy.path, strategy.params)
        strategy_id = "S" if strategy is None else strategy.strategy_id
        self._context = Context(self.simulator, strategy_id, progress.sent if progress else 0)
        self._script = Script(scenario.script, progress.scripted if progress else 0)
        self._recorder = Recorder(self.simulator, progress.recorder if progress else None)
        self._read = Digest()
        self._warnings = [] if progress is None else list(progress.warnings)
        if progress is not None:
            self._hand_back(progress.strategy)
        self.simulator.add_listener(self._recorder.hear)
        if self._has("on_order"):
            self.simulator.add_listener(self._tell)
        self._started = None if progress is None else progress.started
        self._due: int | None = None
        self._events = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._manager is not None:
            self._manager.close()

    @cached_property
    def _origin(self) -> Origin:
        return Origin.of(self._scenario, self._engine.name)

    def _progress(self) -> Progress:
        """Return what a checkpoint keeps beside the simulator."""
        path = "" if self._scenario.strategy is None else self._scenario.strategy.path
        return Progress(
            started=self._started or 0,
            sent=self._context.sent,
            scripted=self._script.done,
            recorder=self._recorder.snapshot(),
            strategy=as_state("strategy", path, self._call("save_state")),
            origin=self._origin,
            read=str(self._read),
            told=str(self._script.told),
            warnings=tuple(self._warnings),
        )

    def steps(self) -> Iterator[tuple[MarketEvent, ...]]:
        """Yield the tape to its end or to the time to stop: single rows, and bars that end together as one step.

        :raises CheckpointError: for a run that is resumed, where the tape does not begin as it did.
        """
        stop, path, tape = self._scenario.stop, self._scenario.resume_from, iter(self.tape)
        if path is not None and self._resumed is not None:
            self._read = read_again(tape, self._scenario.tape, path, self._resumed)
        self.simulator.resume()
        self._due = self._next_checkpoint(self.simulator.now)
        self._events = len(self.simulator.events)
        for rows in steps_of(tape):
            if stop is not None and rows[-1].ts > stop:
                self._stopped = "the time to stop was reached"
                return
            yield rows

    def meet(self, rows: tuple[MarketEvent, ...]) -> None:
        """Let a step of the tape happen, and before it everything that is due."""
        if self._started is None:
            self._started = _begin(rows[0])
            self.simulator.advance(self._started)
            self._call("on_start", self._context)
        self._script.until(rows[-1].ts, self.simulator)
        if len(rows) == 1:
            self.simulator.process(rows[0])
        else:
            self.simulator.process_bars([row for row in rows if isinstance(row, Bar)])

    def tell(self, rows: tuple[MarketEvent, ...]) -> bool:
        """Let strategy and monitor hear of a step that has happened; return whether the run goes on."""
        simulator, recorder = self.simulator, self._recorder
        recorder.row(simulator.now, len(rows))
        if self._manager is not None:
            for row in rows:
                self._read.add(row)
        for row in rows:
            self._call("on_market", self._context, row)
        if self._due is not None and self._is_due(self._due, rows, self._events):
            self._save()
            self._due, self._events = self._next_checkpoint(simulator.now), len(simulator.events)
        if self._monitor is not None and not self._monitor.row(rows[-1], recorder.rows):
            self._stopped = _INTERRUPTED
        return self._stopped is None

    def finish(self) -> None:
        """End after the last step: the strategy hears of it, and what is under way arrives; or all of it is kept."""
        if self._stopped != _INTERRUPTED:
            self._finish(self._scenario.stop)
        elif self._manager is not None:
            self._save()

    def record(self, analyses: dict[str, Any] | None = None) -> RunRecord:
        """Return what happened, with what the engine's own `analyses` found."""
        simulator = self.simulator
        return run_record(
            self._scenario,
            self._engine,
            simulator.gate,
            simulator.account,
            self._recorder,
            tape=self.tape,
            started=self._started,
            stopped=self._stopped,
            dropped=simulator.dropped_observers,
            checkpoints=self._saved,
            warnings=self._warnings,
            analyses=analyses,
        )

    # -- inside ----------------------------------------------------------------------------------------------------

    def _finish(self, stop: int | None) -> None:
        """Let the strategy end, and everything under way arrive."""
        simulator = self.simulator
        end = stop if stop is not None else NEVER
        self._script.until(end, simulator)
        if self._started is not None:
            self._call("on_stop", self._context)
        while (due := simulator.gate.wire.next_due()) != NEVER and due <= end:
            simulator.advance(due)
        if stop is not None and stop > simulator.now:
            simulator.advance(stop)

    def _tell(self, event: Event, order: Order | None) -> None:  # noqa: ARG002 - a listener's signature
        self._call("on_order", self._context, event)

    def _hand_back(self, state: Any) -> None:
        """Give a strategy back what it wanted kept, and note where it keeps nothing.

        :raises StrategyError: where it has no way to take its state back, or fails to.
        """
        if self._strategy is None:
            return
        if state is not None and not self._has("load_state"):
            path = self._scenario.strategy.path if self._scenario.strategy is not None else ""
            raise StrategyError(
                path, "it has a state in the checkpoint, but no load_state(value) to take it back; add it"
            )
        if getattr(self._strategy.__class__, "save_state", None) in {None, Strategy.save_state}:
            when = iso(self.simulator.now)
            self._warnings.append(
                f"the strategy keeps no state, so it began anew at {when}; give it save_state() and load_state(value)"
            )
        self._call("load_state", state)

    def _has(self, method: str) -> bool:
        return self._strategy is not None and callable(getattr(self._strategy, method, None))

    def _call(self, method: str, *arguments: Any) -> Any:
        """Call a part of the strategy, if it has it.

        :raises StrategyError: naming the part, and the line, where it raises.
        """
        if not self._has(method):
            return None
        call: Callable[..., Any] = getattr(self._strategy, method)
        try:
            return call(*arguments)
        except StrategyError:
            raise
        except Exception as error:  # whatever a stranger's code raises becomes an error of ours
            raise self._failed(method, error) from error

    def _failed(self, method: str, error: Exception) -> StrategyError:
        path = "" if self._scenario.strategy is None else self._scenario.strategy.path
        place = place_of(error)
        where = f", {place}" if place else ""
        problem = f"{method} failed at {iso(self.simulator.now)}{where} ({said(error)})"
        return StrategyError(path, problem + built_on(self._strategy.__class__))

    def _next_checkpoint(self, now: int) -> int | None:
        """Return when the next checkpoint is due, 0 for one that waits for something else, `None` for never."""
        every = self._scenario.execution.checkpoint_every
        if every == "never":
            return None
        return now + every * NANOS_PER_SECOND if isinstance(every, int) else 0

    def _is_due(self, due: int, rows: tuple[MarketEvent, ...], events: int) -> bool:
        every = self._scenario.execution.checkpoint_every
        if every == "event":
            return len(self.simulator.events) > events
        return isinstance(rows[0], Bar) if every == "bar" else self.simulator.now >= due

    def _save(self) -> None:
        if self._manager is not None:
            checkpoint = self._manager.create_checkpoint(
                self.simulator, _Kept(msgspec.Raw(msgspec.json.encode(self._progress())))
            )
            self._saved.append(str(self._manager.save_checkpoint(checkpoint)))


class _Kept(NamedTuple):
    """What is kept of a run, in the place of a strategy."""

    state: msgspec.Raw

    def save_state(self) -> msgspec.Raw:
        """Return it."""
        return self.state


def open_scenario(scenario: Scenario) -> tuple[OpenTape, tuple[Instrument, ...]]:
    """Return a scenario's tape and its instruments: those declared, or what trades on its sample.

    :raises SeatrialError: for a tape that cannot be read.
    """
    instruments = scenario.instruments or (sample_instruments(scenario.tape.sample) if scenario.tape.sample else ())
    return open_tape(scenario.tape, instruments), instruments


def traded(tape: OpenTape, instruments: Iterable[Instrument]) -> dict[str, Instrument]:
    """Return what trades by symbol: what was declared, else, after reading it once, all that the tape shows."""
    known = {one.symbol: one for one in instruments}
    return known or {symbol: Instrument(symbol=symbol) for symbol in dict.fromkeys(row.symbol for row in tape)}


def steps_of(rows: Iterable[MarketEvent]) -> Iterator[tuple[MarketEvent, ...]]:
    """Yield single rows, and bars of several symbols that end together as one step."""
    held: list[Bar] = []
    for row in rows:
        together = (
            isinstance(row, Bar) and held and row.ts == held[0].ts and row.symbol not in {one.symbol for one in held}
        )
        if held and not together:
            yield tuple(held)
            held = []
        if isinstance(row, Bar):
            held.append(row)
        else:
            yield (row,)
    if held:
        yield tuple(held)


def _begin(row: MarketEvent) -> int:
    return row.start if isinstance(row, Bar) and row.start is not None else row.ts


def _stored(path: str) -> ExecutionCheckpoint:
    with CheckpointManager(Path(path).parent.parent) as manager:
        return manager.load_checkpoint(Path(path))
