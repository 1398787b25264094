"""Backtests in which every leg is jittered: prints digests of what happened at the venue and when it was told, as JSON.

Orders are of kinds that all versions of NautilusTrader match alike, so that what differs would be ours; but for
`everything`, where they are of all kinds.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from nautilus_trader.model.data import QuoteTick  # noqa: E402
from nautilus_trader.model.enums import BookType, OrderSide  # noqa: E402
from tests.nautilus.rig.market import MS, PAIR, books, quotes  # noqa: E402
from tests.nautilus.rig.trader import RandomTrader  # noqa: E402
from tests.nautilus.rig.voyage import engine, settings  # noqa: E402

from seatrial import LatencyConfig, Lognormal, Uniform  # noqa: E402
from seatrial.contracts.events import encode_events  # noqa: E402

LEGS = LatencyConfig(
    submit=Lognormal(8 * MS, 0.6),
    ack=Uniform(0, 5 * MS),
    fill=Uniform(3 * MS, 60 * MS),
    cancel=Uniform(MS, 30 * MS),
    modify=Uniform(MS, 50 * MS),
)


class Plain(RandomTrader):
    """Reckons from the bid, lets limits rest far from the market, and changes quantities alone.

    Versions round the middle of a tick in other ways, and differ in when a limit next to the market fills.
    """

    def on_quote_tick(self, tick: Any) -> None:
        self.act(tick.ts_init, tick.bid_price.as_double())

    def on_order_book_deltas(self, deltas: Any) -> None:
        self.act(deltas.ts_init, deltas.deltas[1].order.price.as_double())

    def do_limit(self, dice: random.Random, side: Any, mid: float) -> None:
        super().do_limit(dice, side, _far(side, mid))

    def do_gtd(self, dice: random.Random, side: Any, mid: float) -> None:
        super().do_gtd(dice, side, _far(side, mid))

    def do_pair(self, dice: random.Random, side: Any, mid: float) -> None:
        super().do_pair(dice, side, _far(side, mid))

    def do_modify(self, dice: random.Random, side: Any, mid: float) -> None:
        orders = self.open_orders()
        if orders and (quantity := self._quantity(dice)) > orders[-1].filled_qty:
            self.modify_order(orders[-1], quantity)


def _far(side: Any, mid: float) -> float:
    return mid - 0.02 if side == OrderSide.BUY else mid + 0.02


def ample(count: int, seed: int, widest: int) -> list[QuoteTick]:
    """Return quotes of more than anybody asks for, since versions differ in what comes after a quote is used up."""
    size = PAIR.make_qty(10_000_000)
    return [
        QuoteTick(PAIR.id, one.bid_price, one.ask_price, size, size, one.ts_event, one.ts_init)
        for one in quotes(PAIR, count, seed, widest=widest)
    ]


UNLIKE = ("mtl", "stop", "trail", "touched", "bracket", "gtd")
"""What versions match differently, or expire at another time."""
MARKETS: dict[str, tuple[Any, dict[str, Any], Any, tuple[str, ...]]] = {
    "quotes": (partial(ample, 600, 6, widest=1), {}, Plain, UNLIKE),
    "books": (
        partial(books, PAIR, 600, 6, widest=1),
        {"book_type": BookType.L2_MBP},
        Plain,
        (*UNLIKE, "reduce", "close", "cross"),
    ),
    "everything": (partial(quotes, PAIR, 600, 6), {}, RandomTrader, ()),
}


def log(oms: str, data: str) -> bytes:
    """Return the gate's log of a run of two strategies; of `everything` without a restraint."""
    rows, options, trader, without = MARKETS[data]
    made, session = engine([PAIR], settings("MARGIN", oms, **options), {"latency_config": LEGS, "seed": 11})
    made.add_data(rows())
    for name in ("ST-1", "ST-2"):
        made.add_strategy(trader(PAIR, name, without=without))
    made.run()
    return encode_events(list(session.gate.events))


if __name__ == "__main__":
    runs = [("NETTING", "quotes"), ("HEDGING", "quotes"), ("NETTING", "books"), ("NETTING", "everything")]
    found = {f"{oms} {data}": hashlib.sha256(log(oms, data)).hexdigest() for oms, data in runs}
    print(json.dumps(found))  # noqa: T201
