"""Runs the same traders with the gate and on the stock venue alone, and prints where they differ, as JSON.

`parity.py CASE,CASE ROWS SEED`, for example `margin-netting-quotes,two:cash-hedging-depths 1500 21`, with a fixed
PYTHONHASHSEED: a line for each case. Accounts: margin, cash; OMS: netting, hedging; data: quotes, trades, bars, books
(whole ones, by level), changes (of a book by level), orders (changes, by order), depths, unnamed (quotes, positions get
no ids).
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from nautilus_trader.model.data import QuoteTick  # noqa: E402
from nautilus_trader.model.identifiers import Venue  # noqa: E402
from nautilus_trader.system import kernel  # noqa: E402
from nautilus_trader.test_kit.providers import TestInstrumentProvider  # noqa: E402
from tests.nautilus.rig.market import PAIR, quotes  # noqa: E402
from tests.nautilus.rig.trader import AnsweringTrader, DepthTrader, RandomTrader  # noqa: E402
from tests.nautilus.rig.voyage import engine, heard, settings, tape  # noqa: E402

from seatrial import Constant, LatencyConfig  # noqa: E402
from seatrial_nautilus.v1.backtest import attach  # noqa: E402
from seatrial_nautilus.v1.venue_cache import OrderedCache  # noqa: E402

# the stock venue walks through the exits of a position by hash, the gate's as they were made; here both do
kernel.Cache = OrderedCache  # pyright: ignore[reportPrivateImportUsage]


BOOKS = {"books", "changes", "orders", "depths"}
XTWO = Venue("XTWO")
OTHER: Any = TestInstrumentProvider.default_fx_ccy("GBP/USD", XTWO)


def _at(instrument: Any, tick: Any) -> Any:
    """Return a quote of another instrument."""
    return QuoteTick(
        instrument.id, tick.bid_price, tick.ask_price, tick.bid_size, tick.ask_size, tick.ts_event, tick.ts_init
    )


def run(case: str, count: int, seed: int, *, gate: bool) -> dict[str, Any]:
    """Return what was heard in one run of a case.

    `late:` before its name delays a leg of the gate's by one ns, `two:` adds a second venue, where others trade quotes,
    `answers:` lets traders answer their fills at once, and `abroad:` lets them do so at that second venue.
    """
    *ways, name = case.split(":")
    account, oms, maker, instrument, more = tape(name)
    delays = {"latency_config": LatencyConfig(fill=Constant(1))} if "late" in ways else {}
    options = settings(account, oms, **more)
    made, _ = engine([instrument], options, delays if gate else None)
    made.add_data(maker(count, seed))
    names = ("ST-1", "ST-2")[: 1 + seed % 2]
    kind = name.rpartition("-")[2]
    without: tuple[str, ...] = (
        "cancel_all",
        "partial_bracket",
        *(("bracket", "reduce", "close", "mtl") if kind in BOOKS else ()),
    )
    if "answers" in ways and kind == "bars":  # the stock venue sees a pending status in the middle of a bar
        without += ("cancel", "modify")
    manners = [DepthTrader] * (kind == "depths") + [AnsweringTrader] * ("answers" in ways)
    trader: Any = type("Trader", (*manners, RandomTrader), {})
    traders = [trader(instrument, one, sells_short=account == "MARGIN", without=without) for one in names]
    if "two" in ways:
        there = {"venue": XTWO, **settings("MARGIN", "HEDGING" if oms == "NETTING" else "NETTING")}
        if gate:
            attach(made, simulator_id="two", **there)
        else:
            made.add_venue(**there)
        made.add_instrument(OTHER)
        made.add_data([_at(OTHER, one) for one in quotes(PAIR, count, seed + 1)])
        traders.append(RandomTrader(OTHER, "ST-3", without=without))
        for one in traders:
            one.lines = traders[0].lines  # who hears what first counts too
            one.abroad = OTHER if "abroad" in ways else None
    for one in traders:
        made.add_strategy(one)
    made.run()
    found = heard(made, traders[:1] if "two" in ways else traders)
    if "two" in ways:
        account_there = made.kernel.cache.account_for_venue(XTWO)
        found["there"] = sorted(map(str, (*account_there.balances().values(), *account_there.margins().values())))
    return found


def compared(case: str, count: int, seed: int) -> dict[str, Any]:
    """Return where the gate and the stock venue differ, and of what the comparison was."""
    ours, stock = run(case, count, seed, gate=True), run(case, count, seed, gate=False)
    first = next((pair for pair in zip(ours["lines"], stock["lines"], strict=False) if pair[0] != pair[1]), None)
    kinds: dict[str, int] = {}
    for line in ours["lines"]:
        kinds[line.split()[1]] = kinds.get(line.split()[1], 0) + 1
    differing = [key for key in ours if ours[key] != stock[key]]
    return {"differing": differing, "first": first, "kinds": kinds, "orders": len(ours["orders"])}


if __name__ == "__main__":
    for one in sys.argv[1].split(","):
        print(json.dumps(compared(one, int(sys.argv[2]), int(sys.argv[3]))), flush=True)  # noqa: T201
