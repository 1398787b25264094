"""The execution simulator: the gate before the simulated venue, driven by market data."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

import msgspec
from msgspec.structs import replace

from seatrial.clock import to_ns
from seatrial.contracts._expect import expect
from seatrial.contracts.checkpoint import NOTHING, AccountSummary, ExecutionCheckpoint, ObserverChoice, SimulatorConfig
from seatrial.contracts.events import Event, OrderChange
from seatrial.contracts.latency import LATENCY_INSTANT, LatencyConfig
from seatrial.contracts.terms import TradingState
from seatrial.contracts.venue import FeeSchedule, VenueConfig
from seatrial.errors import CheckpointError, InvalidConfigError, SeatrialError
from seatrial.gate.account import Account
from seatrial.gate.client import Listener
from seatrial.gate.gate import ExecutionGate
from seatrial.gate.instruments import Instruments
from seatrial.gate.keeping import as_json, save_state
from seatrial.gate.observers import Observers, ObserversState
from seatrial.gate.rules import rule_name, storable, with_objects
from seatrial.gate.state import GateState
from seatrial.venue.driver import Cancel, Driver, Modify, Submit, Switch, Unfinished
from seatrial.venue.settings import (
    as_amount,
    can_store,
    check_settings,
    check_storable,
    chosen_observers,
    open_observer,
    restored_latency,
)
from seatrial.venue.simulated import SimulatedVenue
from seatrial.venue.state import VenueState, load_venue, save_venue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.clock import Timestamp
    from seatrial.contracts.account import AccountView, Mark
    from seatrial.contracts.market import Instrument
    from seatrial.contracts.orders import Order
    from seatrial.contracts.plugin import Observer
    from seatrial.contracts.risk import RiskConfig
    from seatrial.plugins import Plugins

__all__ = ["ExecutionSimulator"]


class EngineState(msgspec.Struct, frozen=True):
    """What lies beneath the gate, as stored, and what the call under way has still to do."""

    venue: VenueState
    unfinished: Unfinished | None


class ExecutionSimulator(Driver):
    """Orders in, market data in, executions out, each when it would have been known.

    What can be read here is the client's view: it changes when a report arrives, not when the venue matches. Times are
    aware datetimes or int UNIX ns UTC and never go backwards. Whatever is due before a call's time happens first, in
    time order, each at its own time.
    """

    _venue_type: ClassVar[type[SimulatedVenue]] = SimulatedVenue
    """What opens the venue behind the gate."""

    def __init__(
        self,
        *,
        initial_cash: Decimal | int,
        slippage_bps: Decimal | int | None = None,
        commission_per_share: Decimal | int | None = None,
        latency_config: LatencyConfig = LATENCY_INSTANT,
        risk_config: RiskConfig | None = None,
        simulator_id: str = "sim",
        seed: int = 0,
        instruments: Iterable[Instrument] = (),
        venue_config: VenueConfig | None = None,
        observers: Iterable[str | Observer] = (),
        plugins: Plugins | None = None,
    ) -> None:
        """Open an account.

        `initial_cash` is in currency, `slippage_bps` in basis points, `commission_per_share` in currency per unit; the
        latter two override `venue_config`. `risk_config` limits what leaves. Without `instruments` any symbol trades,
        on a free price grid.
        `observers` are names that plugins offer, or objects with a `notify` of their own; they hear everything. What is
        named is looked up in `plugins`, the installed ones unless given.

        :raises InvalidConfigError: naming the setting that cannot be used.
        """
        check_settings(latency_config, venue_config, risk_config, seed, simulator_id)
        config = VenueConfig() if venue_config is None else venue_config
        if slippage_bps is not None:
            config = replace(config, slippage_bps=as_amount("slippage_bps", slippage_bps))
        if commission_per_share is not None:
            per_share = as_amount("commission_per_share", commission_per_share)
            if not isinstance(config.fees, FeeSchedule):
                raise InvalidConfigError("commission_per_share", per_share, "venue_config names a fee model; give one")
            config = replace(config, fees=replace(config.fees, per_share=per_share))
        cash = as_amount("initial_cash", initial_cash)
        known = Instruments(instruments)
        self.simulator_id = simulator_id
        self.seed = seed
        self.latency_config = latency_config
        self.venue_config = config
        self.risk_config = risk_config
        self.initial_cash = cash
        self._account = Account(cash, known)
        venue = self._venue_type(cash, config, known, plugins)
        gate = ExecutionGate(
            venue,
            latency=latency_config,
            risk=risk_config,
            seed=seed,
            simulator_id=simulator_id,
            instruments=known,
            account=self._account,
            plugins=plugins,
        )
        gate.client.reported = []
        venue.connect(gate)
        super().__init__(gate, venue, known)
        if isinstance(observers, str) or not hasattr(observers, "__iter__"):
            raise InvalidConfigError("observers", observers, "give a tuple of names, for example ('tally',)")
        opened = [(one, open_observer(one, plugins)) for one in observers]
        self._observing = tuple([ObserverChoice(pair[0], not isinstance(one, str)) for one, pair in opened])
        self._observers = Observers(pair for _, pair in opened)
        if self._observers:
            self.gate.add_listener(self._observers)

    # -- what can be read ------------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The time reached, UNIX ns UTC."""
        return self.gate.now

    @property
    def account(self) -> AccountView:
        """The account as reported: what strategies and rules read."""
        return self._account

    @property
    def cash(self) -> Decimal:
        """Cash as reported, in currency."""
        return self._account.cash

    @property
    def positions(self) -> Mapping[str, Decimal]:
        """Signed units by symbol, as reported; a flat symbol is absent. A live, read-only view."""
        return self._account.positions

    @property
    def pending_orders(self) -> Mapping[str, Order]:
        """Orders that have not ended, in flight ones included, by id. A live, read-only view."""
        return self.gate.pending_orders

    @property
    def completed_orders(self) -> Mapping[str, Order]:
        """Orders that have ended, by id. A live, read-only view."""
        return self.gate.completed_orders

    @property
    def events(self) -> Sequence[Event]:
        """Everything the client did or was told, in order."""
        return self.gate.events

    @property
    def dropped_observers(self) -> Mapping[str, Exception]:
        """The observers that failed in this run, and with what. A live, read-only view."""
        return self._observers.dropped

    @property
    def trading_state(self) -> TradingState:
        """What the gate lets out at present."""
        return self.gate.trading_state

    def get_order(self, order_id: str) -> Order:
        """Return an order as the client knows it.

        :raises UnknownOrderError: for an id that was never submitted.
        """
        return self.gate.get_order(order_id)

    def get_account_value(self) -> Decimal:
        """Return reported cash plus reported positions at their marks, in currency."""
        return self._account.equity

    def last_mark(self, symbol: str) -> Mark | None:
        """Return a symbol's latest price with its time: quote mid, else trade, else bar close; `None` before any."""
        return self._account.last_mark(symbol)

    def add_listener(self, listener: Listener) -> None:
        """Let `listener(event, order)` hear every event from now on; it may submit, modify and cancel."""
        self.gate.add_listener(listener)

    @property
    def config(self) -> SimulatorConfig:
        """Everything this simulator was opened with, as a checkpoint keeps it."""
        return SimulatorConfig(
            simulator_id=self.simulator_id,
            seed=self.seed,
            initial_cash=self.initial_cash,
            latency=self.latency_config if can_store(self.latency_config) else None,
            venue=self.venue_config,
            risk=None if self.risk_config is None else storable(self.risk_config),
            instruments=self._instruments.declared,
            observers=self._observing,
        )

    def account_summary(self) -> AccountSummary:
        """Return the account as reported, frozen."""
        return AccountSummary(
            initial_cash=self.initial_cash,
            cash=self.cash,
            equity=self.get_account_value(),
            positions=dict(self.positions),
            trading_state=self.trading_state,
        )

    # -- checkpoints -----------------------------------------------------------------------------------------------

    def snapshot(self, strategy: object = None) -> ExecutionCheckpoint:
        """Return everything this session is made of, with what `strategy.save_state()` returns where one is given.

        It may be taken at any time, also by a listener: then the event being heard counts as heard by everybody, so add
        the one that takes snapshots last. What the call under way has still to do is part of it.

        :raises InvalidConfigError: for a state that is no JSON value.
        """
        client = self.gate.client
        if strategy is not None and not callable(getattr(strategy, "save_state", None)):
            raise InvalidConfigError("strategy", strategy, "it has no save_state(), so nothing of it would be kept")
        check_storable(self.venue_config, self._instruments.declared)
        engine = EngineState(save_venue(self.venue, client.completed), self._unfinished)
        return ExecutionCheckpoint(
            simulator_id=self.simulator_id,
            timestamp=self.now,
            config=self.config,
            account=self.account_summary(),
            pending=tuple(client.pending.values()),
            completed=tuple(client.completed.values()),
            originals=tuple(client.originals.values()),
            events=tuple(client.events),
            gate=as_json(self.gate.snapshot()),
            engine=as_json(engine),
            observers=as_json(self._observers.snapshot()),
            strategy=save_state("strategy", type(strategy).__name__, strategy) or NOTHING,
        )

    @classmethod
    def from_checkpoint(
        cls,
        checkpoint: ExecutionCheckpoint,
        *,
        rules: Iterable[object] = (),
        observers: Iterable[Observer] = (),
        latency_config: LatencyConfig | None = None,
        plugins: Plugins | None = None,
    ) -> ExecutionSimulator:
        """Return a new simulator that goes on where the checkpoint was taken, to the byte.

        What was handed over as an object is in no checkpoint, and has to be handed over again: `rules`, `observers`, a
        `latency_config` with distributions of the user's own. Listeners have to be added again.

        :raises InvalidConfigError: naming what is missing, or does not fit.
        :raises CheckpointError: for a state that cannot be read.
        """
        expect("checkpoint", checkpoint, ExecutionCheckpoint, "an ExecutionCheckpoint, as load_checkpoint returns")
        config = checkpoint.config
        for setting, given in (("rules", rules), ("observers", observers)):
            expect(setting, given, Iterable, "a tuple of the objects that the checkpoint could not hold")
        if config.risk is None and tuple(rules):
            name = rule_name(next(iter(rules)))
            raise InvalidConfigError("rules", name, "the checkpoint is of a session without risk_config")
        latency = restored_latency(config.latency, latency_config)
        simulator = cls(
            initial_cash=config.initial_cash,
            latency_config=latency,
            risk_config=None if config.risk is None else with_objects(config.risk, rules),
            simulator_id=config.simulator_id,
            seed=config.seed,
            instruments=config.instruments,
            venue_config=config.venue,
            observers=chosen_observers(config.observers, observers),
            plugins=plugins,
        )
        try:
            gate = msgspec.json.decode(checkpoint.gate, type=GateState)
            engine = msgspec.json.decode(checkpoint.engine, type=EngineState)
            watching = msgspec.json.decode(checkpoint.observers, type=ObserversState)
        except msgspec.DecodeError as error:
            raise CheckpointError(checkpoint.simulator_id, f"its state cannot be read ({error})") from None
        try:
            simulator._become(checkpoint, gate, engine, watching)
        except SeatrialError:
            raise
        except (LookupError, ValueError, ArithmeticError) as error:
            problem = f"its parts do not fit together ({type(error).__name__}: {error})"
            raise CheckpointError(checkpoint.simulator_id, problem) from error
        return simulator

    def _become(
        self, checkpoint: ExecutionCheckpoint, gate: GateState, engine: EngineState, watching: ObserversState
    ) -> None:
        client = self.gate.client
        client.pending.update({order.order_id: order for order in checkpoint.pending})
        client.completed.update({order.order_id: order for order in checkpoint.completed})
        client.originals.update({order.order_id: order for order in checkpoint.originals})
        client.events += checkpoint.events
        self.gate.restore(gate)
        load_venue(self.venue, engine.venue, client.pending, client.completed)
        self._observers.restore(watching)
        self._unfinished = engine.unfinished
        self._restored = True

    # -- orders ----------------------------------------------------------------------------------------------------

    def submit_order(self, order: Order, timestamp: Timestamp) -> Order:
        """Send a new order at `timestamp`; return it as it then stands. A refusal comes back on the order."""
        gate = self.gate
        if timestamp == gate.now and type(timestamp) is int and not self._restored:
            return gate.submit(order, timestamp)
        now = to_ns(timestamp)
        self._reach(now, Submit((order,), now))
        return gate.submit(order, now)

    def submit_bracket(self, entry: Order, *exits: Order, timestamp: Timestamp) -> tuple[Order, ...]:
        """Send an entry and its exits as one message; the exits wait until the entry completes."""
        now = to_ns(timestamp)
        self._reach(now, Submit((entry, *exits), now))
        return self.gate.submit_bracket(entry, *exits, now=now)

    def cancel_order(self, order_id: str, timestamp: Timestamp) -> Order:
        """Ask to end an order; it may still fill until the venue has the cancel.

        :raises UnknownOrderError: for an id that was never submitted.
        """
        now = to_ns(timestamp)
        self._reach(now, Cancel(order_id, now))
        return self.gate.cancel(order_id, now)

    def modify_order(
        self,
        order_id: str,
        timestamp: Timestamp,
        *,
        quantity: Decimal | None = None,
        limit_price: Decimal | None = None,
        stop_price: Decimal | None = None,
        trail_amount: Decimal | None = None,
        trail_percent: Decimal | None = None,
    ) -> Order:
        """Ask to change a working order; the old terms hold until the new ones are reported.

        :raises UnknownOrderError: for an id that was never submitted.
        :raises InvalidOrderError: when the new terms contradict each other, or nothing changes.
        """
        change = OrderChange(
            quantity=quantity,
            limit_price=limit_price,
            stop_price=stop_price,
            trail_amount=trail_amount,
            trail_percent=trail_percent,
        )
        now = to_ns(timestamp)
        self._reach(now, Modify(order_id, change, now))
        return self.gate.modify(order_id, change, now)

    def disable_trading(
        self, by: str, reason: str, timestamp: Timestamp | None = None, *, cancel_working: bool = True
    ) -> None:
        """Halt at `timestamp` (now unless given): nothing leaves but cancels, and working orders are cancelled."""
        self._switch(TradingState.HALTED, by, reason, timestamp, cancel_working=cancel_working)

    def restrict_trading(
        self, by: str, reason: str, timestamp: Timestamp | None = None, *, cancel_working: bool = False
    ) -> None:
        """Let only orders out that provably reduce a position, from `timestamp` (now unless given) on."""
        self._switch(TradingState.REDUCE_ONLY, by, reason, timestamp, cancel_working=cancel_working)

    def enable_trading(self, by: str, reason: str, timestamp: Timestamp | None = None) -> None:
        """Let orders out again from `timestamp` (now unless given) on, and release what rules have latched."""
        self._switch(TradingState.ACTIVE, by, reason, timestamp, cancel_working=False)

    def _switch(
        self, state: TradingState, by: str, reason: str, timestamp: Timestamp | None, *, cancel_working: bool
    ) -> None:
        if timestamp is None and self._restored:
            self.resume()  # which may move the time that is meant
        now = self.now if timestamp is None else to_ns(timestamp)
        self._reach(now, Switch(state, by, reason, now, cancel_working))
        self.gate.switch(state, by, reason, now, cancel_working=cancel_working)
