"""A NautilusTrader strategy from the command line: what it prints, what it leaves, and one line for each misuse."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")

from click.testing import CliRunner

from seatrial.cli.main import main

if TYPE_CHECKING:
    from click.testing import Result

# pandas 3 warns of how NautilusTrader 1.231 calls it
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with the session of the documentation."""
    for name in ("crossing.py", "crossing.toml"):
        shutil.copy(DOCS / "examples" / "nautilus" / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def seatrial(*words: str) -> Result:
    """Call the command."""
    return CliRunner().invoke(main, words, prog_name="seatrial")


def test_the_session_of_the_page_prints_what_the_page_shows(here: Path) -> None:
    """Each line of the page is among those printed, and the analyzer's numbers are in record and summary."""
    result = seatrial("run", "crossing.toml")

    assert (result.exit_code, result.stderr) == (0, "")
    page = (DOCS / "sessions_nautilus.md").read_text("utf-8")
    [shown] = re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    printed = [line.rstrip() for line in result.stdout.splitlines()]
    assert [line for line in shown.splitlines() if line not in printed] == []
    assert "3,270 rows on nautilus" in printed[-1]
    record, summary = (
        json.loads((here / "runs" / "crossing-1" / name).read_bytes()) for name in ("record.json", "summary.json")
    )
    assert summary["analyses"] == record["analyses"]
    assert set(record["analyses"]) == {"pnls", "returns", "general"}
    order = record["orders"][0]["order_id"]
    assert f"{order}: buy 100 IBM market" in seatrial("why", "latest", order).stdout


def test_an_interrupted_run_says_that_there_is_no_way_on(here: Path) -> None:
    """Ctrl-C ends the run after its row; it leaves no checkpoint, and nobody is sent after one."""
    strategy = (here / "crossing.py").read_text("utf-8")
    storm = "        if bar.ts_init > 1_000_000_000_000_000_000: signal.raise_signal(signal.SIGINT)\n"
    head, tail = strategy.split("        if not self.indicators_initialized():", 1)
    code = f"{head}{storm}        if not self.indicators_initialized():{tail}".replace(
        "from typing", "import signal\nfrom typing"
    )
    (here / "crossing.py").write_text(code, "utf-8")
    result = seatrial("run", "crossing.toml")

    assert result.exit_code == 130
    assert "after row 386; this engine leaves no checkpoint to go on from" in result.stderr


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("fast = 20", "fst = 20", "it takes no 'fst'; its CrossingConfig takes bar_type, fast, slow, size"),
        (":Crossing", ":Crosing", "crossing.py has no class 'Crosing'; did you mean 'Crossing'?"),
        (
            "1-DAY-LAST",
            "1-HOUR-LAST",
            "it waits for bars IBM.SIM-1-HOUR-LAST-EXTERNAL; the tape has bars IBM.SIM-1-DAY",
        ),
        ('"IBM.SIM', '"IBM.NYSE', "it waits for bars IBM.NYSE-1-DAY-LAST-EXTERNAL"),
        (
            'sample = "ibm_daily"',
            '[[tape.files]]\npath = "."\nkind = "bars"',
            "it is no catalog: no instruments are in it",
        ),
        ('engine = "nautilus"', 'engine = "nautilus"\nengine_params = { omstype = "x" }', "did you mean 'oms_type'?"),
        ('engine = "nautilus"', 'engine = "nautilus"\ncheckpoint_every = "bar"', "leaves no checkpoints; leave it out"),
        ("per_share", "slippage_bps", "prices slip by ticks; give engine_params.prob_slippage"),
    ],
)
def test_misuse_is_told_in_one_line(here: Path, old: str, new: str, line: str) -> None:
    """The whole of stderr is one line, and no run is left behind."""
    session = (here / "crossing.toml").read_text("utf-8")
    assert old in session
    (here / "crossing.toml").write_text(session.replace(old, new), "utf-8")
    result = seatrial("run", "crossing.toml")

    assert result.exit_code not in {0, None}
    assert result.stderr.startswith("seatrial: ")
    assert line in result.stderr
    assert result.stderr.count("\n") == 1
    assert not list((here / "runs").glob("*"))
