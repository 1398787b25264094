"""Live paper trading on NautilusTrader 2.0: an execution client whose venue is seatrial's own, behind its gate.

A configuration and a factory go into the node, and :class:`~seatrial_nautilus.v2.feed.SeatrialFeed` among its actors:
2.0 shows an execution client no market data, so the feed hands it on. The trader is told when reports are due; it has
no memory of its own over a restart, and gets it back by reconciliation.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from nautilus_trader.common import Logger
from nautilus_trader.live.clients import ExecutionClient, ExecutionClientFactory
from nautilus_trader.model import AccountId, AccountType, OmsType

from seatrial.contracts.events import OrderExecution, TradingStateChanged
from seatrial.contracts.terms import TradingState
from seatrial.contracts.venue import AccountType as CoreAccount
from seatrial.errors import CheckpointError, InvalidConfigError, InvalidMarketDataError, SeatrialError
from seatrial.gate.queue import NEVER
from seatrial_nautilus.v2.commands import Commands
from seatrial_nautilus.v2.config import SeatrialExecClientConfig
from seatrial_nautilus.v2.money import Books, core_instrument
from seatrial_nautilus.v2.opening import open_session
from seatrial_nautilus.v2.reports import Reporter, was_accepted
from seatrial_nautilus.v2.telling import Teller

if TYPE_CHECKING:
    from seatrial.contracts.events import Event
    from seatrial.contracts.market import MarketEvent
    from seatrial.contracts.orders import Order
    from seatrial.store.checkpoints import CheckpointManager
    from seatrial.venue.simulator import ExecutionSimulator

__all__ = ["SeatrialExecClientConfig", "SeatrialLiveExecClient", "SeatrialLiveExecClientFactory", "live_client"]

_PATIENCE = 100
"""How often, 50 ms apart, the instruments are looked for."""
_SECOND = 1_000_000_000
_UNFED = (
    "An order was sent before the venue saw any market data; it waits. "
    "If none comes, add SeatrialFeed(config) to the node, and let a data client show quotes or trades"
)
_CLIENTS: WeakValueDictionary[str, SeatrialLiveExecClient] = WeakValueDictionary()


def live_client(simulator_id: str) -> SeatrialLiveExecClient:
    """Return the execution client of a node in this process.

    :raises InvalidConfigError: when there is none.
    """
    client = _CLIENTS.get(simulator_id)
    if client is None:
        problem = "no node here has such a client; name it in a LiveNode's exec_clients (a backtest takes none)"
        others = f"; there is {', '.join(sorted(_CLIENTS))}" if _CLIENTS else ""
        raise InvalidConfigError("simulator_id", simulator_id, problem + others)
    return client


class SeatrialLiveExecClient(ExecutionClient):
    """One account of a live node, with the gate and the venue behind it."""

    def __init__(self, *, name: str, config: SeatrialExecClientConfig, cache: Any, clock: Any, trader_id: Any) -> None:
        """Open nothing yet: the node learns its instruments while it connects."""
        is_cash = config.venue_config.account_type is CoreAccount.CASH
        super().__init__(
            name=name,
            config=config,
            cache=cache,
            clock=clock,
            trader_id=trader_id,
            venue=config.venue,
            account_id=AccountId(f"{config.venue}-001"),
            account_type=AccountType.CASH if is_cash else AccountType.MARGIN,
            oms_type=OmsType.NETTING,
            base_currency=config.currency,
        )
        self.settings = config
        self.log = Logger(type(self).__name__)
        self.simulator: ExecutionSimulator
        """The gate and the venue, once the client is connected."""
        self.is_open = False
        self._books: Books
        self._reporter: Reporter
        self._teller: Teller
        self._commands: Commands
        self._manager: CheckpointManager | None = None
        self._heard: list[tuple[Event, Order | None]] = []
        self._woken = asyncio.Event()
        self._wakes_at = 0
        self._saves_at = NEVER
        self._keeper: Any = None
        self._is_fed = self._has_warned = False
        _CLIENTS[config.simulator_id] = self

    # -- connecting ------------------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        config = self.settings
        instruments = {str(one.id): one for one in await self._instruments()}
        simulator, self._manager = open_session(
            config, [core_instrument(one, config.currency) for one in instruments.values()]
        )
        self.simulator = simulator
        self._reporter = Reporter(self.account_id, instruments, config.currency)
        self._teller = Teller(self, self._reporter)
        self._books = Books(simulator, config)
        self._commands = Commands(simulator, self.cache)
        simulator.add_listener(self._hear)
        if isinstance(config.checkpoint_every, int):
            self._saves_at = self.now() + config.checkpoint_every * _SECOND
        self.tell_account()
        self.is_open = True

    async def _on_instrument(self, instrument: Any) -> None:
        """Take no further instruments: those that trade here are configured."""

    async def _instruments(self) -> list[Any]:
        """Return the instruments that trade here; data clients load them while they connect.

        :raises InvalidConfigError: naming one that does not come.
        """
        found: list[Any] = []
        for _ in range(_PATIENCE):
            found = [self.cache.instrument(one) for one in self.settings.instrument_ids]
            if None not in found:
                return found
            await asyncio.sleep(0.05)
        missing = self.settings.instrument_ids[found.index(None)]
        raise InvalidConfigError("instrument_ids", str(missing), "no data client of the node has loaded it")

    async def _disconnect(self) -> None:
        if not self.is_open:
            return
        self.is_open = False
        if self._keeper is not None:
            self._keeper.cancel()
        if self._manager is not None:
            self.save_checkpoint()
            self._manager.close()

    # -- time and data ---------------------------------------------------------------------------------------------

    def now(self) -> int:
        """Return the time in UNIX ns UTC: the node's clock, never before what was reached."""
        clock: int = self.clock.timestamp_ns()
        return max(clock, self.simulator.now)

    def begin(self) -> None:
        """Let time run: the trader is there and has what was told before."""
        if self._keeper is None:
            self._keeper = self.create_task(self._keep_time(), "seatrial-time")

    def show(self, data: MarketEvent) -> None:
        """Show the venue a piece of market data, after what was due before it."""
        self._is_fed = True
        try:
            self.simulator.process(data)
        except InvalidMarketDataError as error:
            self.log.warning(str(error))
        self.settle()

    async def _keep_time(self) -> None:
        """Sleep until the next thing is due, do it, and so on."""
        while True:
            self._pass_time()
            self._woken.clear()
            self._wakes_at = self._next_due()
            delay = None if self._wakes_at == NEVER else max(0, self._wakes_at - self.now()) / _SECOND
            try:
                await asyncio.wait_for(self._woken.wait(), delay)
            except TimeoutError:
                continue

    def _pass_time(self) -> None:
        now = self.now()
        self.simulator.advance(now)
        if now >= self._saves_at and isinstance(self.settings.checkpoint_every, int):
            self._saves_at = now + self.settings.checkpoint_every * _SECOND
            self.save_checkpoint()
        self.settle()

    def _next_due(self) -> int:
        return min(self.simulator.gate.due(), self.simulator.venue.timers.head, self._saves_at)

    # -- what happens ----------------------------------------------------------------------------------------------

    def _hear(self, event: Event, order: Order | None) -> None:
        self._heard.append((event, order))

    def settle(self) -> None:
        """Keep what has happened, then tell it; come back when the next thing is due."""
        if self._heard:
            if self.settings.checkpoint_every == "event":
                self.save_checkpoint()
            heard, self._heard = self._heard, []
            for event, order in heard:
                self._tell(event, order)
        if self._keeper is not None and self._next_due() < self._wakes_at:
            self._woken.set()

    def _tell(self, event: Event, order: Order | None) -> None:
        if order is not None:
            if isinstance(event, OrderExecution):
                self._books.count(event, order)
            self._teller.tell(event, order, self.simulator.get_order(order.order_id))
            if isinstance(event, OrderExecution):
                self.tell_account()
        elif isinstance(event, TradingStateChanged):
            told = f"Trading is {event.state}, by {event.by}: {event.reason}"
            self.log.warning(told)

    def tell_account(self) -> None:
        """Tell the trader its balance."""
        self.generate_account_state([self._books.balance()], [], True, self.now())  # noqa: FBT003 - the engine's

    def save_checkpoint(self) -> None:
        """Write a checkpoint, where a directory is configured; one that cannot be written is an error in the log."""
        if self._manager is None:
            return
        try:
            self._manager.save_checkpoint(self.simulator.snapshot())
        except CheckpointError as error:
            self.log.error(str(error))  # noqa: TRY400 - the one line says it all

    # -- the kill switch -------------------------------------------------------------------------------------------

    def disable_trading(self, by: str, reason: str, *, cancel_working: bool = True) -> None:
        """Halt: nothing leaves but cancels; unless told otherwise, every working order is cancelled."""
        self._switch(TradingState.HALTED, by, reason, cancel_working=cancel_working)

    def enable_trading(self, by: str, reason: str) -> None:
        """Let orders out again."""
        self._switch(TradingState.ACTIVE, by, reason, cancel_working=False)

    def _switch(self, state: TradingState, by: str, reason: str, *, cancel_working: bool) -> None:
        now = self.now()
        if state is TradingState.HALTED:
            self.simulator.disable_trading(by, reason, now, cancel_working=cancel_working)
        else:
            self.simulator.enable_trading(by, reason, now)
        self.settle()

    # -- commands --------------------------------------------------------------------------------------------------

    async def _submit_order(self, command: Any) -> None:
        self._submit((command.order_init,))

    async def _submit_order_list(self, command: Any) -> None:
        self._submit(tuple(command.order_inits))

    def _submit(self, inits: tuple[Any, ...]) -> None:
        """Send orders; one that cannot even be said is denied, since nobody else would ever answer it."""
        self.begin()
        if not (self._is_fed or self._has_warned):
            self._has_warned = True
            self.log.warning(_UNFED)
        try:
            self._commands.submit(inits, self.now())
        except Exception as error:  # noqa: BLE001 - whatever it is, the order would stay INITIALIZED for ever
            for init in inits:
                order = self.cache.order(init.client_order_id)
                if order is not None:
                    self.generate_order_denied(order, self._commands.excuse(error))
        self.settle()

    async def _modify_order(self, command: Any) -> None:
        try:
            self._commands.modify(command, self.now())
        except SeatrialError as error:
            order = self.cache.order(command.client_order_id)
            reason = self._commands.excuse(error)
            self.generate_order_modify_rejected(order, command.venue_order_id, reason, self.now())
        self.settle()

    async def _cancel_order(self, command: Any) -> None:
        try:
            self._commands.cancel(str(command.client_order_id), self.now())
        except SeatrialError as error:
            order = self.cache.order(command.client_order_id)
            reason = self._commands.excuse(error)
            self.generate_order_cancel_rejected(order, command.venue_order_id, reason, self.now())
        self.settle()

    async def _cancel_all_orders(self, command: Any) -> None:
        self._commands.cancel_all(command, self.now())
        self.settle()

    # -- how things stand ------------------------------------------------------------------------------------------

    async def _query_account(self, command: Any) -> None:  # noqa: ARG002 - the engine's signature
        self.tell_account()

    async def _query_order(self, command: Any) -> None:
        report = self._report_of(command)
        if report is not None:
            self._handle_report(report)

    def _report_of(self, command: Any) -> Any:
        """Return how one order stands; `None` for one that the trader knows to be on its way, or never left."""
        client_order_id = command.client_order_id
        if client_order_id is None and command.venue_order_id is not None:
            client_order_id = self.cache.client_order_id(command.venue_order_id)
        found = [order for order in self._told(None) if order.order_id == str(client_order_id)]
        return self._reporter.order(found[0], self.now(), self.groups()) if found else None

    def groups(self) -> dict[str, list[str]]:
        """Return the ids of the orders of each OCO group: NautilusTrader wants to know who ends whom."""
        groups: dict[str, list[str]] = {}
        for order in (*self.simulator.completed_orders.values(), *self.simulator.pending_orders.values()):
            if order.oco_id is not None:
                groups.setdefault(order.oco_id, []).append(order.order_id)
        return groups

    def _told(self, instrument_id: Any) -> list[Order]:
        """Return the orders that the trader knows to have reached the venue."""
        simulator = self.simulator
        orders = (*simulator.completed_orders.values(), *simulator.pending_orders.values())
        symbol = None if instrument_id is None else str(instrument_id)
        return [one for one in orders if symbol in {None, one.symbol} and was_accepted(one)]

    async def _generate_order_status_report(self, command: Any) -> Any:
        return self._report_of(command)

    async def _generate_order_status_reports(self, command: Any) -> list[Any]:
        told = self._told(command.instrument_id)
        now, groups = self.now(), self.groups()
        return [self._reporter.order(one, now, groups) for one in told if not (command.open_only and one.is_complete)]

    async def _generate_fill_reports(self, command: Any) -> list[Any]:
        now = self.now()
        return [fill for order in self._told(command.instrument_id) for fill in self._reporter.fills(order, now)]

    async def _generate_position_status_reports(self, command: Any) -> list[Any]:
        now, symbol = self.now(), None if command.instrument_id is None else str(command.instrument_id)
        positions = self._books.positions.items()
        return [self._reporter.position(name, one, now) for name, one in positions if symbol in {None, name}]


class SeatrialLiveExecClientFactory(ExecutionClientFactory):
    """Makes the client of a :class:`SeatrialExecClientConfig`."""

    @staticmethod
    def create(
        *, name: str, config: SeatrialExecClientConfig, cache: Any, clock: Any, trader_id: Any
    ) -> SeatrialLiveExecClient:
        """Return a client."""
        return SeatrialLiveExecClient(name=name, config=config, cache=cache, clock=clock, trader_id=trader_id)
