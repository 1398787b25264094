"""A backtest between orders: data pass the gate by while nobody trades on them, and nothing is missed by it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")

from nautilus_trader.model.data import BookOrder, OrderBookDelta, QuoteTick
from nautilus_trader.model.enums import BookAction, BookType, OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.test_kit.providers import TestInstrumentProvider

from seatrial import Constant, LatencyConfig
from seatrial_nautilus.v1.backlog import MANY
from seatrial_nautilus.v1.backtest import SeatrialBacktestClient

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.nautilus.rig.market import MS, PAIR, SIM, T0, books, quotes, trades
from tests.nautilus.rig.scripted import Scripted
from tests.nautilus.rig.voyage import engine, settings

# pandas 3 warns of how NautilusTrader 1.231 calls it
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

OTHER: Any = TestInstrumentProvider.default_fx_ccy("GBP/USD", SIM)
COUNT = 2 * MANY + 200


def _market(instrument: Any) -> Any:
    def send(trader: Any) -> None:
        trader.submit_order(trader.order_factory.market(instrument.id, OrderSide.BUY, instrument.make_qty(1_000)))

    return send


def _near(trader: Any) -> None:
    """Send a limit that the next quotes decide about."""
    price = trader.cache.quote_tick(PAIR.id).bid_price
    trader.submit_order(trader.order_factory.limit(PAIR.id, OrderSide.BUY, PAIR.make_qty(1_000), price))


def _sailed(
    data: list[Any], script: dict[int, Any], gate: dict[str, Any] | None, **options: Any
) -> tuple[Scripted, Any]:
    made, session = engine([PAIR, OTHER], settings("MARGIN", "NETTING", **options), gate)
    made.add_data(data)
    trader = Scripted(PAIR, script)
    made.add_strategy(trader)
    made.run()
    return trader, session


def _fills(trader: Scripted) -> list[tuple[Any, ...]]:
    fills = [one for one in trader.events if isinstance(one, OrderFilled)]
    return [(one.ts_event, one.instrument_id, one.last_qty, one.last_px) for one in fills]


def _stale(count: int) -> list[Any]:
    """Return quotes of which each tenth happened before all that came ahead of it."""
    rows = quotes(PAIR, count, 5)
    return [
        QuoteTick(one.instrument_id, one.bid_price, one.ask_price, one.bid_size, one.ask_size, ts, one.ts_init)
        for n, one in enumerate(rows)
        for ts in [T0 if n % 10 == 9 else one.ts_event]
    ]


def _deep(count: int) -> list[Any]:
    """Return quotes as a clock, and a book of which each step changes one level."""
    [book] = books(PAIR, 1, 5)
    asks = [delta.order for delta in book.deltas if delta.order is not None and delta.order.side == OrderSide.SELL]
    changes: list[Any] = []
    for n in range(count // 2):
        old, ts = asks[n % 3], T0 + n * 20 * MS
        order = BookOrder(OrderSide.SELL, old.price, PAIR.make_qty(100 + n), old.order_id)
        changes.append(OrderBookDelta(PAIR.id, BookAction.UPDATE, order, 0, n, ts, ts))
    return [book, *changes, *quotes(PAIR, count, 5), *books(OTHER, 1, 9)]


DATA = {
    "quotes": lambda: quotes(PAIR, COUNT, 5),
    "two markets": lambda: [*quotes(OTHER, 3, 9), *quotes(PAIR, COUNT, 5)],
    "trades between": lambda: [*quotes(PAIR, COUNT, 5, step_ms=10), *trades(PAIR, 150, 5), *quotes(OTHER, 3, 9)],
    "a deep book": lambda: _deep(COUNT),
    "stale quotes": lambda: [*quotes(OTHER, 3, 9), *_stale(COUNT)],
}
SCRIPT = {
    9: _near,
    49: _market(PAIR),
    179: _market(OTHER),
    180: _near,
    1_300: _market(OTHER),
    1_309: _market(PAIR),
    1_400: _near,
    2 * MANY + 89: _market(PAIR),
    2 * MANY + 90: _market(OTHER),
}


@pytest.mark.parametrize("kind", DATA)
def test_after_a_pause_an_order_meets_what_it_would_meet_on_the_stock_venue(kind: str) -> None:
    """Whatever passed meanwhile: one market or two, trades among quotes, changes of a book, quotes that are stale."""
    options = {"book_type": BookType.L2_MBP} if kind == "a deep book" else {}
    ours, _ = _sailed(DATA[kind](), SCRIPT, {}, **options)
    stock, _ = _sailed(DATA[kind](), SCRIPT, None, **options)

    assert len(_fills(stock)) >= 6
    assert _fills(ours) == _fills(stock)
    assert ours.heard == stock.heard


def test_only_data_that_something_is_due_with_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the first datum these are the ones that come together with a message, or while an order rests."""
    looked: list[int] = []
    on_datum = SeatrialBacktestClient.on_datum

    def counted(self: Any, data: Any) -> None:
        looked.append((data.ts_init - T0) // (10 * MS))
        on_datum(self, data)

    monkeypatch.setattr(SeatrialBacktestClient, "on_datum", counted)
    delays = {"latency_config": LatencyConfig(submit=Constant(30 * MS), fill=Constant(40 * MS))}
    trader, _ = _sailed(quotes(PAIR, COUNT, 5), {100: _market(PAIR), 1_500: _market(PAIR)}, delays)

    assert [one[0] for one in trader.heard] == ["OrderSubmitted", "OrderFilled"] * 2
    assert looked == [0, 103, 107, 1_503, 1_507]


def test_what_passes_is_not_kept_for_ever() -> None:
    """However long a pause is, only so many data wait to be shown to the venue."""
    kept: list[int] = []
    script = {n: lambda _: kept.append(len(sessions[0].world.backlog.data)) for n in range(50, COUNT, 50)}
    sessions: list[Any] = []
    made, session = engine([PAIR], settings("MARGIN", "NETTING"), {})
    sessions.append(session)
    made.add_data(quotes(PAIR, COUNT, 5))
    made.add_strategy(Scripted(PAIR, script))
    made.run()

    assert len(kept) > COUNT // 50 - 2
    assert 0 < max(kept) <= MANY + 1
