"""A backtest in which every leg is jittered: prints what happened at the venue and when it was told, or its digest.

Its orders are of kinds that all versions of NautilusTrader match alike, so that what differs would be ours.
"""

from __future__ import annotations

import hashlib
import random
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from nautilus_trader.model.data import QuoteTick  # noqa: E402
from nautilus_trader.model.enums import BookType  # noqa: E402
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
    """Changes quantities alone: versions differ in when a limit that is moved into the market fills."""

    def do_modify(self, dice: random.Random, side: Any, mid: float) -> None:
        orders = self.open_orders()
        if orders and (quantity := self._quantity(dice)) > orders[-1].filled_qty:
            self.modify_order(orders[-1], quantity)


def ample(count: int, seed: int) -> list[QuoteTick]:
    """Return quotes two ticks wide that show more than anybody asks for.

    Versions differ in how they round the middle of a tick, and in what comes after a quote is used up.
    """
    size = PAIR.make_qty(10_000_000)
    rows = [(PAIR.make_price(one.bid_price + 2 * PAIR.price_increment), one) for one in quotes(PAIR, count, seed)]
    return [QuoteTick(PAIR.id, one.bid_price, ask, size, size, one.ts_event, one.ts_init) for ask, one in rows]


W = sys.argv[2:]
MARKETS: dict[str, tuple[Any, dict[str, Any], tuple[str, ...]]] = {
    "quotes": (ample, {}, ("mtl", *W)),
    "books": (partial(books, PAIR), {"book_type": BookType.L2_MBP}, ("mtl", *W)),
}


def log(oms: str, data: str) -> bytes:
    """Return the gate's log of a run of two strategies."""
    rows, options, without = MARKETS[data]
    made, session = engine([PAIR], settings("MARGIN", oms, **options), {"latency_config": LEGS, "seed": 11})
    made.add_data(rows(600, 6))
    for name in ("ST-1", "ST-2"):
        made.add_strategy(Plain(PAIR, name, without=without))
    made.run()
    return encode_events(list(session.gate.events))


if __name__ == "__main__":
    for data in MARKETS:
        for oms in ("NETTING", "HEDGING"):
            written = log(oms, data)
            print(data, oms, len(written.splitlines()), hashlib.sha256(written).hexdigest())  # noqa: T201
            if len(sys.argv) > 1 and sys.argv[1] != "-":
                Path(sys.argv[1] + data + oms).write_bytes(written)
