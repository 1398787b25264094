"""The record of a run of the drop-in broker: what summaries, tables and pictures are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from seatrial.contracts.account import Mark
from seatrial.contracts.scenario import ExecutionConfig, Scenario, StrategyRef, Tape
from seatrial.contracts.venue import VenueConfig
from seatrial.engine.recording import Recorder, RecorderState, run_record
from seatrial_backtrader.analyses import analyses_of
from seatrial_backtrader.claims import BACKTRADER
from seatrial_backtrader.opening import instruments_of
from seatrial_backtrader.stamps import exact, span, stamp_of, to_ns
from seatrial_backtrader.state import Seen

if TYPE_CHECKING:
    from seatrial.contracts.account import AccountView
    from seatrial.contracts.engine import RunRecord
    from seatrial.contracts.events import Event
    from seatrial.contracts.orders import Order
    from seatrial.engine.context import OrderTarget
    from seatrial_backtrader.broker import SeatrialBroker

__all__ = ["Logbook"]


class Logbook:
    """Follows one run of one broker, bar by bar."""

    def __init__(self, broker: SeatrialBroker) -> None:
        """Hear of everything from now on."""
        self._broker = broker
        self._marks: dict[str, Mark] = {}
        self._started: int | None = None
        self._recorder = Recorder(cast("OrderTarget", self))
        broker._standing().add_listener(self._hear)

    def _hear(self, event: Event, order: Order | None) -> None:
        self._recorder.hear(event, order)

    # -- what the recorder looks at --------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The time reached, in UNIX ns UTC."""
        return self._broker._now()

    @property
    def account(self) -> AccountView:
        """The account as reported."""
        return cast("AccountView", self._broker._account)

    def last_mark(self, symbol: str) -> Mark | None:
        """Return a symbol's latest close with its time."""
        return self._marks.get(symbol)

    # -- the run ---------------------------------------------------------------------------------------------------

    def row(self) -> None:
        """Note the bars that are new, and what the account is worth by them."""
        new = 0
        for symbol, data in self._broker._names.datas.items():
            stamp = stamp_of(data)
            known = self._marks.get(symbol)
            if stamp is None or (known is not None and known.timestamp >= to_ns(stamp)):
                continue
            if self._started is None:
                self._started = span(data)[0]
            new += 1
            close = data.close[0]
            if close == close:  # noqa: PLR0124 - a NaN is no price
                self._marks[symbol] = Mark(exact(close), to_ns(stamp))
        if new:
            self._recorder.row(self.now, new)

    def snapshot(self) -> RecorderState:
        """Return everything noted so far."""
        return self._recorder.snapshot()

    def seen(self) -> Seen:
        """Return which bars were noted so far."""
        return Seen(self._started, dict(self._marks))

    def restore(self, state: RecorderState, seen: Seen | None) -> None:
        """Go on from what was noted before, by the bars `seen`, which older checkpoints have not."""
        self._recorder = Recorder(cast("OrderTarget", self), state)
        if seen is not None:
            self._started, self._marks = seen.started, dict(seen.marks)

    def record(self) -> RunRecord:
        """Return what has happened so far, with what Backtrader's analyzers found."""
        broker = self._broker
        recovery = broker.recovery
        return run_record(
            _scenario(broker),
            BACKTRADER,
            broker._standing(),
            self.account,
            self._recorder,
            tape=None,
            started=self._started,
            stopped=None,
            dropped=broker._observers.dropped,
            checkpoints=() if recovery is None else map(str, recovery.saved),
            analyses=_analyses(broker),
        )


def _scenario(broker: SeatrialBroker) -> Scenario:
    """Describe a run that a program of its own has made."""
    p = broker.p
    return Scenario(
        tape=Tape(feeds=tuple(broker._names.datas)),
        instruments=tuple(instruments_of(broker, broker._names)),
        strategy=_strategy(broker),
        execution=ExecutionConfig(
            simulator_id=p.simulator_id,
            seed=p.seed,
            initial_cash=broker.initial_cash,
            latency=p.latency_config,
            venue=VenueConfig(bar_theta=p.bar_theta),
            risk=p.risk_config,
            observers=tuple(one for one in p.observers if isinstance(one, str)),
            checkpoint_every="never" if p.checkpoints is None else p.checkpoint_every or "bar",
        ),
    )


def _analyses(broker: SeatrialBroker) -> dict[str, Any]:
    """Return what the analyzers found, by name; with several strategies the name begins with the strategy's."""
    strategies = broker.cerebro.runningstrats
    prefix = "{}." if len(strategies) > 1 else ""
    return {
        prefix.format(broker._names.strategy(one)) + name: found
        for one in strategies
        for name, found in analyses_of(one).items()
    }


def _strategy(broker: SeatrialBroker) -> StrategyRef | None:
    """Name the strategy, where there is one alone, with those of its parameters that are plain values."""
    strategies = broker.cerebro.runningstrats
    if len(strategies) != 1:
        return None
    [one] = strategies
    params = {name: value for name, value in vars(one.p).items() if isinstance(value, bool | int | float | str)}
    kind = type(one)
    return StrategyRef(
        path=f"{kind.__module__}:{kind.__qualname__}", params=params, strategy_id=broker._names.strategy(one)
    )
