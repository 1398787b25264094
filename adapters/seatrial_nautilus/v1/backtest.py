"""The gate in a backtest: an execution client in the stock one's place, and a module that sees each datum first.

The stock venue goes on watching the market without a single order; orders rest in the private world behind the gate. A
message arrives at its own time, between two data too, by an alert on the engine's clock; what is due with a datum comes
before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from nautilus_trader.backtest.config import SimulationModuleConfig
from nautilus_trader.backtest.modules import SimulationModule
from nautilus_trader.execution.client import ExecutionClient
from nautilus_trader.model.data import InstrumentClose
from nautilus_trader.model.identifiers import AccountId, ClientId

from seatrial.clock import iso
from seatrial.contracts.latency import LATENCY_INSTANT, LatencyConfig
from seatrial.contracts.risk import RiskConfig
from seatrial.errors import CheckpointError, InvalidConfigError
from seatrial.gate.queue import NEVER
from seatrial_nautilus.v1.backlog import MANY
from seatrial_nautilus.v1.checkpoint import restore
from seatrial_nautilus.v1.options import copied_options, refuse
from seatrial_nautilus.v1.rounds import Peers, run_until
from seatrial_nautilus.v1.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.contracts.checkpoint import ExecutionCheckpoint
    from seatrial.plugins import Plugins

__all__ = ["SeatrialBacktestClient", "SeatrialModule", "SeatrialModuleConfig", "attach", "attach_module", "attach_node"]

_FIRST = 100
"""The priority at which the gate hears that an order was denied: before every strategy."""
_WAITING: WeakValueDictionary[int, Any] = WeakValueDictionary()
"""The modules that a node has built from its configuration, and nobody has attached yet.

NautilusTrader takes two modules for equal whose names are; so each has its own `id` here.
"""
_PEERS: WeakValueDictionary[Any, Peers] = WeakValueDictionary()
"""The clients of each engine, by its instance id."""


class SeatrialModuleConfig(SimulationModuleConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):  # type: ignore[call-arg]  # msgspec's
    """How orders of one venue are executed; see :func:`attach` for what the settings mean."""

    latency: LatencyConfig = LATENCY_INSTANT
    risk: RiskConfig | None = None
    simulator_id: str = "sim"
    seed: int = 0


class SeatrialModule(SimulationModule):
    """Sees each datum before the stock venue does, and each moment after the strategies have acted."""

    def __init__(self, config: SeatrialModuleConfig | None = None) -> None:
        """Wait to be attached."""
        super().__init__(config or SeatrialModuleConfig())
        self.settings = config or SeatrialModuleConfig()
        self.client: SeatrialBacktestClient | None = None

    def register_venue(self, exchange: Any) -> None:
        """Hear which venue this is."""
        super().register_venue(exchange)
        _WAITING[id(self)] = self

    def pre_process(self, data: Any) -> None:
        """Deliver what is due, then show the private venue the datum."""
        if self.client is None:
            problem = "its orders would bypass the gate; call attach_node(node) between node.build() and node.run()"
            raise InvalidConfigError("module", type(self).__name__, problem)
        self.client.on_datum(data)

    def process(self, ts_now: int) -> None:
        """Deliver what is due now."""
        if self.client is not None:
            self.client.on_moment(ts_now)

    def sleep(self, keep: Callable[[Any], None], pass_by: Callable[[int], None]) -> None:
        """Let `keep` take the data and `pass_by` the moments, until somebody wakes this module."""
        self.pre_process, self.process = keep, pass_by  # type: ignore[method-assign,assignment]

    def wake(self) -> None:
        """Look at data and moments again."""
        self.__dict__.pop("pre_process", None)
        self.__dict__.pop("process", None)

    def log_diagnostics(self, logger: Any) -> None:
        """Say nothing."""

    def reset(self) -> None:
        """Refuse: a session has one life.

        :raises InvalidConfigError: always, once the venue was attached.
        """
        if self.client is not None:
            problem = "an attached engine cannot be reset; build a new one for another run"
            raise InvalidConfigError("engine", "reset", problem)


class SeatrialBacktestClient(ExecutionClient):
    """Takes the place of the stock execution client of one venue."""

    def __init__(
        self,
        kernel: Any,
        module: SeatrialModule,
        session_options: Mapping[str, Any],
        resume_from: ExecutionCheckpoint | None = None,
    ) -> None:
        """Stand before the venue that `module` was added to."""
        stock = module.exchange
        super().__init__(
            client_id=ClientId(stock.id.value),
            venue=stock.id,
            oms_type=stock.oms_type,
            account_type=stock.account_type,
            base_currency=stock.base_currency,
            msgbus=kernel.msgbus,
            cache=kernel.cache,
            clock=kernel.clock,
        )
        self._set_account_id(AccountId(f"{stock.id.value}-001"))
        self.execution_engine = kernel.exec_engine
        """What numbers the positions that the venue gives no ids."""
        self._kernel = kernel
        self._stock = stock
        self._module = module
        self._engine_clock = kernel.clock
        self._armed: set[int] = set()
        self._peers = _PEERS.setdefault(kernel.instance_id, Peers())
        self._resume_from = resume_from
        self.session = Session(self, kernel.cache, copied_options(stock), **session_options)
        """The gate and all it keeps."""
        self.session.at = self._set_clocks
        self._peers.clients.append(self)
        self._peers.sessions.append(self.session)
        kernel.msgbus.subscribe("events.order.*", self._on_order_event, priority=_FIRST)
        self._backlog = self.session.world.backlog.data

    # -- time ------------------------------------------------------------------------------------------------------

    def on_datum(self, data: Any) -> None:
        """Deliver what is due by a datum, then take it, then deliver what it brought about at once."""
        session = self.session
        ts = data.ts_init
        if session.is_due(ts):
            # what a strategy sends on its start travels with the first datum, as on the stock venue
            self._run(ts if self._peers.has_begun else ts - 1, ts)
        self._peers.has_begun = True
        session.feed(data)
        self._follow_up(ts)

    def _follow_up(self, ts: int) -> None:
        """Deliver what a datum brought about at once, and be there for the rest."""
        session = self.session
        if session.is_due(ts):
            session.tell(ts)
            self.arm()
            self._set_clocks(ts)
        elif session.is_busy():
            self.arm()

    def on_moment(self, ts: int) -> None:
        """Deliver what is due when the strategies have acted."""
        if not self._peers.has_begun:
            return
        if self.session.is_due(ts):
            self._run(ts, ts)
        if not self.session.is_idle():
            self._module.sleep(self._watch, self._pass_by)
        elif self.session.gate.due() == NEVER:
            held = self._kernel.cache.positions_open_count(venue=self.venue)
            self._module.sleep(self._hold if held else self._backlog.append, self._tidy)
        else:
            self._module.sleep(self._await, self._pass_by)

    def _tidy(self, ts: int) -> None:  # noqa: ARG002 - a module's signature
        """Keep what waits for somebody to trade from growing for ever."""
        if len(self._backlog) > MANY:
            self.session.world.catch_up()

    def _await(self, data: Any) -> None:
        """Let a datum pass that comes before anything is due."""
        if self.session.is_due(data.ts_init):
            self._module.wake()
            self.on_datum(data)
        else:
            self._hold(data)

    def _hold(self, data: Any) -> None:
        """Let a datum pass that ends no contract."""
        keep = self.on_datum if type(data) is InstrumentClose else self._backlog.append
        keep(data)

    def _watch(self, data: Any) -> None:
        """Take a datum that comes before anything is due, and deliver what it brought about."""
        if self.session.is_due(data.ts_init):
            self._module.wake()
            self.on_datum(data)
        else:
            self.session.feed(data)
            self._follow_up(data.ts_init)

    def _pass_by(self, ts: int) -> None:
        """Let a moment pass that comes before anything is due."""
        if self.session.is_due(ts):
            self._module.wake()
            self.on_moment(ts)
        else:
            self._tidy(ts)

    def _run(self, until: int, ts: int) -> None:
        peers = self._peers
        run_until(peers.sessions, until)
        for one in peers.clients:
            one.arm()
        self._set_clocks(ts)

    def _set_clocks(self, now: int) -> None:
        """Let everybody's clock show `now`, where what happens then was not foreseen by an alert."""
        if self._engine_clock.timestamp_ns() == now:
            return
        trader = self._kernel.trader
        self._engine_clock.set_time(now)
        for component in (*trader.actors(), *trader.strategies(), *trader.exec_algorithms()):
            component.clock.set_time(now)

    def arm(self) -> None:
        """Be there when the next message is due."""
        self._module.wake()
        due = self.session.gate.due()
        if due != NEVER and due not in self._armed and due > self._engine_clock.timestamp_ns():
            self._armed.add(due)
            self._engine_clock.set_time_alert_ns(f"SEATRIAL-{self.id}-{due}", due, self._on_alert)

    def _on_alert(self, event: Any) -> None:
        self._armed.discard(event.ts_event)
        if self.session.gate.due() <= event.ts_event and self._peers.has_begun:
            self._run(event.ts_event, event.ts_event)
        self.arm()

    def timestamp_ns(self) -> int:
        """Return the time of the trader's clock, in UNIX ns UTC."""
        now: int = self._engine_clock.timestamp_ns()
        return now

    def send_event(self, event: Any) -> None:
        """Hand the trader an event as it is."""
        self._kernel.msgbus.send(endpoint="ExecEngine.process", msg=event)

    def untold(self) -> tuple[dict[str, Any], ...]:
        """Return nothing: here every event is heard when it is sent."""
        return ()

    def _on_order_event(self, event: Any) -> None:
        if self.session.note_denied(event):
            self.arm()

    # -- the engine's calls ----------------------------------------------------------------------------------------

    def _start(self) -> None:
        for instrument in self._stock.instruments.values():
            self.session.add_instrument(instrument)
        if self._resume_from is not None:
            self._check_start(self._resume_from)
            restore(self.session, self._resume_from)
            self._resume_from, self._peers.has_begun = None, True
            self.arm()
        self._set_connected(True)  # noqa: FBT003 - the engine's signature

    def _check_start(self, checkpoint: ExecutionCheckpoint) -> None:
        """Refuse to see again what the session has seen."""
        if self._engine_clock.timestamp_ns() < checkpoint.timestamp:
            problem = (
                f"the session was at {iso(checkpoint.timestamp)} already; "
                f"call engine.run(start={checkpoint.timestamp}) with the data after it"
            )
            raise CheckpointError(checkpoint.simulator_id, problem)

    def _stop(self) -> None:
        self._set_connected(False)  # noqa: FBT003 - as above

    def submit_order(self, command: Any) -> None:
        """Send an order."""
        self.session.submit(command, self._engine_clock.timestamp_ns())
        self.arm()

    def submit_order_list(self, command: Any) -> None:
        """Send a list of orders as one message."""
        self.session.submit_list(command, self._engine_clock.timestamp_ns())
        self.arm()

    def modify_order(self, command: Any) -> None:
        """Ask to change an order."""
        self.session.modify(command, self._engine_clock.timestamp_ns())
        self.arm()

    def cancel_order(self, command: Any) -> None:
        """Ask to end an order."""
        self.session.cancel(command, self._engine_clock.timestamp_ns())
        self.arm()

    def cancel_all_orders(self, command: Any) -> None:
        """Ask to end all orders of an instrument and a strategy."""
        self.session.cancel_all(command, self._engine_clock.timestamp_ns())
        self.arm()

    def batch_cancel_orders(self, command: Any) -> None:
        """Ask to end several orders."""
        self.session.batch_cancel(command, self._engine_clock.timestamp_ns())
        self.arm()


def attach(
    engine: Any,
    *,
    venue: Any,
    latency_config: LatencyConfig = LATENCY_INSTANT,
    risk_config: RiskConfig | None = None,
    simulator_id: str = "sim",
    seed: int = 0,
    strategy_names: Mapping[str, str] | None = None,
    plugins: Plugins | None = None,
    resume_from: ExecutionCheckpoint | None = None,
    **venue_options: Any,
) -> Session:
    """Add a venue to a `BacktestEngine`, with seatrial's gate before it.

    It stands in place of `engine.add_venue`, whose settings it takes as `venue_options`. Orders travel with the delays
    of `latency_config`, drawn by `seed`, `simulator_id` and each strategy's name, which `strategy_names` may change;
    `risk_config` limits what leaves. With `resume_from` the session goes on where that checkpoint was taken, on
    instruments and settings as they were; give `engine.run` the checkpoint's time as `start`, and the data after it.

    :raises InvalidConfigError: for what the gate or its venue cannot take.
    """
    for setting in ("latency_model", "modules"):
        refuse(setting, venue_options.get(setting))
    module = SeatrialModule()
    engine.add_venue(venue=venue, modules=[module], **venue_options)
    return attach_module(
        engine,
        module,
        {
            "latency": latency_config,
            "risk": risk_config,
            "simulator_id": simulator_id,
            "seed": seed,
            "strategy_names": strategy_names,
            "plugins": plugins,
        },
        resume_from,
    )


def attach_node(node: Any) -> tuple[Session, ...]:
    """Put the gate before every venue of a built `BacktestNode` that has a :class:`SeatrialModule` configured.

    :raises InvalidConfigError: when there is none.
    """
    sessions: list[Session] = []
    for engine in node.get_engines():
        bus = engine.kernel.msgbus
        venues = engine.list_venues()
        waiting = [one for one in tuple(_WAITING.values()) if one.exchange.msgbus is bus]
        for module in sorted(waiting, key=lambda one: venues.index(one.exchange.id)):
            settings = module.settings
            options = {name: getattr(settings, name) for name in ("latency", "risk", "simulator_id", "seed")}
            sessions.append(attach_module(engine, module, options))
    if not sessions:
        problem = "no venue of it has a SeatrialModule among its modules, or node.build() was not called yet"
        raise InvalidConfigError("node", type(node).__name__, problem)
    return tuple(sessions)


def attach_module(
    engine: Any, module: SeatrialModule, options: Mapping[str, Any], resume_from: ExecutionCheckpoint | None = None
) -> Session:
    """Put the gate before the venue that `module` was added to; `options` are those of a `Session`."""
    _WAITING.pop(id(module), None)
    kernel, exchange = engine.kernel, module.exchange
    refuse("latency_model", exchange.latency_model)
    refuse("modules", [one for one in exchange.modules if one is not module])
    stock = exchange.exec_client
    client = SeatrialBacktestClient(kernel, module, options, resume_from)
    execution = kernel.exec_engine
    is_default = execution.default_client is not None and execution.default_client == stock.id
    execution.deregister_client(stock)
    execution.register_client(client)
    if is_default:
        execution.register_default_client(client)
    module.client = client
    return client.session
