"""Backtests that are cut many times over, and gone on with from each cut, against the ones that never stopped.

`resume.py first FOLDER CASE:CUT,CUT …` runs each case without a stop, then once more with a checkpoint at each cut;
`second` goes on from each of them, in another process. Each prints what was heard after each cut, as JSON.
"""

from __future__ import annotations

import json
import sys
import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.nautilus.rig.trader import DepthTrader, RandomTrader  # noqa: E402
from tests.nautilus.rig.voyage import engine, heard, settings, tape  # noqa: E402

from seatrial import CheckpointManager, DrawdownLimitRule, LatencyConfig, RiskConfig, Uniform  # noqa: E402
from seatrial_nautilus.v1.checkpoint import snapshot  # noqa: E402

MS = 1_000_000
ROWS = 220
GATE: dict[str, Any] = {
    "latency_config": LatencyConfig(
        submit=Uniform(MS, 40 * MS),
        ack=Uniform(0, 5 * MS),
        fill=Uniform(3 * MS, 60 * MS),
        cancel=Uniform(MS, 30 * MS),
        modify=Uniform(MS, 50 * MS),
    ),
    "risk_config": RiskConfig(drawdown_limit=DrawdownLimitRule(max_total_drawdown_pct=Decimal(50))),
    "seed": 7,
}


def prepared(case: str, **more: Any) -> tuple[Any, Any, list[Any]]:
    """Return engine, session and traders of a case, before they have seen anything."""
    account, oms, _, instrument, options = tape(case)
    made, session = engine([instrument], settings(account, oms, **options), {**GATE, **more})
    trader = DepthTrader if case.endswith("depths") else RandomTrader
    traders = [trader(instrument, name, sells_short=account == "MARGIN") for name in ("ST-1", "ST-2")]
    for trader in traders:
        made.add_strategy(trader)
    return made, session, traders


def cut(case: str, rows: list[Any], cuts: list[int], folder: Path) -> tuple[Any, Any, list[Any]]:
    """Run with a checkpoint written at each cut."""
    made, session, traders = prepared(case)
    begin = 0
    for end in [*(one + 1 for one in cuts), len(rows)]:
        made.add_data(rows[begin:end])
        made.run(streaming=True)
        made.clear_data()
        begin = end
        if end - 1 in cuts:
            with CheckpointManager(folder / str(end - 1)) as manager:
                manager.save_checkpoint(snapshot(session))
    made.end()
    return made, session, traders


def resumed(case: str, rows: list[Any], at: int, folder: Path) -> tuple[Any, Any, list[Any]]:
    """Run on from the checkpoint that was written at one cut."""
    checkpoint = CheckpointManager(folder / str(at)).load_checkpoint("sim")
    made, session, traders = prepared(case, resume_from=checkpoint)
    made.add_data(rows[at + 1 :])
    made.run(start=rows[at].ts_init)
    return made, session, traders


def seen(made: Any, session: Any, traders: list[Any], after: int) -> dict[str, Any]:
    """Return what was heard later than `after`, and the gate's whole log."""
    found = heard(made, traders, after)
    found["log"] = [repr(event) for event in session.gate.events]
    return found


def first(case: str, cuts: list[int], folder: Path) -> dict[str, Any]:
    """Return what is heard after each cut where nothing is cut, and all of what is heard with and without cuts."""
    rows = tape(case)[2](ROWS, 5)
    whole = prepared(case)
    whole[0].add_data(rows)
    whole[0].run()
    parted = cut(case, rows, cuts, folder)
    found = {str(one): seen(*whole, rows[one].ts_init) for one in cuts}
    return {**found, "whole": seen(*whole, 0), "parted": seen(*parted, 0)}


def second(case: str, cuts: list[int], folder: Path) -> dict[str, Any]:
    """Return what is heard after each cut where the backtest goes on from there."""
    rows = tape(case)[2](ROWS, 5)
    return {str(one): seen(*resumed(case, rows, one, folder), rows[one].ts_init) for one in cuts}


if __name__ == "__main__":
    step, where = {"first": first, "second": second}[sys.argv[1]], Path(sys.argv[2])
    found: dict[str, Any] = {}
    for chosen, _, numbers in (one.partition(":") for one in sys.argv[3:]):
        found[chosen] = step(chosen, sorted(map(int, numbers.split(","))), where / chosen)
    print(json.dumps(found))  # noqa: T201
