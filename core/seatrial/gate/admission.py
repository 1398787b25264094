"""What an order must pass before it leaves: a new id, an instrument that takes it, the trading state, the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from seatrial.contracts.events import OrderChange, OrderSubmitted
from seatrial.contracts.orders import Order
from seatrial.contracts.rejection import Rejection, RejectionReason
from seatrial.contracts.risk import RiskAction
from seatrial.contracts.terms import OrderStatus, TradingState
from seatrial.errors import InvalidOrderError, InvalidTransition
from seatrial.gate.controls import Controls
from seatrial.gate.exposure import Exposure
from seatrial.gate.risk import Risk
from seatrial.gate.validator import refusal, validate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.contracts.account import AccountView
    from seatrial.contracts.market import Instrument
    from seatrial.contracts.risk import RiskConfig
    from seatrial.gate.client import ClientView
    from seatrial.gate.instruments import Instruments
    from seatrial.gate.risk import Trip
    from seatrial.plugins import Plugins

__all__ = ["Admission", "linked"]

_SWITCH = "kill_switch"
_NEW = OrderStatus.NEW
_ACTIVE = TradingState.ACTIVE
_REDUCE_ONLY = TradingState.REDUCE_ONLY


class Admission:
    """The checks of one gate. An order that passes counts as working from then on."""

    __slots__ = ("_account", "_client", "_free", "_instruments", "controls", "exposure", "risk", "trips")

    def __init__(
        self,
        client: ClientView,
        instruments: Instruments,
        account: AccountView | None = None,
        config: RiskConfig | None = None,
        plugins: Plugins | None = None,
    ) -> None:
        """Let everything out that `instruments` and the rules of `config` take."""
        self._client = client
        self._instruments = instruments
        self._account = account
        self._free: set[str] = set()  # symbols that take any price and quantity, so that they are looked at once
        self.controls = Controls()
        self.exposure: Exposure | None = None
        """What works, counted; `None` while nobody needs it."""
        self.risk: Risk | None = None
        self.trips: list[Trip] = []
        """What rules want to follow from the latest refusals."""
        if config is not None and account is not None:
            exposure = Exposure(client, account, instruments)
            risk = Risk(config, account, exposure, self.controls, plugins)
            self.risk = risk if risk.rules else None
            if any(rule.needs_exposure for rule in risk.rules):
                self.exposure = exposure
            for rule, violation in risk.watch(0, only=_SWITCH):  # a switch holds before the first mark
                self.controls.latch(rule, violation)

    def count_in(self, order: Order) -> None:
        """Count an order from now on; rules are not asked, and need not be about the gate's own."""
        if self.exposure is not None:
            self.exposure.add(order)

    def count(self) -> None:
        """Count what works from now on, where nobody did yet: a state that depends on it is about to begin."""
        if self.exposure is None and self._account is not None:
            self.exposure = Exposure(self._client, self._account, self._instruments)

    def describe(self, instrument: Instrument) -> None:
        """Value a symbol by another multiplier from now on, with what works and is held in it."""
        self._instruments.describe(instrument)
        stake = None if self.exposure is None else self.exposure.stakes.get(instrument.symbol)
        if self.exposure is not None and stake is not None:
            stake.multiplier = None if instrument.multiplier == 1 else instrument.multiplier
            self.exposure.touch(instrument.symbol)

    def refuse(self, order: Order, now: int) -> Rejection | None:
        """Say why an order may not leave, or `None`.

        :raises InvalidTransition: for an order that is not NEW.
        """
        rejection = self._malformed(order, now)
        if rejection is not None or (self.risk is None and self.exposure is None and self.controls.state is _ACTIVE):
            return rejection
        if self.exposure is not None:
            self.exposure.add(order)
        return self._judge(order, now)

    def refuse_group(self, orders: tuple[Order, ...], now: int) -> list[Rejection]:
        """Return one refusal per order if any of them may not leave, else nothing.

        Rules are asked about each in turn, those before it counted; after a first refusal nobody is asked any more.

        :raises InvalidOrderError: for a group without orders, and for what is no order.
        """
        if not orders:
            raise InvalidOrderError("(none)", "orders", "the group is empty; give one Order at least")
        refusals = [self._malformed(order, now) for order in orders]
        ids = [order.order_id for order in orders]
        for index, order_id in enumerate(ids):
            if order_id in ids[:index]:
                message = f"order id {order_id!r} stands twice in the group"
                refusals[index] = refusal(RejectionReason.DUPLICATE_ORDER, message)
        counted: list[str] = []
        try:
            for index, order in enumerate(orders):
                if any(refusals):
                    break
                self.count_in(order)
                refusals[index] = self._judge(order, now)
                counted.append(order.order_id)
        except BaseException:  # an interrupt, too, leaves nothing counted
            self._uncount(counted)
            raise
        culprit = next((order_id for order_id, found in zip(ids, refusals, strict=True) if found), None)
        if culprit is None:
            return []
        self._uncount(counted)
        group = refusal(RejectionReason.GROUP_REFUSED, f"{culprit} of the same group was refused")
        return [found or group for found in refusals]

    def _malformed(self, order: Order, now: int) -> Rejection | None:
        """Say why no gate would let this order out, or `None`."""
        if type(order) is not Order:
            raise InvalidOrderError(order, "order", "it is no Order; build one with Order(...)")
        if order.status is not _NEW:
            raise InvalidTransition(order, OrderSubmitted(order.order_id, now, now), order.status, ())
        order_id, client = order.order_id, self._client
        if order_id in client.pending or order_id in client.completed:
            message = f"order id {order_id!r} was used before; ids are for one order each"
            return refusal(RejectionReason.DUPLICATE_ORDER, message)
        return None if order.symbol in self._free else self._validate(order)

    def _uncount(self, order_ids: Iterable[str]) -> None:
        for order_id in order_ids:
            if self.exposure is not None:
                self.exposure.drop(order_id)

    def refuse_change(self, order: Order, change: OrderChange, now: int) -> Rejection | None:
        """Say why an order may not be changed, or `None`.

        :raises InvalidOrderError: when the order would contradict itself, or nothing changes.
        """
        renewed = order.amended(change)
        if order.is_complete or order.pending_cancels:
            return refusal(RejectionReason.TOO_LATE_TO_MODIFY, f"{order.order_id} is {order.status}")
        filled = order.filled_quantity
        if renewed.quantity <= filled:
            message = f"quantity {renewed.quantity} is not above what was filled ({filled})"
            return refusal(RejectionReason.TOO_LATE_TO_MODIFY, message, value=renewed.quantity, limit=filled)
        rejection = self._validate(renewed)
        if rejection is not None:
            return rejection
        exposure = self.exposure
        shrinks = renewed.quantity <= order.quantity and change == OrderChange(quantity=change.quantity)
        if exposure is None:
            return self._judge(renewed, now, before=order, shrinks=shrinks and order.parent_id is None)
        counts_more = exposure.amend(order, change)
        shrinks = shrinks and not counts_more  # as does an exit that the venue may have cut meanwhile
        return self._judge(renewed, now, before=order, shrinks=shrinks)

    def _judge(self, order: Order, now: int, *, before: Order | None = None, shrinks: bool = False) -> Rejection | None:
        """Say why the trading state or a rule does not let a counted order out, or `None`.

        One that is refused counts no longer, or again as it was `before` it was to be changed.
        """
        risk, exposure = self.risk, self.exposure
        trip: Trip | None = None
        try:
            if self.controls.state is not _ACTIVE and not self._passes(order, shrinks=shrinks):
                rejection = self.controls.refusal()
            else:
                refused = None if risk is None else risk.refuse(order, now, shrinks=shrinks)
                if refused is None:
                    return None
                rejection, trip = refused
        except BaseException:  # an interrupt, too, leaves nothing counted
            _undo(exposure, order, before)
            raise
        _undo(exposure, order, before)
        if trip is not None and trip[1].action is not RiskAction.REJECT:
            self.trips.append(trip)
        return rejection

    def _passes(self, order: Order, *, shrinks: bool) -> bool:
        """Return whether a counted order may leave although not everything may."""
        exposure = self.exposure
        reduces = shrinks or (exposure is not None and exposure.reduces(order))
        return reduces and self.controls.state is _REDUCE_ONLY

    def _validate(self, order: Order) -> Rejection | None:
        instrument = self._instruments.find(order.symbol)
        if instrument is not None and instrument.tick_size is None and instrument.lot_size is None:
            self._free.add(order.symbol)
            return None
        return validate(order, instrument)


def _undo(exposure: Exposure | None, order: Order, before: Order | None) -> None:
    """Take back that an order, or a change of it, counts."""
    if exposure is None:
        return
    if before is None:
        exposure.drop(order.order_id)
    else:
        exposure.unamend(before)


def linked(entry: Order, exits: tuple[Order, ...]) -> list[Order]:
    """Return exits tied to their entry: as its children, and as one OCO group where there are several.

    :raises InvalidOrderError: when an exit is on the entry's side, in another symbol, or has another parent.
    """
    oco = f"{entry.order_id}.exits" if len(exits) > 1 else None
    linked: list[Order] = []
    for child in (entry, *exits):
        if not isinstance(child, Order):  # pyright: ignore[reportUnnecessaryIsInstance] - as above
            raise InvalidOrderError(child, "order", "it is no Order; give each exit as an argument of its own")
    for child in exits:
        if child.symbol != entry.symbol or child.side is entry.side:
            raise InvalidOrderError(child.order_id, "side", f"it must oppose {entry.order_id} in {entry.symbol}")
        if child.parent_id not in {None, entry.order_id}:
            raise InvalidOrderError(child.order_id, "parent_id", f"it names another parent than {entry.order_id}")
        linked.append(replace(child, parent_id=entry.order_id, oco_id=child.oco_id or oco))
    return linked
