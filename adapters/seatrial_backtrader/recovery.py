"""Checkpoints of a broker: taken when all strategies have acted, and gone on with in another process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from seatrial.clock import NANOS_PER_SECOND
from seatrial.contracts.checkpoint import AccountSummary, ExecutionCheckpoint, ObserverChoice, SimulatorConfig
from seatrial.contracts.venue import VenueConfig
from seatrial.errors import CheckpointError, InvalidConfigError
from seatrial.gate.keeping import as_json, load_state, save_state
from seatrial.gate.observers import ObserversState
from seatrial.gate.rules import storable
from seatrial.gate.state import GateState
from seatrial.store.checkpoints import CheckpointManager
from seatrial.venue.settings import can_store, open_observer
from seatrial_backtrader.histories import skip
from seatrial_backtrader.settings import check_settings, restore_settings, settings_of
from seatrial_backtrader.stamps import reached
from seatrial_backtrader.state import BrokerState, read_broker, show, write_broker
from seatrial_backtrader.warmup import Warmup

if TYPE_CHECKING:
    from seatrial_backtrader.broker import SeatrialBroker

__all__ = ["Recovery", "check_recovery"]

_EVERY = ("never", "event", "bar")


def check_recovery(p: Any) -> None:
    """Refuse arguments that cannot be used, or not together.

    :raises InvalidConfigError: naming the argument.
    """
    every, resume = p.checkpoint_every, p.resume
    if every is not None and every not in _EVERY and (type(every) is not int or every < 1):
        raise InvalidConfigError("checkpoint_every", every, "give 'never', 'event', 'bar', or whole seconds")
    keep = p.checkpoint_keep
    if keep is not None and (type(keep) is not int or keep < 1):
        raise InvalidConfigError("checkpoint_keep", keep, "give how many of the newest to keep, or None for all")
    if every not in {None, "never"} and p.checkpoints is None:
        raise InvalidConfigError("checkpoints", None, "give a directory for the checkpoints")
    if resume is not False and resume != "latest" and not isinstance(resume, ExecutionCheckpoint):
        raise InvalidConfigError("resume", resume, "give False, 'latest', or a checkpoint that was loaded")
    if resume == "latest" and p.checkpoints is None:
        raise InvalidConfigError("checkpoints", None, "give the directory in which the latest checkpoint lies")


class Recovery:
    """Takes the checkpoints of one run of one broker, and lets the run go on from one."""

    def __init__(self, broker: SeatrialBroker) -> None:
        """Open the directory where there is one, and load what the run goes on from.

        :raises CheckpointError: for a checkpoint that cannot be believed, or is of another run.
        """
        p = broker.p
        self._broker = broker
        self._manager = None if p.checkpoints is None else CheckpointManager(p.checkpoints)
        self._every = p.checkpoint_every or ("never" if self._manager is None else "bar")
        self._due = 0
        self._events = 0
        self._watched = False
        self._acted: list[tuple[int, float | None]] = []
        self._began = settings_of(broker)
        self._warming = False
        self.saved: list[Path] = []
        """The checkpoints of this run that are kept, oldest first."""
        self._resume(p.resume, p.simulator_id)

    def _resume(self, resume: Any, simulator_id: str) -> None:
        if isinstance(resume, ExecutionCheckpoint):
            self._warm_up(resume)
        elif resume == "latest" and self._manager is not None:
            self._warm_up(self._manager.load_checkpoint(simulator_id))

    # -- taking ----------------------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Take note of each cycle's end: the last strategy has acted."""
        if self._watched or self._every == "never":
            return
        self._watched = True
        last = self._broker.cerebro.runningstrats[-1]
        for name in ("_next", "_oncepost"):
            vars(last)[name] = self._then_note(getattr(last, name))

    def _then_note(self, act: Any) -> Any:
        def call(*arguments: Any) -> None:
            act(*arguments)
            self._acted = reached(self._broker.cerebro.datas)
            self._note()

        return call

    def _note(self) -> None:
        broker = self._broker
        if self._warming or broker.gate is None:
            return
        every = self._every
        if every == "event":
            events = len(broker.gate.events)
            if events == self._events:
                return
            self._events = events
        elif isinstance(every, int):
            now = broker._now()
            if now < self._due:
                return
            self._due = now + every * NANOS_PER_SECOND
        self.save()

    def save(self) -> None:
        """Write a checkpoint of the broker as it stands, where there is a directory."""
        if self._manager is not None:
            self.saved.append(self._manager.save_checkpoint(self.snapshot()))
            keep = self._broker.p.checkpoint_keep
            if keep is not None and len(self.saved) > keep:
                self.saved.pop(0).unlink(missing_ok=True)

    def close(self) -> None:
        """End the run: what came last is kept, and others may write.

        A run that ends within a cycle, when not all strategies have acted, goes on from the checkpoint before.
        """
        if self._manager is not None:
            acted = self._acted == reached(self._broker.cerebro.datas)
            if self._every != "never" and not self._warming and acted:
                self.save()
            self._manager.close()

    def snapshot(self) -> ExecutionCheckpoint:
        """Return everything the broker is made of; take it when all strategies have acted."""
        broker = self._broker
        gate = broker._standing()
        client = gate.client
        now = broker._now()
        strategies = [
            save_state("strategy", type(one).__name__, one) or msgspec.Raw(b"null")
            for one in broker.cerebro.runningstrats
        ]
        return ExecutionCheckpoint(
            simulator_id=broker.p.simulator_id,
            timestamp=now,
            config=_config(broker),
            account=AccountSummary(
                initial_cash=broker.initial_cash,
                cash=broker._account.cash,
                equity=broker._account.equity,
                positions=dict(broker._account.positions),
                trading_state=gate.trading_state,
            ),
            pending=tuple(client.pending.values()),
            completed=tuple(client.completed.values()),
            originals=tuple(client.originals.values()),
            events=tuple(client.events),
            gate=as_json(gate.snapshot()),
            engine=as_json(write_broker(broker, now, self._began)),
            observers=as_json(broker._observers.snapshot()),
            strategy=as_json(strategies),
        )

    # -- going on --------------------------------------------------------------------------------------------------

    def _warm_up(self, checkpoint: ExecutionCheckpoint) -> None:
        broker = self._broker
        _check_same(checkpoint.config, _config(broker))
        try:
            state = msgspec.json.decode(checkpoint.engine, type=BrokerState)
            gate = msgspec.json.decode(checkpoint.gate, type=GateState)
            observers = msgspec.json.decode(checkpoint.observers, type=ObserversState)
            strategies = msgspec.json.decode(checkpoint.strategy, type=list[msgspec.Raw])
        except msgspec.DecodeError as error:
            raise CheckpointError(checkpoint.simulator_id, f"it is of no run of this broker ({error})") from None
        self._check_fit(checkpoint.simulator_id, state)
        self._warming = True
        show(broker, state.near)
        if state.far is not None and broker.venue is not None:
            show(broker.venue, state.far)

        def restore() -> None:
            client = broker._standing().client
            client.pending.update({order.order_id: order for order in checkpoint.pending})
            client.completed.update({order.order_id: order for order in checkpoint.completed})
            client.originals.update({order.order_id: order for order in checkpoint.originals})
            client.events += checkpoint.events
            if state.settings is not None:  # by which reports under way were priced
                restore_settings(broker.p.simulator_id, broker, state.settings)
            broker._standing().restore(gate)
            broker._rescale()
            broker._observers.restore(observers)
            read_broker(broker, state)
            skip(broker._book, state.histories, state.fund)
            broker._begin()  # a timer may act at the open of the next bar, before the broker's cycle
            self._events = len(client.events)
            self._due = broker._now()

        def wake() -> None:
            self._warming = False
            for strategy, kept in zip(broker.cerebro.runningstrats, strategies, strict=True):
                if bytes(kept).strip() != b"null":
                    load_state("strategy", type(strategy).__name__, strategy, kept)

        Warmup(broker, state, restore, wake)

    def _check_fit(self, simulator_id: str, state: BrokerState) -> None:
        """Refuse a state that this broker cannot go on from.

        :raises CheckpointError: naming what differs.
        """
        broker = self._broker
        if state.began is not None:
            check_settings(simulator_id, state.began, self._began)
        if (state.far is None) != (broker.venue is None):
            raise CheckpointError(simulator_id, "it has another number of ledgers; resume with the same arguments")
        if broker.logbook is not None and state.record is None:
            raise CheckpointError(simulator_id, "it was taken without record=True; resume without it")
        feeds = tuple(broker._names.datas)
        if state.feeds != feeds:
            problem = f"it has the feeds {', '.join(state.feeds)}, this run {', '.join(feeds)}; give the same, in order"
            raise CheckpointError(simulator_id, problem)


def _config(broker: SeatrialBroker) -> SimulatorConfig:
    p = broker.p
    observers = [ObserverChoice(open_observer(one, p.plugins)[0], not isinstance(one, str)) for one in p.observers]
    return SimulatorConfig(
        simulator_id=p.simulator_id,
        seed=p.seed,
        initial_cash=broker.initial_cash,
        latency=p.latency_config if can_store(p.latency_config) else None,
        venue=VenueConfig(bar_theta=p.bar_theta),
        risk=None if p.risk_config is None else storable(p.risk_config),
        observers=tuple(observers),
    )


def _check_same(stored: SimulatorConfig, fresh: SimulatorConfig) -> None:
    """Refuse to go on under other settings than the run began with.

    :raises CheckpointError: naming the first that differs.
    """
    for field in fresh.__struct_fields__:
        before, now = getattr(stored, field), getattr(fresh, field)
        if before != now:
            problem = f"the run began with {field}={before!r}, not {now!r}; resume it as it began"
            raise CheckpointError(stored.simulator_id, problem)
