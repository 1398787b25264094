"""Going on where a checkpoint was taken: the feeds run up to there again, for the indicators, and nothing trades.

Until then the strategies are not called, and what timers or analyzers try to order goes nowhere. In the cycle in which
the checkpoint was taken the broker becomes what it was; with the next one everybody acts again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backtrader.order import BuyOrder, SellOrder

from seatrial_backtrader.stamps import newest, reached

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial_backtrader.broker import SeatrialBroker
    from seatrial_backtrader.state import BrokerState

__all__ = ["Warmup"]

_STRATEGY = (
    "prenext",
    "nextstart",
    "next",
    "prenext_open",
    "nextstart_open",
    "next_open",
    "notify_timer",
    "notify_cashvalue",
    "notify_fund",
)
_CEREBRO = ("_runnext", "_runonce", "_runnext_old", "_runonce_old")
_BROKER = ("next", "buy", "sell", "cancel", "get_notification")


class Warmup:
    """One broker on its way to where it was. What it does, it does in place of the methods of others."""

    def __init__(
        self, broker: SeatrialBroker, state: BrokerState, restore: Callable[[], None], wake: Callable[[], None]
    ) -> None:
        """Call `restore` when the broker is there, and `wake` when everybody acts again."""
        self._broker = broker
        self._state = state
        self._restore = restore
        self._wake = wake
        self._there: list[tuple[int, float | None]] | None = None
        self._quiet: list[Any] = []
        for name in _BROKER:
            setattr(broker, name, getattr(self, name))
        for name in _CEREBRO:
            setattr(broker.cerebro, name, self._silently(name))

    # -- in place of the broker's ----------------------------------------------------------------------------------

    def next(self) -> None:
        """Run a cycle in which nothing trades, or end the warm-up with it."""
        broker = self._broker
        if self._there is not None:
            self._lift()
            broker.next()
            return
        datas = broker.cerebro.datas
        lengths = [len(data) for data in datas]
        now = newest(datas)
        clock = self._state.clock
        if now < clock or (now == clock and any(map(int.__lt__, lengths, self._state.lengths))):
            return
        self._restore()
        self._there = reached(datas)
        if now > clock:  # these feeds have no bar of that very time
            self._lift()
            broker.next()

    def buy(self, owner: Any, data: Any, size: Any, *_: Any, **terms: Any) -> Any:
        """Return an order that goes nowhere."""
        return _nowhere(BuyOrder, owner, data, size, terms)

    def sell(self, owner: Any, data: Any, size: Any, *_: Any, **terms: Any) -> Any:
        """Return an order that goes nowhere."""
        return _nowhere(SellOrder, owner, data, size, terms)

    def cancel(self, order: Any, bracket: bool = False) -> bool:  # noqa: ARG002, FBT001, FBT002 - the broker's signature
        """Cancel nothing."""
        return False

    def get_notification(self) -> Any:
        """Tell nothing."""
        return None

    # -- in place of cerebro's -------------------------------------------------------------------------------------

    def _silently(self, name: str) -> Callable[..., None]:
        """Silence the strategies before the first bar: a timer or an open may call them before the broker."""

        def run(*arguments: Any) -> None:
            cerebro = self._broker.cerebro
            for one in _CEREBRO:
                delattr(cerebro, one)
            for strategy in cerebro.runningstrats:
                self._silence(strategy)
            getattr(cerebro, name)(*arguments)

        return run

    # -- in place of the strategies' -------------------------------------------------------------------------------

    def _silence(self, strategy: Any) -> None:
        self._quiet.append(strategy)
        for name in _STRATEGY:
            vars(strategy)[name] = self._quietly(strategy, name)

    def _quietly(self, strategy: Any, name: str) -> Callable[..., None]:
        def call(*arguments: Any, **named: Any) -> None:
            if self._has_moved_on():
                self._lift()
                getattr(strategy, name)(*arguments, **named)

        return call

    def _has_moved_on(self) -> bool:
        """Return whether the bar after the checkpoint's has come: a strategy that acts at its open is called first."""
        return self._there is not None and self._there != reached(self._broker.cerebro.datas)

    def _lift(self) -> None:
        for name in _BROKER:
            delattr(self._broker, name)
        for strategy in self._quiet:
            for name in _STRATEGY:
                vars(strategy).pop(name, None)
        self._wake()


def _nowhere(kind: Any, owner: Any, data: Any, size: Any, terms: dict[str, Any]) -> Any:
    known = {name: terms[name] for name in ("price", "exectype", "parent", "transmit", "tradeid") if name in terms}
    order = kind(owner=owner, data=data, size=size, **known)
    order.addinfo(reject_reason="it was ordered while the run warmed up to its checkpoint")
    order.reject()
    return order
