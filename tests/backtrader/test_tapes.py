"""What a feed of Backtrader's shows is the tape of a session, on any engine."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import backtrader
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.backtrader.engine import own

from seatrial.contracts.engine import RunRecord
from seatrial.contracts.market import Bar, Instrument, Trade
from seatrial.contracts.scenario import Scenario, StrategyRef, Tape
from seatrial.data.sample import ibm_daily
from seatrial.data.tape import sample_instruments
from seatrial.errors import InvalidConfigError, InvalidMarketDataError
from seatrial.plugins import installed_plugins
from seatrial_backtrader import tape_of

bt: Any = backtrader  # whose modules hide what they hold from a type checker
IBM = [Instrument(symbol="IBM", calendar=one.calendar) for one in sample_instruments("ibm_daily")]  # on no grid
VOYAGE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "voyage" / "strategies.py"
NAN = float("nan")


def frame(stamps: list[str], **columns: list[float]) -> pd.DataFrame:
    """Return a table with the columns that PandasData looks for; prices are 10 unless given."""
    base: dict[str, Any] = dict.fromkeys(("open", "high", "low", "close"), [10.0] * len(stamps))
    return pd.DataFrame({**base, "volume": [0.0] * len(stamps), **columns}, index=pd.to_datetime(stamps))


def daily() -> Any:
    """Return a feed of IBM as most scripts have it: one row per date, in floats."""
    rows = list(ibm_daily())
    table = frame(
        [f"{pd.Timestamp(row.ts, tz='UTC').tz_convert('America/New_York'):%Y-%m-%d}" for row in rows],
        **{name: [float(getattr(row, name)) for row in rows] for name in ("open", "high", "low", "close", "volume")},
    )
    return bt.feeds.PandasData(dataname=table)


def test_a_pandas_feed_of_ibm_is_the_sample_itself() -> None:
    """Dates become the closes of their sessions, floats the decimals that were written."""
    given = tape_of({"IBM": daily()}, IBM)

    assert [(row.ts, row.symbol, row.close, row.volume) for row in given.rows if isinstance(row, Bar)] == [
        (row.ts, row.symbol, row.close, row.volume) for row in ibm_daily()
    ]


@pytest.mark.parametrize("engine", ["backtrader", "native"])
def test_a_session_runs_on_it(engine: str) -> None:
    """A strategy trades on the table as it does on the bundled file, in Backtrader and without it."""
    path = f"{own.__file__}:Crossing" if engine == "backtrader" else f"{VOYAGE}:Crossing"

    def outcome(tape: Tape) -> RunRecord:
        scenario = Scenario(tape=tape, instruments=tuple(IBM), strategy=StrategyRef(path=path))
        return installed_plugins().engine(engine).run(scenario)

    given, bundled = outcome(tape_of({"IBM": daily()}, IBM)), outcome(Tape(sample="ibm_daily"))

    assert given.events == bundled.events
    assert given.account == bundled.account
    assert len(given.events) > 10


def test_stamps_with_a_time_are_when_a_bar_ends() -> None:
    """Minutes end at their stamps, two feeds come merged in time, and a missing volume is none."""
    minutes = {"timeframe": bt.TimeFrame.Minutes}
    a = bt.feeds.PandasData(dataname=frame(["2024-08-08 14:30", "2024-08-08 14:32"], volume=[NAN, 7.5]), **minutes)
    b = bt.feeds.PandasData(dataname=frame(["2024-08-08 14:31"], close=[9.9], low=[9.9]), **minutes)

    rows = tape_of({"A": a, "B": b}).rows

    start = pd.Timestamp("2024-08-08 14:30", tz="UTC").value
    assert [(row.symbol, row.ts - start) for row in rows] == [("A", 0), ("B", 60 * 10**9), ("A", 120 * 10**9)]
    assert [row.volume for row in rows if isinstance(row, Bar)] == [None, 0, Decimal("7.5")]
    assert isinstance(rows[1], Bar)
    assert rows[1].close == Decimal("9.9")


def test_ticks_are_trades() -> None:
    """A feed of ticks has one price a time."""
    feed = bt.feeds.PandasData(
        dataname=frame(["2024-08-08 14:30:00.25"], close=[10.01], volume=[3.0]), timeframe=bt.TimeFrame.Ticks
    )

    [row] = tape_of({"A": feed}).rows

    assert row == Trade(row.ts, "A", Decimal("10.01"), Decimal(3))
    assert row.ts % 10**9 == 250_000_000


def test_without_a_calendar_a_day_ends_at_midnight() -> None:
    """A bar stamped with its date ends when the date does, so that nobody trades on it that day."""
    [row] = tape_of({"A": bt.feeds.PandasData(dataname=frame(["2024-08-08"]))}).rows

    assert row.ts == pd.Timestamp("2024-08-09", tz="UTC").value


class _Live(bt.feeds.PandasData):
    def islive(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("feed", "error", "told"),
    [
        (frame(["2024-08-08"]), InvalidConfigError, "what A names is no feed; give a bt.feeds.PandasData or so"),
        (_Live(dataname=frame(["2024-08-08"])), InvalidConfigError, "the feed of A is live and never ends"),
        (
            bt.feeds.PandasData(dataname=frame(["2024-08-08"]), fromdate=pd.Timestamp("2025-01-01")),
            InvalidConfigError,
            "the feed of A has no bar; look at its dates",
        ),
        (bt.feeds.PandasData(dataname=frame(["2024-08-10"])), InvalidConfigError, "2024-08-10 is a Saturday"),
        (bt.feeds.PandasData(dataname=frame(["2024-08-08"], open=[NAN])), InvalidMarketDataError, "'A': open"),
        (bt.feeds.PandasData(dataname=frame(["2024-08-08"], high=[9.0])), InvalidMarketDataError, "low..high"),
    ],
)
def test_what_cannot_be_a_tape_is_refused(feed: Any, error: type[Exception], told: str) -> None:
    """The message names the feed and what is wrong with it."""
    instrument = Instrument(symbol="A", calendar=IBM[0].calendar)

    with pytest.raises(error, match=told.replace("(", r"\(")):
        tape_of({"A": feed}, [instrument])
