"""A few seconds of a real market through all three engines, under LATENCY_NORMAL.

The data (BTCUSDT perpetual, 8 August 2024) is found by `SEATRIAL_DATA`, the folder that holds it; without it
these tests are skipped.
"""

from __future__ import annotations

import os
import sys
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.parity.cases import ParityCase
from tests.parity.engines import ENGINES, ParityEngine, missing
from tests.parity.findings import compare
from tests.parity.page import problems
from tests.parity.tapes import ParityTape

from seatrial.contracts.events import OrderExecution
from seatrial.contracts.market import Instrument, Quote
from seatrial.engine.native import NativeEngine

if TYPE_CHECKING:
    from seatrial.contracts.market import MarketEvent

NAME = "btcusdt_usdm_20240808_quotes.parquet"
SYMBOL = "BTCUSDT"
FIRST, ROWS = 12_000, 900


@cache
def quotes() -> tuple[MarketEvent, ...]:
    """Return a stretch of the file: best quotes with their displayed sizes, as they were published."""
    folder = os.environ.get("SEATRIAL_DATA")
    if not folder:
        pytest.skip("set SEATRIAL_DATA to the folder with the BTCUSDT quotes")
    parquet: Any = pytest.importorskip("pyarrow.parquet")
    rows = parquet.read_table(Path(folder) / NAME).slice(FIRST, ROWS).to_pydict()
    columns = [[Decimal(repr(value)) for value in rows[name]] for name in ("bid", "ask", "bid_size", "ask_size")]
    return tuple([Quote(ts, SYMBOL, *shown) for ts, *shown in zip(rows["ts_ns"], *columns, strict=True)])


BTCUSDT = ParityTape(
    "btcusdt",
    "real quotes",
    Instrument(symbol=SYMBOL, tick_size=Decimal("0.1"), lot_size=Decimal("0.001")),
    Decimal("1.5"),
    Decimal("0.1"),
    quotes,
)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
@pytest.mark.parametrize("strategy", ["Limits", "Stops", "Brackets", "Trails"])
def test_real_quotes_are_traded_alike(strategy: str, engine: ParityEngine) -> None:
    """NautilusTrader trades them as native does; Backtrader, which knows one price, as native does on their middle."""
    if engine in missing():
        pytest.skip(f"{engine.title} is not installed")
    case = ParityCase(strategy, BTCUSDT)
    native = NativeEngine().run(case.scenario("NORMAL"))

    found = compare(case, "NORMAL", native, engine, engine.load())

    assert sum(isinstance(event, OrderExecution) for event in native.events) >= 20
    assert found.left == ()
    assert problems([found]) == []
    assert found.rules == (("BT-NEXT", "BT-ONE-PRICE") if engine.name == "backtrader" else ())
