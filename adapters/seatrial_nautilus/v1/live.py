"""Live paper trading: an execution client with a simulated venue and messages that take time, which survives a restart.

It is used exactly as NautilusTrader's sandbox is: a configuration and a factory in a `TradingNodeConfig`. The node's
own data clients feed the venue.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec
from nautilus_trader.accounting.factory import AccountFactory
from nautilus_trader.common.providers import InstrumentProvider
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.live.factories import LiveExecClientFactory
from nautilus_trader.model.enums import OmsType
from nautilus_trader.model.events import OrderCanceled, OrderEmulated, OrderExpired, OrderUpdated
from nautilus_trader.model.identifiers import AccountId, ClientId, InstrumentId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import AccountBalance, Money

from seatrial.errors import CheckpointError, InvalidConfigError
from seatrial.store.checkpoints import CheckpointManager
from seatrial_nautilus.v1.checkpoint import EngineState, restore, snapshot
from seatrial_nautilus.v1.codec import encode_event
from seatrial_nautilus.v1.live_config import SeatrialExecClientConfig, venue_options, writable
from seatrial_nautilus.v1.session import Session
from seatrial_nautilus.v1.status import fill_reports, order_report, order_reports, position_reports

if TYPE_CHECKING:
    from seatrial.contracts.checkpoint import ExecutionCheckpoint

__all__ = ["SeatrialExecClientConfig", "SeatrialLiveExecClient", "SeatrialLiveExecClientFactory"]

_FIRST = 100
"""The priority at which a checkpoint hears of an event: before every strategy."""
_LOCAL = frozenset({OrderEmulated, OrderUpdated, OrderCanceled, OrderExpired})
"""What becomes of an order that the trader holds itself, without a word from here: one that waits to be released."""
_PATIENCE = 100
"""How often, 50 ms apart, the instruments of a checkpoint are looked for."""


class SeatrialLiveExecClient(LiveExecutionClient):
    """One simulated venue of a live node, with the gate before it."""

    def __init__(self, loop: Any, msgbus: Any, cache: Any, clock: Any, config: SeatrialExecClientConfig) -> None:
        """Open the venue; nothing is read or written before the client connects."""
        options = venue_options(config)
        super().__init__(
            loop=loop,
            client_id=ClientId(config.venue),
            venue=options["venue"],
            oms_type=options["oms_type"],
            account_type=options["account_type"],
            base_currency=options["base_currency"],
            instrument_provider=InstrumentProvider(),
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            config=writable(config),
        )
        every = config.checkpoint_every
        if every not in {"event", "never"} and (type(every) is not int or every < 1):
            raise InvalidConfigError("checkpoint_every", every, "give 'event', 'never' or whole seconds")
        self._set_account_id(AccountId(f"{self.id}-001"))
        AccountFactory.register_calculated_account(self.id.value)
        self._settings = config
        self._options = options
        self.execution_engine = None  # hidden from a client; the positions it names carry their second
        self._orders = cache
        self._alarm: Any = None
        self._alarm_at = 0
        self._periodic: Any = None
        self._manager: CheckpointManager | None = None
        self._untold: deque[Any] = deque()
        self._names_positions = False
        self.session = Session(
            self,
            cache,
            options,
            latency=config.latency,
            risk=config.risk,
            simulator_id=config.simulator_id,
            seed=config.seed,
        )
        """The gate and all it keeps."""

    # -- for the session -------------------------------------------------------------------------------------------

    def timestamp_ns(self) -> int:
        """Return the time, in UNIX ns UTC."""
        now: int = self._clock.timestamp_ns()
        return now

    def send_event(self, event: Any) -> None:
        """Hand the trader an event; it is told when the node's own queue gets to it."""
        self._untold.append(event)
        self._msgbus.send(endpoint="ExecEngine.process", msg=event)

    def untold(self) -> tuple[dict[str, Any], ...]:
        """Return the events that were sent and that the trader has not heard yet."""
        return tuple(map(encode_event, self._untold))

    # -- connecting ------------------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        checkpoint = self._stored()
        if checkpoint is not None:
            await self._await_instruments(checkpoint)
        for instrument in self._orders.instruments(venue=self.venue):
            self.session.add_instrument(instrument)
        if checkpoint is None:
            balances = [AccountBalance(one, Money(0, one.currency), one) for one in self._options["starting_balances"]]
            self.generate_account_state(balances, [], True, self.timestamp_ns())  # noqa: FBT003 - the engine's
        else:
            self._resume(checkpoint)
        account = self.get_account()
        if account is not None and account.is_margin_account:
            account.set_default_leverage(self._options["default_leverage"])
            for instrument_id, leverage in self._options["leverages"].items():
                account.set_leverage(instrument_id, leverage)
        self._msgbus.subscribe(topic=f"data.*.{self.venue}.*", handler=self.on_data, priority=_FIRST)
        self._msgbus.subscribe(topic="data.bars.*", handler=self.on_data, priority=_FIRST)
        self._msgbus.subscribe(topic="events.order.*", handler=self._on_told, priority=_FIRST)
        self._repeat()
        self._pump()

    async def _disconnect(self) -> None:
        for topic in (f"data.*.{self.venue}.*", "data.bars.*"):
            self._msgbus.unsubscribe(topic=topic, handler=self.on_data)
        self._msgbus.unsubscribe(topic="events.order.*", handler=self._on_told)
        for alarm in (self._alarm, self._periodic):
            if alarm is not None:
                alarm.cancel()
        self.save_checkpoint()
        if self._manager is not None:
            self._manager.close()

    def _stored(self) -> ExecutionCheckpoint | None:
        directory = self._settings.checkpoint_directory
        if directory is None:
            return None
        self._manager = CheckpointManager(directory)
        if not self._manager.list_checkpoints(self.session.simulator_id):
            return None
        return self._manager.load_checkpoint(self.session.simulator_id)

    async def _await_instruments(self, checkpoint: ExecutionCheckpoint) -> None:
        """Wait until the node knows the instruments of the checkpoint; data clients load them while they connect.

        :raises CheckpointError: naming those that do not come.
        """
        engine = msgspec.json.decode(checkpoint.engine, type=EngineState)
        missing: list[str] = []
        for _ in range(_PATIENCE):
            missing = [
                one for one in engine.venue.resting if self._orders.instrument(InstrumentId.from_str(one)) is None
            ]
            if not missing:
                return
            await asyncio.sleep(0.05)
        problem = f"the node does not know {', '.join(missing)}; let a data client load them, or add them to its cache"
        raise CheckpointError(checkpoint.simulator_id, problem)

    def _resume(self, checkpoint: ExecutionCheckpoint) -> None:
        if self._orders.orders(self.venue):
            problem = "the node's cache has orders of this venue already; run it without a cache database"
            raise CheckpointError(checkpoint.simulator_id, problem)
        restore(self.session, checkpoint)
        self._log.info(f"Restored {checkpoint.simulator_id} with {len(checkpoint.pending)} working orders")

    # -- checkpoints -----------------------------------------------------------------------------------------------

    def save_checkpoint(self) -> None:
        """Write a checkpoint, where a directory is configured."""
        if self._manager is not None:
            self._manager.save_checkpoint(snapshot(self.session))

    def _on_told(self, event: Any) -> None:
        """Note that the trader's books have an event, ours or its own; strategies hear of it after this."""
        if self._untold and self._untold[0] is event:
            self._untold.popleft()
            self._keep()
        elif type(event) in _LOCAL and event.instrument_id.venue == self.venue:
            self._keep()
        elif self.session.note_denied(event):
            self._sent()

    def _sent(self) -> None:
        """Keep a request of which no event tells, and come back when it arrives."""
        self._keep()
        self._wake()

    def _keep(self) -> None:
        if self._settings.checkpoint_every == "event":
            self.save_checkpoint()

    def _repeat(self) -> None:
        every = self._settings.checkpoint_every
        if isinstance(every, int):
            if self._periodic is not None:
                self.save_checkpoint()
            self._periodic = self._loop.call_later(every, self._repeat)

    # -- time and data ---------------------------------------------------------------------------------------------

    def on_data(self, data: Any) -> None:
        """Show the venue a piece of market data of its own."""
        if isinstance(data, Instrument):
            if data.id.venue == self.venue:
                self.session.add_instrument(data)
            return
        instrument_id = getattr(data, "instrument_id", None) or getattr(
            getattr(data, "bar_type", None), "instrument_id", None
        )
        if instrument_id is None or instrument_id.venue != self.venue:
            return
        if self.session.world.cache.instrument(instrument_id) is None:
            self.session.add_instrument(self._orders.instrument(instrument_id))
        self.session.run_until(self.session.now(self.timestamp_ns()))
        self.session.feed(data)
        self._pump()

    def _pump(self) -> None:
        """Deliver what is due, and come back for what is due next."""
        session = self.session
        session.run_until(session.now(self.timestamp_ns()))
        self._wake()

    def _wake(self) -> None:
        due = self.session.gate.next_due()
        if due is None or (self._alarm is not None and self._alarm_at == due):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = due
        self._alarm = self._loop.call_later(max(0, due - self.timestamp_ns()) / 1e9, self._on_alarm)

    def _on_alarm(self) -> None:
        self._alarm = None
        self._pump()

    # -- commands --------------------------------------------------------------------------------------------------

    def submit_order(self, command: Any) -> None:
        """Send an order."""
        self.session.submit(command, self.timestamp_ns())
        self._wake()

    def submit_order_list(self, command: Any) -> None:
        """Send a list of orders as one message."""
        self.session.submit_list(command, self.timestamp_ns())
        self._wake()

    def modify_order(self, command: Any) -> None:
        """Ask to change an order."""
        self.session.modify(command, self.timestamp_ns())
        self._sent()

    def cancel_order(self, command: Any) -> None:
        """Ask to end an order."""
        self.session.cancel(command, self.timestamp_ns())
        self._sent()

    def cancel_all_orders(self, command: Any) -> None:
        """Ask to end all orders of an instrument and a strategy."""
        self.session.cancel_all(command, self.timestamp_ns())
        self._sent()

    def batch_cancel_orders(self, command: Any) -> None:
        """Ask to end several orders."""
        self.session.batch_cancel(command, self.timestamp_ns())
        self._sent()

    # -- how things stand ------------------------------------------------------------------------------------------

    async def _query_account(self, command: Any) -> None:  # noqa: ARG002 - the engine's signature
        account = self.get_account()
        if account is not None:
            last = account.last_event
            self.generate_account_state(last.balances, last.margins, True, self.timestamp_ns())  # noqa: FBT003 - as above

    async def generate_order_status_report(self, command: Any) -> Any:
        """Return how an order stands, as the trader has been told."""
        client_order_id = command.client_order_id
        if client_order_id is None and command.venue_order_id is not None:
            client_order_id = self._orders.client_order_id(command.venue_order_id)
        order = None if client_order_id is None else self._orders.order(client_order_id)
        return order_report(order, self.account_id, self.timestamp_ns())

    async def generate_order_status_reports(self, command: Any) -> list[Any]:
        """Return how orders stand, as the trader has been told."""
        orders = self._orders.orders(self.venue, command.instrument_id)
        return order_reports(orders, self.account_id, self.timestamp_ns(), open_only=command.open_only)

    async def generate_fill_reports(self, command: Any) -> list[Any]:
        """Return the fills that were told."""
        orders = self._orders.orders(self.venue, command.instrument_id)
        return fill_reports(orders, self.account_id, self.timestamp_ns())

    async def generate_position_status_reports(self, command: Any) -> list[Any]:
        """Return positions as told."""
        positions = self._orders.positions_open(self.venue, command.instrument_id)
        named = self.oms_type == OmsType.HEDGING or self._names_positions
        return position_reports(positions, self.account_id, self.timestamp_ns(), named=named)

    async def generate_mass_status(self, lookback_mins: int | None = None) -> Any:
        """Return how everything stands; each strategy's position is compared with the trader's own.

        Netted over strategies, 1.231 would not find the average price that the fills come to, and rewrite them.
        """
        self._names_positions = True
        try:
            return await super().generate_mass_status(lookback_mins)
        finally:
            self._names_positions = False


class SeatrialLiveExecClientFactory(LiveExecClientFactory):
    """Makes the client of a :class:`SeatrialExecClientConfig`."""

    @staticmethod
    def create(  # noqa: PLR0917  # pyright: ignore[reportIncompatibleMethodOverride] - the engine's, and our config
        loop: Any,
        name: str,
        config: SeatrialExecClientConfig,
        msgbus: Any,
        cache: Any,
        clock: Any,
    ) -> SeatrialLiveExecClient:
        """Return a client; its id is the venue's name, which is that of the account too."""
        del name  # an account of another name than its venue's is found by no portfolio
        return SeatrialLiveExecClient(loop, msgbus, cache, clock, config)
