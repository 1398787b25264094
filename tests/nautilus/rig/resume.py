"""A backtest that is cut, written to a file, and gone on with in another process, against the one that never stopped.

`resume.py first CASE CUT FOLDER` runs up to the cut and writes the checkpoint, then all of it; `second` goes on from
the file. Each prints what was heard after the cut, as JSON.
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

from nautilus_trader.model.enums import BookType  # noqa: E402
from tests.nautilus.rig import market  # noqa: E402
from tests.nautilus.rig.trader import RandomTrader  # noqa: E402
from tests.nautilus.rig.voyage import engine, heard, settings  # noqa: E402

from seatrial import CheckpointManager, DrawdownLimitRule, LatencyConfig, RiskConfig, Uniform  # noqa: E402
from seatrial_nautilus.v1.checkpoint import snapshot  # noqa: E402

MS = market.MS
ROWS = 400
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "netting": ("NETTING", "quotes", {}),
    "hedging": ("HEDGING", "quotes", {}),
    "books": ("NETTING", "books", {"book_type": BookType.L2_MBP}),
}
GATE: dict[str, Any] = {
    "latency_config": LatencyConfig(
        submit=Uniform(MS, 40 * MS), ack=Uniform(0, 5 * MS), fill=Uniform(3 * MS, 60 * MS), cancel=Uniform(MS, 30 * MS)
    ),
    "risk_config": RiskConfig(drawdown_limit=DrawdownLimitRule(max_total_drawdown_pct=Decimal(50))),
    "seed": 7,
}


def sailed(case: str, rows: list[Any], *, start: int | None = None, streaming: bool = False, **more: Any) -> Any:
    """Return engine, session and traders after a run over `rows`."""
    oms, data, options = CASES[case]
    made, session = engine([market.PAIR], settings("MARGIN", oms, **options), {**GATE, **more})
    made.add_data(rows)
    without = ("bracket", "pair") if data == "books" else ()
    traders = [RandomTrader(market.PAIR, name, without=without) for name in ("ST-1", "ST-2")]
    for trader in traders:
        made.add_strategy(trader)
    made.run(start=start, streaming=streaming)
    return made, session, traders


if __name__ == "__main__":
    step, chosen, cut, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
    tape = getattr(market, CASES[chosen][1])(market.PAIR, ROWS, 5)
    at = tape[cut].ts_init
    if step == "first":
        made, session, traders = sailed(chosen, tape[: cut + 1], streaming=True)
        with CheckpointManager(folder) as manager:
            manager.save_checkpoint(snapshot(session))
        made, session, traders = sailed(chosen, tape)
    else:
        checkpoint = CheckpointManager(folder).load_checkpoint("sim")
        made, session, traders = sailed(chosen, tape[cut + 1 :], start=at, resume_from=checkpoint)
    found = heard(made, traders, after=at)
    found["log"] = [repr(event) for event in session.gate.events]
    print(json.dumps(found))  # noqa: T201
