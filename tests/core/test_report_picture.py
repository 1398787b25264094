"""The picture of a run is one HTML file that shows its equity and its falls, and asks no network for anything."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from seatrial import Quote
from seatrial.contracts.checkpoint import AccountSummary
from seatrial.contracts.engine import EngineInfo, EquityPoint, RunRecord
from seatrial.contracts.scenario import ExecutionConfig, Scenario, Tape
from seatrial.contracts.terms import TradingState
from seatrial.report.picture import PictureError, draw, save_picture

if TYPE_CHECKING:
    from pathlib import Path

START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
EQUITY = ("1000", "1200", "900", "1200", "1300.50")


@pytest.fixture
def record() -> RunRecord:
    """Return a record that has nothing but an account and five samples, a second apart."""
    account = AccountSummary(
        initial_cash=Decimal(1000),
        cash=Decimal("1300.50"),
        equity=Decimal("1300.50"),
        positions={},
        trading_state=TradingState.ACTIVE,
    )
    tape = Tape(rows=(Quote(START, "X", Decimal(9), Decimal(10)),))
    return RunRecord(
        engine=EngineInfo(name="none", version="0", capabilities=()),
        scenario=Scenario(tape=tape, execution=ExecutionConfig(simulator_id="paper-001")),
        seatrial="0",
        started=START,
        ended=START + 4 * SECOND,
        rows=5,
        stopped=None,
        events=(),
        orders=(),
        account=account,
        equity=tuple(EquityPoint(START + at * SECOND, Decimal(value)) for at, value in enumerate(EQUITY)),
        max_drawdown_pct=Decimal("25.125"),
        decisions=(),
    )


@pytest.fixture
def plotly() -> None:
    """Skip where plotly, which only the extra `plot` brings, is not installed."""
    pytest.importorskip("plotly", reason="plotly is not installed: pip install 'seatrial[plot]'")


def drawn(text: str) -> list[dict[str, Any]]:
    """Return what the page tells plotly to draw."""
    match = re.search(r'Plotly\.newPlot\(\s*"seatrial",\s*', text)
    assert match is not None
    traces: list[dict[str, Any]] = json.JSONDecoder().raw_decode(text, match.end())[0]
    return traces


@pytest.mark.usefixtures("plotly")
def test_page_shows_equity_and_falls(record: RunRecord, tmp_path: Path) -> None:
    """Five samples: the fall from 1200 to 900 is 25 per cent, and nothing falls from a new peak."""
    path = save_picture(record, tmp_path / "run.html")

    equity, drawdown = drawn(path.read_text("utf-8"))

    assert equity["y"] == [1000, 1200, 900, 1200, 1300.5]
    assert drawdown["y"] == [0, 0, -25, 0, 0]
    assert equity["x"] == drawdown["x"]
    assert equity["x"][0] == "2023-11-14 22:13:20.000000"
    assert equity["x"][-1] == "2023-11-14 22:13:24.000000"


@pytest.mark.usefixtures("plotly")
def test_page_loads_nothing(record: RunRecord, tmp_path: Path) -> None:
    """No script, style or image of the page comes from elsewhere."""
    text = save_picture(record, str(tmp_path / "run.HTML")).read_text("utf-8")

    tags = re.sub(r"<script[^>]*>.*?</script>", lambda script: script[0].partition(">")[0], text, flags=re.DOTALL)

    assert "<script" in tags
    assert not re.search(r"\b(src|href)\s*=", tags)


@pytest.mark.usefixtures("plotly")
def test_same_record_gives_the_same_page(record: RunRecord, tmp_path: Path) -> None:
    """There is neither chance nor a clock in a picture."""
    first, second = (save_picture(record, tmp_path / name) for name in ("a.html", "b.html"))

    assert first.read_bytes() == second.read_bytes()


@pytest.mark.usefixtures("plotly")
def test_account_without_money_falls_nowhere(record: RunRecord) -> None:
    """From a peak of zero there is no percentage to fall by; from the next one there is."""
    samples = [EquityPoint(START + at * SECOND, Decimal(value)) for at, value in enumerate((0, -5, 10, 5))]

    _, drawdown = draw(msgspec.structs.replace(record, equity=tuple(samples))).data

    assert list(drawdown.y) == [0, 0, 0, -50]


@pytest.mark.usefixtures("plotly")
def test_title_tells_what_it_came_to(record: RunRecord) -> None:
    """The exact drawdown of the record stands there, not that of the samples."""
    title = draw(record).layout.title.text

    assert title == "paper-001: 1,000.00 to 1,300.50, deepest drawdown 25.12 %"


@pytest.mark.usefixtures("plotly")
def test_png_without_kaleido_says_what_to_do(
    record: RunRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PNG takes one more library; where it is missing nothing is written."""
    monkeypatch.setitem(sys.modules, "kaleido", None)

    with pytest.raises(PictureError, match=r"^no picture: kaleido is not installed; run: pip install kaleido, or give"):
        save_picture(record, tmp_path / "run.png")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("plotly")
def test_place_that_cannot_be_written_is_one_line(record: RunRecord, tmp_path: Path) -> None:
    """A folder that does not exist is told by name."""
    path = tmp_path / "nowhere" / "run.html"

    with pytest.raises(PictureError, match=r"nowhere.run\.html cannot be written \(No such file or directory\)$"):
        save_picture(record, path)


def test_missing_plotly_is_one_line(record: RunRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where plotly is not installed the error is the line that installs it."""
    for name in ("plotly", "plotly.subplots", "plotly.graph_objects"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(PictureError) as caught:
        save_picture(record, tmp_path / "run.html")

    assert str(caught.value) == "no picture: plotly is not installed; run: pip install 'seatrial[plot]'"


@pytest.mark.parametrize("name", ["run.svg", "run", "run.html.gz"])
def test_other_kinds_of_file_are_refused(record: RunRecord, tmp_path: Path, name: str) -> None:
    """The name's ending decides; one that says nothing is no picture."""
    with pytest.raises(PictureError, match=r"ends in neither \.html nor \.png"):
        save_picture(record, tmp_path / name)


def test_reports_load_nothing_that_draws() -> None:
    """All reports together bring in neither plotly nor what it is often used with."""
    modules = "seatrial.report.picture, seatrial.report.table, seatrial.report.orders, seatrial.report.why"
    program = f"import sys, {modules}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"

    shown = subprocess.run([sys.executable, "-I", "-c", program], check=True, capture_output=True, text=True).stdout

    assert "seatrial" in shown.split()
    assert {"plotly", "kaleido", "numpy", "pandas"}.isdisjoint(shown.split())
