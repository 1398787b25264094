"""A strategy that does everything NautilusTrader's venue takes, and remembers nothing.

What it does at a datum follows from the datum's time and its own cache alone, so a session that is restored goes on as
if nothing had been.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.data import Bar, OrderBookDeltas, QuoteTick, TradeTick
from nautilus_trader.model.enums import (
    ContingencyType,
    OrderSide,
    OrderType,
    TimeInForce,
    TrailingOffsetType,
    TriggerType,
)
from nautilus_trader.model.events import OrderEvent, OrderFilled, OrderInitialized, PositionEvent
from nautilus_trader.trading.strategy import Strategy
from tests.nautilus.rig.market import BAR_TYPE, MS, T0

__all__ = ["AnsweringTrader", "DepthTrader", "RandomTrader"]

_PLAIN = ("idle", "idle", "market", "limit", "limit", "stop", "trail", "cross", "fok", "bracket", "pair")
_CHOICES = (*_PLAIN, "cancel", "modify", "modify", "cancel_all", "batch", "touched", "reduce", "close", "gtd", "mtl")
_SIDES = (OrderSide.BUY, OrderSide.SELL)


class RandomTrader(Strategy):
    """Trades one instrument at random, and writes down everything it hears."""

    def __init__(
        self, instrument: Any, name: str = "ST-1", *, sells_short: bool = True, without: tuple[str, ...] = ()
    ) -> None:
        super().__init__(StrategyConfig(strategy_id=name, use_hyphens_in_client_order_ids=True))
        self.instrument = instrument
        self.lines: list[tuple[int, str]] = []
        self._sells_short = sells_short
        self._without = without
        self._salt = sum(name.encode())

    def on_start(self) -> None:
        self.instrument_id = self.instrument.id
        for kind in (QuoteTick, TradeTick, Bar, OrderBookDeltas):
            self._subscribe(kind)

    def _subscribe(self, kind: type) -> None:
        if kind is QuoteTick:
            self.subscribe_quote_ticks(self.instrument.id)
        elif kind is TradeTick:
            self.subscribe_trade_ticks(self.instrument.id)
        elif kind is Bar and BAR_TYPE.instrument_id == self.instrument.id:
            self.subscribe_bars(BAR_TYPE)
        elif kind is OrderBookDeltas:
            self.subscribe_order_book_deltas(self.instrument.id)

    def on_quote_tick(self, tick: Any) -> None:
        self.act(tick.ts_init, (tick.bid_price.as_double() + tick.ask_price.as_double()) / 2)

    def on_trade_tick(self, tick: Any) -> None:
        self.act(tick.ts_init, tick.price.as_double())

    def on_bar(self, bar: Any) -> None:
        self.act(bar.ts_init, bar.close.as_double())

    def on_order_book_deltas(self, deltas: Any) -> None:
        if len(deltas.deltas) == 1 and not deltas.deltas[0].flags:
            return  # others of the same moment follow
        prices = [one.order.price.as_double() for one in deltas.deltas if one.order is not None and one.order.size > 0]
        self.act(deltas.ts_init, sum(prices) / len(prices))

    # -- acting ----------------------------------------------------------------------------------------------------

    def act(self, ts: int, mid: float) -> None:
        dice = random.Random(ts + self._salt)
        choice = dice.choice(_CHOICES)
        side = dice.choice(_SIDES)
        if (
            not self._sells_short
            and side == OrderSide.SELL
            and choice not in {"cancel", "modify", "cancel_all", "close"}
        ):
            side = OrderSide.BUY
        if choice in self._without:
            return
        getattr(self, f"do_{choice}")(dice, side, mid)

    def _quantity(self, dice: random.Random) -> Any:
        return self.instrument.make_qty(dice.choice((10_000, 100_000, 150_000) if self._is_pair else (10, 70, 150)))

    @property
    def _is_pair(self) -> bool:
        return bool(self.instrument.price_precision > 2)

    def _price(self, dice: random.Random, mid: float, sign: int) -> Any:
        return self.instrument.make_price(
            mid + sign * dice.randint(1, 15) * self.instrument.price_increment.as_double()
        )

    def do_idle(self, dice: random.Random, side: Any, mid: float) -> None:
        """Do nothing."""

    def do_market(self, dice: random.Random, side: Any, mid: float) -> None:
        self.submit_order(self.order_factory.market(self.instrument.id, side, self._quantity(dice)))

    def do_mtl(self, dice: random.Random, side: Any, mid: float) -> None:
        self.submit_order(self.order_factory.market_to_limit(self.instrument.id, side, self._quantity(dice)))

    def do_limit(self, dice: random.Random, side: Any, mid: float) -> None:
        price = self._price(dice, mid, -1 if side == OrderSide.BUY else 1)
        post_only = dice.random() < 0.3
        order = self.order_factory.limit(self.instrument.id, side, self._quantity(dice), price, post_only=post_only)
        self.submit_order(order)

    def do_gtd(self, dice: random.Random, side: Any, mid: float) -> None:
        price = self._price(dice, mid, -1 if side == OrderSide.BUY else 1)
        expires = self.clock.utc_now() + timedelta(milliseconds=dice.choice((45, 200, 1_000)))
        self.submit_order(
            self.order_factory.limit(
                self.instrument.id,
                side,
                self._quantity(dice),
                price,
                time_in_force=TimeInForce.GTD,
                expire_time=expires,
            )
        )

    def do_cross(self, dice: random.Random, side: Any, mid: float) -> None:
        price = self._price(dice, mid, 1 if side == OrderSide.BUY else -1)
        tif = dice.choice((TimeInForce.IOC, TimeInForce.GTC, TimeInForce.DAY))
        order = self.order_factory.limit(self.instrument.id, side, self._quantity(dice), price, time_in_force=tif)
        self.submit_order(order)

    def do_fok(self, dice: random.Random, side: Any, mid: float) -> None:
        price = self._price(dice, mid, 1 if side == OrderSide.BUY else -1)
        fok = TimeInForce.FOK
        order = self.order_factory.limit(self.instrument.id, side, self._quantity(dice), price, time_in_force=fok)
        self.submit_order(order)

    def do_stop(self, dice: random.Random, side: Any, mid: float) -> None:
        sign = 1 if side == OrderSide.BUY else -1
        trigger = self._price(dice, mid, sign)
        quantity = self._quantity(dice)
        if dice.random() < 0.5:
            self.submit_order(self.order_factory.stop_market(self.instrument.id, side, quantity, trigger))
            return
        price = self._price(dice, trigger.as_double(), dice.choice((1, -1)))
        self.submit_order(self.order_factory.stop_limit(self.instrument.id, side, quantity, price, trigger))

    def do_touched(self, dice: random.Random, side: Any, mid: float) -> None:
        sign = -1 if side == OrderSide.BUY else 1
        trigger = self._price(dice, mid, sign)
        quantity = self._quantity(dice)
        if dice.random() < 0.5:
            self.submit_order(self.order_factory.market_if_touched(self.instrument.id, side, quantity, trigger))
            return
        price = self._price(dice, trigger.as_double(), dice.choice((1, -1)))
        self.submit_order(self.order_factory.limit_if_touched(self.instrument.id, side, quantity, price, trigger))

    def do_trail(self, dice: random.Random, side: Any, mid: float) -> None:
        offset = dice.randint(3, 12) * self.instrument.price_increment.as_decimal()
        quantity = self._quantity(dice)
        common = {"trailing_offset": offset, "trailing_offset_type": TrailingOffsetType.PRICE}
        common["trigger_type"] = TriggerType.BID_ASK
        if dice.random() < 0.4:
            common["activation_price"] = self._price(dice, mid, -1 if side == OrderSide.BUY else 1)
        if dice.random() < 0.6:
            self.submit_order(self.order_factory.trailing_stop_market(self.instrument.id, side, quantity, **common))
            return
        common["limit_offset"] = offset
        self.submit_order(self.order_factory.trailing_stop_limit(self.instrument.id, side, quantity, **common))

    def do_bracket(self, dice: random.Random, side: Any, mid: float) -> None:
        sign = 1 if side == OrderSide.BUY else -1
        entry = dice.choice((OrderType.MARKET, OrderType.LIMIT))
        tick = self.instrument.price_increment.as_double()
        small = "partial_bracket" in self._without
        brackets = self.order_factory.bracket(
            self.instrument.id,
            side,
            self.instrument.make_qty(10_000 if self._is_pair else 10) if small else self._quantity(dice),
            entry_order_type=entry,
            entry_price=self._price(dice, mid, -sign) if entry == OrderType.LIMIT else None,
            sl_trigger_price=self.instrument.make_price(mid - sign * 25 * tick),
            tp_price=self.instrument.make_price(mid + sign * 20 * tick),
            contingency_type=dice.choice((ContingencyType.OUO, ContingencyType.OCO)),
        )
        self.submit_order_list(brackets)

    def do_pair(self, dice: random.Random, side: Any, mid: float) -> None:
        """Send a limit and a stop of which the first fill ends the other."""
        if not self._sells_short:
            return
        orders = self.order_factory.create_list(
            [
                self.order_factory.limit(self.instrument.id, side, quantity, self._price(dice, mid, -1 if buys else 1))
                for quantity, buys in [(self._quantity(dice), side == OrderSide.BUY)] * 2
            ]
        )
        self.submit_order_list(orders)

    def do_reduce(self, dice: random.Random, side: Any, mid: float) -> None:
        self.submit_order(self.order_factory.market(self.instrument.id, side, self._quantity(dice), reduce_only=True))

    def do_close(self, dice: random.Random, side: Any, mid: float) -> None:
        held = sorted(self.cache.positions_open(None, self.instrument.id, self.id), key=lambda one: one.id.value)
        if held and not self.cache.orders_inflight(None, self.instrument.id, self.id):
            self.close_position(held[0])

    def open_orders(self) -> list[Any]:
        orders = self.cache.orders_open(None, self.instrument.id, self.id)
        return sorted(
            [one for one in orders if not one.is_inflight], key=lambda one: (one.ts_init, one.client_order_id.value)
        )

    def do_cancel(self, dice: random.Random, side: Any, mid: float) -> None:
        orders = self.open_orders()
        if orders:
            self.cancel_order(orders[0])

    def do_batch(self, dice: random.Random, side: Any, mid: float) -> None:
        orders = self.open_orders()[:2]
        if orders:
            self.cancel_orders(orders)

    def do_cancel_all(self, dice: random.Random, side: Any, mid: float) -> None:
        if len(self.open_orders()) > 8:
            self.cancel_all_orders(self.instrument.id)

    def do_modify(self, dice: random.Random, side: Any, mid: float) -> None:
        orders = self.open_orders()
        if not orders:
            return
        order = orders[-1]
        quantity = self._quantity(dice)
        linked = order.contingency_type != ContingencyType.NO_CONTINGENCY
        if quantity <= order.filled_qty or (linked and "partial_bracket" in self._without):
            return
        nearer = {}
        if order.order_type in {OrderType.LIMIT, OrderType.STOP_LIMIT} and dice.random() < 0.7:
            nearer["price"] = self._price(dice, mid, -1 if order.side == OrderSide.BUY else 1)
        elif order.order_type == OrderType.STOP_MARKET and dice.random() < 0.7:
            nearer["trigger_price"] = self._price(dice, mid, 1 if order.side == OrderSide.BUY else -1)
        self.modify_order(order, quantity, **nearer)

    # -- hearing ---------------------------------------------------------------------------------------------------

    def on_event(self, event: Any) -> None:
        if isinstance(event, OrderInitialized):
            return
        if isinstance(event, OrderEvent) and self.cache.order(event.client_order_id).last_event.id != event.id:
            return  # the venue contradicted itself, and the engine did not apply it
        now = self.clock.timestamp_ns()
        name = type(event).__name__
        if isinstance(event, PositionEvent):
            told = f"{event.position_id} {event.signed_qty} {event.avg_px_open} {event.realized_pnl}"
        elif isinstance(event, OrderEvent):
            told = event.client_order_id.value[-8:]
            for field in ("reason", "quantity", "price", "trigger_price"):
                told += f" {getattr(event, field, '')}"
            if isinstance(event, OrderFilled):
                told += f" {event.last_qty}@{event.last_px} {event.commission} {event.trade_id} {event.position_id}"
                told += f" {event.liquidity_side}"
        else:
            return
        self.lines.append((now, f"{_since(now)} {name} {_since(event.ts_event)} {_since(event.ts_init)} {told}"))


class AnsweringTrader(RandomTrader):
    """Answers some of its fills at once, with an order, here or in `abroad`, with a change or cancel of another one.

    The stock venue trips over a change of the very order that it is filling, since it shares that order's status.
    """

    abroad: Any = None
    filling: str = ""

    def open_orders(self) -> list[Any]:
        return [one for one in super().open_orders() if one.client_order_id.value != self.filling]

    def on_order_filled(self, event: Any) -> None:
        self.filling = event.client_order_id.value
        order = self.cache.order(event.client_order_id)
        dice = random.Random(f"{event.client_order_id} {order.filled_qty}")
        answer = dice.choice(("idle", "idle", "idle", "idle", "market", "limit", "cancel", "modify", "abroad"))
        if answer in self._without:
            return
        side = dice.choice(_SIDES) if self._sells_short else OrderSide.BUY
        getattr(self, f"do_{answer}")(dice, side, event.last_px.as_double())
        self.filling = ""

    def do_abroad(self, dice: random.Random, side: Any, mid: float) -> None:
        if self.abroad is not None:
            self.submit_order(self.order_factory.market(self.abroad.id, side, self.abroad.make_qty(10_000)))


class DepthTrader(RandomTrader):
    """Looks at whole books."""

    def on_start(self) -> None:
        self.instrument_id = self.instrument.id
        self.subscribe_order_book_depth(self.instrument.id)

    def on_order_book_depth(self, depth: Any) -> None:
        self.act(depth.ts_init, (depth.bids[0].price.as_double() + depth.asks[0].price.as_double()) / 2)


def _since(ts: int) -> str:
    return f"{(ts - T0) / MS:.6f}"
