"""Who is aboard: rules, observers, models and a strategy, all with a state that a checkpoint has to carry."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zlib import crc32

from seatrial import Order, OrderExecution, OrderSide, OrderType, RiskAction, RiskViolation, Uniform
from seatrial.contracts.events import CancelRefused, OrderAccepted, OrderReplaced, OrderTriggered, encode_events
from seatrial.contracts.plugin import FeeModelSpec, LatencyModelSpec, ObserverSpec, RiskRuleSpec
from seatrial.contracts.risk import Latch
from seatrial.hookspecs import hookimpl
from seatrial.plugins import Plugins

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial import ExecutionSimulator
    from seatrial.contracts.account import RiskView
    from seatrial.contracts.events import Event
    from seatrial.contracts.plugin import Observer

__all__ = ["Strategy", "installed", "observers", "rules"]

_MS = 1_000_000
_CANCELS: dict[type, int] = {OrderAccepted: 13, OrderReplaced: 3, CancelRefused: 3, OrderTriggered: 3}
"""After how many events of a kind the strategy cancels."""


class _Stamina:
    """A rule by name: refuses every so many orders, and after so many fills closes everything for the day."""

    def __init__(self, every: int, fills: int) -> None:
        self._every = every
        self._fills = fills
        self._state = {"checks": 0, "fills": 0, "watches": 0, "spent": 0}

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:
        self._state["checks"] += 1
        if self._state["checks"] % self._every:
            return None
        return RiskViolation(f"check {self._state['checks']}, watch {self._state['watches']}: out of breath")

    def watch(self, account: RiskView, now: int) -> RiskViolation | None:
        self._state["watches"] += 1
        if self._state["spent"] or self._state["fills"] < self._fills or not account.positions:
            return None
        self._state["spent"] = 1
        return RiskViolation("enough for today", action=RiskAction.FLATTEN, until=Latch.DAY)

    def hear(self, event: Event, order: Order | None) -> None:
        self._state["fills"] += type(event) is OrderExecution

    def save_state(self) -> dict[str, int]:
        return self._state  # itself, mutable as it is: a checkpoint must not follow what becomes of it

    def load_state(self, value: dict[str, int]) -> None:
        self._state = value


class Whim:
    """A rule object: refuses now and then, breaks now and then, once asks to cancel everything, and exempts exits."""

    exempts_reducing = True

    def __init__(self) -> None:
        self._asked: list[str] = []

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:
        self._asked.append(order.order_id)
        count = len(self._asked)
        if count % 29 == 0:
            raise ValueError(f"asked {count} times")
        if count == 40:
            return RiskViolation("forty", action=RiskAction.CANCEL_ALL, until=Latch.DAY)
        if count % 19:
            return None
        return RiskViolation("no", value=Decimal(count), limit=account.worst_position(order.symbol))

    def save_state(self) -> list[str]:
        return self._asked

    def load_state(self, value: list[str]) -> None:
        self._asked = value


class Log:
    """An observer with a state: the checksum of everything it was told."""

    def __init__(self) -> None:
        self._sum = 0

    def notify(self, event: Event, order: Order | None) -> None:
        status = b"" if order is None else order.status.encode()
        self._sum = crc32(encode_events([event]) + status, self._sum)

    def save_state(self) -> int:
        return self._sum

    def load_state(self, value: int) -> None:
        self._sum = value


class Stowaway(Log):
    """An observer that fails after a while."""

    def __init__(self) -> None:
        super().__init__()
        self._heard = 0

    def notify(self, event: Event, order: Order | None) -> None:
        self._heard += 1
        if self._heard > 60:
            raise RuntimeError("found")

    def save_state(self) -> int:
        return self._heard

    def load_state(self, value: int) -> None:
        self._heard = value


class _PerOrder:
    def __init__(self, fee: str) -> None:
        self._fee = Decimal(fee)

    def total(self, quantity: Decimal, value: Decimal) -> Decimal:
        return self._fee + value / 10_000


class _Locker:
    @hookimpl
    def seatrial_risk_rules(self) -> Iterable[RiskRuleSpec]:
        return [RiskRuleSpec(name="stamina", build=_Stamina)]

    @hookimpl
    def seatrial_observers(self) -> Iterable[ObserverSpec]:
        return [ObserverSpec(name="purser", build=Log)]

    @hookimpl
    def seatrial_latency_models(self) -> Iterable[LatencyModelSpec]:
        return [LatencyModelSpec(name="semaphore", build=lambda least: Uniform(least * _MS, 3 * least * _MS))]

    @hookimpl
    def seatrial_fee_models(self) -> Iterable[FeeModelSpec]:
        return [FeeModelSpec(name="per_order", build=_PerOrder)]


def installed() -> Plugins:
    """Return the installed plugins, and those of this voyage."""
    plugins = Plugins()
    plugins.load()
    plugins.register(_Locker(), "locker")
    return plugins


def rules() -> tuple[object, ...]:
    """Return new rule objects."""
    return (Whim(),)


def observers() -> tuple[Observer, ...]:
    """Return new observer objects."""
    return (Log(), Stowaway())


class Strategy:
    """A listener with a state: answers fills, and changes its mind about what was accepted."""

    def __init__(self, simulator: ExecutionSimulator) -> None:
        """Trade through `simulator`, and hear what becomes of it."""
        self._simulator = simulator
        self._state: dict[str, Any] = {"fed": 0, "sent": 0, "heard": {}}
        simulator.add_listener(self)

    @property
    def fed(self) -> int:
        """How many calls have begun."""
        return int(self._state["fed"])

    @fed.setter
    def fed(self, value: int) -> None:
        self._state["fed"] = value

    def save_state(self) -> dict[str, Any]:
        """Return the state itself."""
        return self._state

    def load_state(self, value: Any) -> None:
        """Take the state back."""
        self._state = value

    def __call__(self, event: Event, order: Order | None) -> None:
        """Answer some of what happens, by count."""
        kind = type(event)
        heard = self._state["heard"]
        count = heard[kind.__name__] = heard.get(kind.__name__, 0) + 1
        if order is None:
            return
        now, simulator = event.reported_at, self._simulator
        if isinstance(event, OrderExecution) and count % 4 == 0:
            self._answer(order, event, now)
        elif kind is OrderAccepted and count % 9 == 0 and not order.is_complete:
            simulator.modify_order(order.order_id, now, quantity=order.quantity + 3)
        elif count % _CANCELS.get(kind, count + 1) == 0:
            simulator.cancel_order(order.order_id, now)

    def _answer(self, order: Order, fill: OrderExecution, now: int) -> None:
        self._state["sent"] += 1
        side = OrderSide.SELL if order.side is OrderSide.BUY else OrderSide.BUY
        patient = self._state["sent"] % 2 == 0
        answer = Order(
            order_id=f"answer-{self._state['sent']}",
            symbol=order.symbol,
            side=side,
            order_type=OrderType.LIMIT if patient else OrderType.MARKET,
            quantity=fill.quantity,
            created_at=now,
            limit_price=fill.price.quantize(Decimal("0.01")) if patient else None,
            strategy_id="answers",
        )
        self._simulator.submit_order(answer, now)
