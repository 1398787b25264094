"""One trader's way to one private venue: NautilusTrader's commands through the gate, the venue's events back.

Rules, delays, the kill switch and every record are the gate's. This module only hands over: a command becomes the
gate's order, what arrives becomes the venue's order, and what the venue says becomes the trader's event when its report
is due.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderDenied
from nautilus_trader.model.identifiers import ClientOrderId

from seatrial.contracts.events import CancelRefused, ModifyRefused, OrderChange, OrderSubmitted
from seatrial.contracts.latency import LATENCY_INSTANT, LatencyConfig
from seatrial.contracts.rejection import RefusedBy, RejectionReason
from seatrial.contracts.risk import RiskConfig
from seatrial.contracts.terms import OrderSide as CoreSide
from seatrial.contracts.terms import OrderStatus
from seatrial.errors import InvalidConfigError, InvalidOrderError, UnknownOrderError
from seatrial.gate.account import Account
from seatrial.gate.gate import ExecutionGate
from seatrial.gate.instruments import Instruments
from seatrial.gate.queue import NEVER
from seatrial.gate.validator import refusal
from seatrial_nautilus.v1.closing import closing_order
from seatrial_nautilus.v1.codec import EventCodec
from seatrial_nautilus.v1.copying import keep_quantity
from seatrial_nautilus.v1.instruments import check_instrument, core_instrument, currency_of
from seatrial_nautilus.v1.marks import Marks
from seatrial_nautilus.v1.options import iterates_after_commands
from seatrial_nautilus.v1.orders import core_order
from seatrial_nautilus.v1.port import VenuePort
from seatrial_nautilus.v1.reports import Reporter, refused
from seatrial_nautilus.v1.telling import Teller
from seatrial_nautilus.v1.world import VenueWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from seatrial.contracts.events import Event
    from seatrial.contracts.orders import Order
    from seatrial.plugins import Plugins

__all__ = ["Session"]

_CLOSER = "flatten"
_REJECTED = OrderStatus.REJECTED
_PENDING_SUBMIT = OrderStatus.PENDING_SUBMIT


class Session:
    """The gate, the private venue behind it, and the execution client before it.

    `gate` is the core's own: its events, its orders, its kill switch. Nothing moves by itself: whoever keeps time calls
    :meth:`run_until`, and :meth:`feed` with each piece of market data.
    """

    def __init__(
        self,
        client: Any,
        cache: Any,
        options: dict[str, Any],
        *,
        latency: LatencyConfig = LATENCY_INSTANT,
        risk: RiskConfig | None = None,
        simulator_id: str = "sim",
        seed: int = 0,
        strategy_names: Mapping[str, str] | None = None,
        symbols: Mapping[str, str] | None = None,
        plugins: Plugins | None = None,
    ) -> None:
        """Stand between `client`, whose trader keeps `cache`, and a venue with `options`.

        `strategy_names` gives strategies another name in the gate, from which their draws follow, `symbols` does the
        same for instruments.

        :raises InvalidConfigError: for rules that would have to count in several currencies, and for settings that are
            none.
        """
        if not isinstance(latency, LatencyConfig):
            raise InvalidConfigError("latency_config", latency, "give a LatencyConfig, such as LATENCY_NORMAL")
        if not isinstance(risk, RiskConfig | None):
            raise InvalidConfigError("risk_config", risk, "give a RiskConfig")
        self.client = client
        self.cache = cache
        self.simulator_id = simulator_id
        self.seed = seed
        self.latency_config = latency
        self.risk_config = risk
        self.currency = currency_of(options)
        """What the account counts in; `None` where it has several currencies."""
        self.initial_cash = options["starting_balances"][0].as_decimal()
        self.world = VenueWorld(client.trader_id, options)
        self.world.is_held_elsewhere = self._is_held
        self.instruments = Instruments()
        self._account = Account(self.initial_cash, self.instruments)
        self._port = VenuePort(self.world, cache)
        self.gate = ExecutionGate(
            self._port,
            latency=latency,
            risk=risk,
            seed=seed,
            simulator_id=simulator_id,
            instruments=self.instruments,
            account=self._account,
            native_sink=self._note,
            native_codec=EventCodec(),
            plugins=plugins,
            prompt=False,
        )
        self.reporter = Reporter(self.gate, self.world.cache.order)
        """What the gate has been or will be told of the venue."""
        self._port.reporter = self.reporter
        self.world.sink = self.reporter.hear
        self.world.live = self.reporter.told
        self._listed: dict[str, Any] = {}
        self.known_orders: dict[str, Order] = {}
        """Orders that were the gate's own before they became the trader's, until they are sent."""
        self.at: Callable[[int], None] = _nothing
        """Called with each time at which something is about to be delivered."""
        self._names = dict(strategy_names or {})
        self._symbols = dict(symbols or {})
        self._teller = Teller(client, names_positions=self.world.names_positions)
        positions = self._account.positions
        self.marks = Marks(self.gate, self.world, self.symbol_of, at_once=risk is not None, positions=positions)
        """What positions are valued at."""
        self._natives: deque[tuple[Event, Any]] = deque()
        self.gate.add_listener(self._hear)
        self._settles = iterates_after_commands()
        self._requests, self._reports = self.gate.wire.requests, self.gate.wire.reports

    @property
    def account(self) -> Account:
        """The account as the gate counts it, from reports alone, in one currency, at the latest marks."""
        self.marks.catch_up()
        return self._account

    def is_due(self, ts: int) -> bool:
        """Return whether anything is to be delivered by `ts`."""
        return (
            self._requests.head <= ts or self._reports.head <= ts or self.gate.boundary <= ts or bool(self._port.held)
        )

    def is_busy(self) -> bool:
        """Return whether anything is under way."""
        return self._requests.head != NEVER or self._reports.head != NEVER

    def is_idle(self) -> bool:
        """Return whether nobody would notice market data: nothing at the venue, no rules, nothing valued."""
        return not (self.reporter.told or self.marks.at_once)

    def add_instrument(self, instrument: Any) -> None:
        """Make a market for an instrument of the trader's.

        :raises InvalidConfigError: where rules would have to count in another currency than the account's.
        """
        if self.world.cache.instrument(instrument.id) is not None:
            return
        check_instrument(instrument, self.currency, has_rules=self.risk_config is not None)
        self.world.add_instrument(instrument)
        self.instruments.describe(core_instrument(instrument, self.symbol_of(instrument.id)))
        self._listed[self.symbol_of(instrument.id)] = instrument.id

    def symbol_of(self, instrument_id: Any) -> str:
        """Return what an instrument is called in the gate."""
        name: str = instrument_id.value
        return self._symbols.get(name, name)

    # -- time and the market ---------------------------------------------------------------------------------------

    def now(self, clock: int) -> int:
        """Return the time of a call when the trader's clock shows `clock`: never before what was reached."""
        gate = self.gate
        return gate.now if gate.running or clock < gate.now else clock

    def run_until(self, until: int) -> None:
        """Deliver everything due by `until`, in time order, each at its own time."""
        gate, port = self.gate, self._port
        if gate.boundary == 0:
            self.open_day(until)
        while (due := gate.now if port.held else gate.due()) <= until:
            now = max(due, gate.now)
            if self.deliver(now):
                self.settle(now)

    def due(self) -> int:
        """Return when anything is to be delivered next, or :data:`~seatrial.gate.queue.NEVER`."""
        return self.gate.now if self._port.held else self.gate.due()

    def open_day(self, now: int) -> None:
        """Let the first day begin now, and not in 1970, where days matter."""
        if self.gate.boundary == 0:
            self.gate.advance(max(now, self.gate.now))

    def deliver(self, now: int) -> bool:
        """Deliver what was held back, then what is due by `now`; return whether markets have to be settled after it."""
        gate, port = self.gate, self._port
        self.marks.catch_up_quotes()
        self.at(now)
        while port.held:
            port.held.popleft()()
            if port.held:
                gate.advance(now)
        port.holds = False
        gate.advance(now)
        return port.settles() and self._settles

    def settle(self, now: int) -> None:
        """Let the venue's markets look at their orders once more, after something has arrived at some venue."""
        self.world.settle(now)
        self.reporter.flush()
        if self._reports.head <= now:
            self.tell(now)

    def tell(self, until: int) -> None:
        """Tell what is to be told by `until`; what the trader answers at once is held back until :meth:`deliver`.

        The stock venue, too, takes no command while it matches, and none before the trader has seen the datum.
        """
        gate = self.gate
        self.marks.catch_up_quotes()
        self._port.holds = True
        while (due := gate.due()) <= until:
            now = max(due, gate.now)
            self.at(now)
            gate.advance(now)

    def feed(self, data: Any) -> None:
        """Show the venue a piece of market data, and the gate what positions are worth by it."""
        if self.risk_config is not None:
            gate, ts = self.gate, data.ts_init
            if ts > gate.now and not self.is_due(ts):
                gate.now = ts  # rules are asked about the market at its own time
        self.world.feed(data)
        if self.reporter.said:
            self.reporter.flush()
        if self.marks.at_once:
            self.marks.take(data)

    # -- commands of the trader ------------------------------------------------------------------------------------

    def submit(self, command: Any, clock: int) -> None:
        """Send an order, or refuse it."""
        self._send((command.order,), clock)

    def submit_list(self, command: Any, clock: int) -> None:
        """Send a list of orders as one message, all or none."""
        self._send(command.order_list.orders, clock)

    def modify(self, command: Any, clock: int) -> None:
        """Ask to change an order."""
        now = self.now(clock)
        self.marks.catch_up_quotes()
        order = self.cache.order(command.client_order_id)
        change = OrderChange(
            quantity=None if command.quantity is None else command.quantity.as_decimal(),
            limit_price=None if command.price is None else command.price.as_decimal(),
            stop_price=None if command.trigger_price is None else command.trigger_price.as_decimal(),
        )
        try:
            self.gate.modify(command.client_order_id.value, change, now)
        except (InvalidOrderError, UnknownOrderError) as error:
            self._teller.modify_refused(order, str(error), now)

    def cancel(self, command: Any, clock: int) -> None:
        """Ask to end an order."""
        now = self.now(clock)
        try:
            self.gate.cancel(command.client_order_id.value, now)
        except UnknownOrderError as error:
            self._teller.cancel_refused(self.cache.order(command.client_order_id), str(error), now)

    def cancel_all(self, command: Any, clock: int) -> None:
        """Ask to end every order of one strategy, instrument and side; exits go with the entry they wait for."""
        now = self.now(clock)
        symbol, strategy_id = self.symbol_of(command.instrument_id), self._name(command.strategy_id.value)
        side = command.order_side
        for order in tuple(self.gate.pending_orders.values()):
            if order.symbol != symbol or order.strategy_id != strategy_id or order.pending_cancels:
                continue
            if side != OrderSide.NO_ORDER_SIDE and (side == OrderSide.BUY) is not (order.side is CoreSide.BUY):
                continue
            if order.status is _PENDING_SUBMIT and order.parent_id in self.gate.pending_orders:
                continue
            self.gate.cancel(order.order_id, now)

    def batch_cancel(self, command: Any, clock: int) -> None:
        """Ask to end several orders."""
        for cancel in command.cancels:
            self.cancel(cancel, clock)

    def note_denied(self, event: Any) -> bool:
        """Record an order of this venue that NautilusTrader has denied before it came here; return whether it is one.

        Its risk engine does so, and the strategy itself; any other event is passed over.
        """
        if type(event) is not OrderDenied or event.instrument_id.venue != self.world.venue:
            return False
        order_id = event.client_order_id
        if self.gate.client.knows(order_id.value):
            return False
        now = self.now(self.client.timestamp_ns())
        order = core_order(self.cache.order(order_id), now, self._name, self.symbol_of)
        self.gate.deny(order, refused(event.reason, RefusedBy.GATE, rule="NautilusTrader"), now)
        return True

    # -- inside ----------------------------------------------------------------------------------------------------

    def _send(self, orders: Iterable[Any], clock: int) -> None:
        now = self.now(clock)
        self.marks.catch_up_quotes()
        theirs = tuple(orders)
        for order in theirs:
            keep_quantity(order)
        ours = tuple([self._ours(one, now) for one in theirs])
        if any(order.is_quote_quantity for order in theirs):
            message = "a quantity in quote currency is not counted; give units of the instrument"
            for order, one in zip(theirs, ours, strict=True):
                denied = self.gate.deny(one, refusal(RejectionReason.UNSUPPORTED, message), now)
                self._teller.denied(order, denied.rejection, now)
            return
        sent = (self.gate.submit(ours[0], now),) if len(ours) == 1 else self.gate.submit_group(ours, now)
        for order, after in zip(theirs, sent, strict=True):
            if after.status is _REJECTED:
                self._teller.denied(order, after.rejection, now)
            else:
                self._teller.submitted(order, now)

    def _ours(self, order: Any, now: int) -> Order:
        known = self.known_orders.pop(order.client_order_id.value, None)
        return core_order(order, now, self._name, self.symbol_of) if known is None else known

    def _is_held(self, instrument_id: Any) -> bool:
        """Return whether the trader has a position in an instrument, or is about to be told of one."""
        if self.cache.positions_open(instrument_id=instrument_id):
            return True
        symbol, find = self.symbol_of(instrument_id), self.world.cache.order
        ours = [one for one in self.gate.pending_orders.values() if one.symbol == symbol]
        theirs = [find(ClientOrderId(one.order_id)) for one in ours]
        return any(b is not None and b.filled_qty != a.filled_quantity for a, b in zip(ours, theirs, strict=True))

    def _name(self, strategy_id: str) -> str:
        return self._names.get(strategy_id, strategy_id)

    def _order(self, order_id: str) -> Any:
        return self.cache.order(ClientOrderId(order_id))

    def _note(self, event: Event, order: Order | None, native: object) -> None:  # noqa: ARG002 - a sink's signature
        """Keep the venue's event until its report is heard in turn."""
        self._natives.append((event, native))

    def _hear(self, event: Event, order: Order | None) -> None:
        """Tell the trader what the gate says."""
        natives = self._natives
        if natives and natives[0][0] is event:
            self._teller.tell(natives.popleft()[1])
            return
        if order is None:
            self.marks.news = True
        elif type(event) is OrderSubmitted:
            if order.strategy_id == _CLOSER:
                self._close(order)
        elif type(event) is CancelRefused:
            self._teller.cancel_refused(self._order(order.order_id), event.rejection.message, event.timestamp)
        elif type(event) is ModifyRefused:
            self._teller.modify_refused(self._order(order.order_id), event.rejection.message, event.timestamp)

    def _close(self, order: Order) -> None:
        """Make the trader know an order with which the gate closes a position."""
        made, position_id = closing_order(order, self._listed[order.symbol], self.cache, self.client.trader_id)
        self.cache.add_order(made, position_id, self.client.id)
        self._teller.submitted(made, order.created_at)


def _nothing(now: int) -> None:
    """Let nobody know."""
