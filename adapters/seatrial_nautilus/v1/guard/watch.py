"""What a guard does between two commands: it opens its books, hears events, lets time pass, and writes things down.

Books that went wrong, or that cannot be kept on disk, are never mended on the way: from then on there is a `problem`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.common.enums import ComponentState
from nautilus_trader.common.generators import ClientOrderIdGenerator
from nautilus_trader.model.identifiers import StrategyId
from nautilus_trader.model.objects import Currency

from seatrial.contracts.events import TradingStateChanged
from seatrial.contracts.rejection import RejectionReason
from seatrial.errors import InvalidConfigError, SeatrialError
from seatrial.gate.account import Account
from seatrial.gate.gate import ExecutionGate
from seatrial.gate.instruments import Instruments
from seatrial.gate.validator import refusal
from seatrial_nautilus.v1.guard.books import GuardBooks
from seatrial_nautilus.v1.guard.config import currency_of_account
from seatrial_nautilus.v1.guard.front import Front
from seatrial_nautilus.v1.guard.keeping import Keeper, freeze
from seatrial_nautilus.v1.guard.marks import NodeMarks
from seatrial_nautilus.v1.guard.port import Arrivals, InnerVenue, NoPayload
from seatrial_nautilus.v1.reports import Reporter

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.contracts.events import Event
    from seatrial.contracts.orders import Order
    from seatrial.contracts.rejection import Rejection
    from seatrial.plugins import Plugins
    from seatrial_nautilus.v1.guard.config import SeatrialGuardConfig
    from seatrial_nautilus.v1.guard.keeping import Before

__all__ = ["Watch"]

_FIRST = 100
"""The priority at which the guard hears of an event: before every strategy."""
_BEAT = 1.0
"""Seconds between two looks at the clock, when nothing happens."""
_CLOSER = "GUARD-000"


class Watch(Front):
    """Hears what happens to one account, counts it, lets time pass, and keeps what has to be kept."""

    def __init__(
        self,
        loop: Any,
        msgbus: Any,
        cache: Any,
        clock: Any,
        *,
        config: SeatrialGuardConfig,
        inner: Any,
        plugins: Plugins | None = None,
    ) -> None:
        """Stand before `inner`; rules that are missing or broken are an error now."""
        super().__init__(loop, msgbus, cache, clock, config=config, inner=inner)
        self._settings = config
        self._orders = cache
        instruments = Instruments()
        self.account = Account(Decimal(0), instruments)
        """Cash, positions and equity as the guard counts them."""
        self._venue = venue = InnerVenue(inner, cache, loop, self.now)
        self.gate = ExecutionGate(
            venue,
            risk=config.risk,
            simulator_id=config.simulator_id,
            instruments=instruments,
            account=self.account,
            native_codec=NoPayload(),
            plugins=plugins,
        )
        """The gate: its events, its orders, its trading state."""
        ids = ClientOrderIdGenerator(msgbus.trader_id, StrategyId(_CLOSER), clock, use_hyphens=False)
        self.gate.own_ids = lambda: str(ids.generate().value)
        self._arrivals = Arrivals(self.gate, self.now, lambda: self._books.currency)
        reporter = Reporter(self._arrivals, cache.order)
        venue.gate, venue.reporter = self.gate, reporter
        self._marks = NodeMarks(self.gate, self.account, msgbus=msgbus, cache=cache, now=self.now, fail=self._fail)
        self._books = GuardBooks(
            self.gate,
            account=self.account,
            instruments=instruments,
            reporter=reporter,
            arrivals=self._arrivals,
            marks=self._marks,
            cache=cache,
            now=self.now,
        )
        self._began = Decimal(0)
        self._keeper: Keeper | None = None
        self._is_open = False
        self._problem: Rejection | None = None
        self._saved: tuple[int, Decimal | None] = (0, None)
        self._beat: Any = None
        self._words: list[Callable[[], None]] = []  # of an operator who could not wait

    def now(self) -> int:
        """Return the time in UNIX ns UTC; never before what the gate has reached."""
        return max(int(self._clock.timestamp_ns()), self.gate.now)

    @property
    def problem(self) -> Rejection | None:
        """Why nothing leaves but cancels, where the books went wrong; only a restart mends it."""
        return self._problem

    # -- connecting ------------------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        self._msgbus.subscribe(topic="events.order.*", handler=self._on_event, priority=_FIRST)
        self._msgbus.subscribe(topic=f"events.system.{self.trader_id}", handler=self._on_state)
        await super()._connect()

    async def _disconnect(self) -> None:
        await super()._disconnect()
        self._msgbus.unsubscribe(topic="events.order.*", handler=self._on_event)
        self._msgbus.unsubscribe(topic=f"events.system.{self.trader_id}", handler=self._on_state)
        self._marks.close()
        if self._beat is not None:
            self._beat.cancel()
        self._save()
        if self._keeper is not None:
            self._keeper.close()

    # -- the books -------------------------------------------------------------------------------------------------

    def _on_state(self, event: Any) -> None:
        """Begin once the strategies run: what the venue holds has been reconciled by then."""
        if event.state == ComponentState.RUNNING:
            self._open()

    def _open(self) -> None:
        """Begin, before the first command at the latest; not before there is an account."""
        if self._is_open or self.account_id is None:
            return
        self._is_open = True
        try:
            self._begin()
        except Exception as error:  # noqa: BLE001 - books that did not open let nothing out
            self._fail(error)

    def _begin(self) -> None:
        account = self.inner.get_account()
        if account is None:
            problem = "the venue's client has reported no account; it must be connected first"
            raise InvalidConfigError("client", self.id.value, problem)
        if not self.was_asked:
            self._log.warning("No reconciliation: positions and orders that were there before are not counted")
        currency = currency_of_account(account, self._settings)
        self._books.currency = currency
        before = self._found()
        balance = account.balance_total(Currency.from_str(currency)) if currency else None
        self._began = Decimal(0) if balance is None else balance.as_decimal()
        mine = filter(self._owns, self._orders.positions_open())
        working = (*self._orders.orders_open(), *self._orders.orders_inflight())
        orders = {one.client_order_id: one for one in working if self._owns(one.last_event)}
        state = None if before is None else before.gate
        self._books.open(self._began, mine, orders.values(), state, owes=bool(account.is_margin_account))
        if self._keeper is not None:
            self._save()
            for event in self.gate.events:
                self._keeper.note(event)
        self.gate.add_listener(self._keep)
        for order_id in () if before is None else before.cancelling:  # nobody knows whether it reached the venue
            self._note_cancel(order_id, None)
        while self._words:
            self._words.pop(0)()
        self._look()

    def _found(self) -> Before | None:
        directory = self._settings.checkpoint_directory
        if directory is None:
            return None
        self._keeper = Keeper(directory, self._settings.simulator_id)
        return self._keeper.load(str(self.account_id))

    def _on_event(self, event: Any) -> None:
        if not self._is_open or not (self._owns(event) or self.gate.client.knows(event.client_order_id.value)):
            return
        try:
            self._books.hear(event)
        except Exception as error:  # noqa: BLE001 - books that went wrong let nothing out, and break nothing
            self._fail(error)

    def _owns(self, one: Any) -> bool:
        """Return whether a position or an event is of the guarded account."""
        return one.account_id is not None and bool(one.account_id == self.account_id)

    def _fail(self, error: Exception) -> None:
        """Let nothing out any more but cancels."""
        words = str(error) if isinstance(error, SeatrialError) else f"{type(error).__name__}: {error}"
        message = f"the guard's books cannot be trusted ({words}); mend it and restart the node"
        self._log.error(message)
        self._problem = self._problem or refusal(RejectionReason.RISK_RULE_ERROR, message, rule="guard")

    def _settle(self) -> None:
        """Take in what came while the gate was busy."""
        try:
            self._books.catch_up()
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)

    # -- on disk ---------------------------------------------------------------------------------------------------

    def _keep(self, event: Event, order: Order | None) -> None:  # noqa: ARG002 - a listener's signature
        """Write down what happened, before the venue's client is asked for anything that follows."""
        if self._keeper is None:
            return
        try:
            self._keeper.note(event)
            if type(event) is TradingStateChanged:
                self._save()
        except OSError as error:
            self._fail(error)

    def _look(self) -> None:
        """Let time pass, and keep what has changed since the last look."""
        self._beat = self._loop.call_later(_BEAT, self._look)
        try:
            self.gate.advance(self.now())
            if self._keeper is not None and self._moved() != self._saved:
                self._save()
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)
        if self._arrivals.uncounted:
            self._log.warning(f"Commissions in {sorted(self._arrivals.uncounted)} are not counted")
            self._arrivals.uncounted.clear()

    def _moved(self) -> tuple[int, Decimal | None]:
        risk = self.gate.admission.risk
        return len(self.gate.client.events), None if risk is None else risk.peak

    def _save(self) -> None:
        if self._keeper is None:
            return
        self._saved = self._moved()
        settings = self._settings
        names = {"simulator_id": settings.simulator_id, "account_id": str(self.account_id)}
        try:
            self._keeper.save(freeze(self.gate, self.account, settings.risk, **names, began=self._began))
        except (OSError, SeatrialError) as error:
            self._fail(error)

    def _note_cancel(self, order_id: str, native: object) -> None:
        """Note that a cancel leaves; whatever becomes of the note, the cancel does."""
        self._open()
        order = self.gate.pending_orders.get(order_id)
        if order is None or order.pending_cancels or self._problem is not None:
            return
        try:
            self.gate.cancel(order_id, self.now(), native)
            self._books.catch_up()
        except Exception as error:  # noqa: BLE001 - as it says
            self._fail(error)
