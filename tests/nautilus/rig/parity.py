"""Runs the same traders with the gate and on the stock venue alone, and prints where they differ, as JSON."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from nautilus_trader.system import kernel  # noqa: E402
from tests.nautilus.rig.trader import RandomTrader  # noqa: E402
from tests.nautilus.rig.voyage import engine, heard, settings, tape  # noqa: E402

from seatrial import Constant, LatencyConfig  # noqa: E402
from seatrial_nautilus.v1.venue_cache import OrderedCache  # noqa: E402

# the stock venue walks through the exits of a position by hash, the gate's as they were made; here both do
vars(kernel)["Cache"] = OrderedCache


def run(case: str, count: int, seed: int, *, gate: bool) -> dict[str, Any]:
    """Return what was heard in one run of a case; `late:` before its name delays a leg of the gate's by one ns."""
    late = case.startswith("late:")
    account, oms, maker, instrument, more = tape(case.removeprefix("late:"))
    delays = {"latency_config": LatencyConfig(fill=Constant(1))} if late else {}
    made, _ = engine([instrument], settings(account, oms, **more), delays if gate else None)
    made.add_data(maker(count, seed))
    names = ("ST-1", "ST-2")[: 1 + seed % 2]
    books = case.endswith("books")
    without = ("cancel_all", "partial_bracket", *(("bracket", "reduce", "close", "mtl") if books else ()))
    traders = [RandomTrader(instrument, name, sells_short=account == "MARGIN", without=without) for name in names]
    for trader in traders:
        made.add_strategy(trader)
    made.run()
    return heard(made, traders)


if __name__ == "__main__":
    chosen, rows, start = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    ours, stock = run(chosen, rows, start, gate=True), run(chosen, rows, start, gate=False)
    first = next((pair for pair in zip(ours["lines"], stock["lines"], strict=False) if pair[0] != pair[1]), None)
    differing = [key for key in ours if ours[key] != stock[key]]
    kinds: dict[str, int] = {}
    for line in ours["lines"]:
        kinds[line.split()[1]] = kinds.get(line.split()[1], 0) + 1
    print(json.dumps({"differing": differing, "first": first, "kinds": kinds, "orders": len(ours["orders"])}))  # noqa: T201
