"""Sessions on Backtrader from the command line: what they print, what they leave, and one line for each misuse."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.backtrader.engine import own

from seatrial.cli.main import main

if TYPE_CHECKING:
    from click.testing import Result

SESSION = f"""\
[session]
engine = "backtrader"

[session.engine_params.analyzers]
fall = "DrawDown"
trades = "TradeAnalyzer"

[tape]
sample = "ibm_daily"

[strategy]
path = "{own.__file__}:Crossing"
params = {{ fast = 10 }}

[latency]
profile = "normal"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a session of a Backtrader strategy."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(SESSION, "utf-8")
    return tmp_path


def seatrial(*words: str) -> Result:
    """Call the command."""
    return CliRunner().invoke(main, words, prog_name="seatrial")


def test_a_fresh_session_runs_on_backtrader(here: Path) -> None:
    """What `seatrial new` writes needs no change."""
    assert seatrial("new", "fresh.toml").exit_code == 0
    result = seatrial("run", "fresh.toml", "--engine", "backtrader")

    assert (result.exit_code, result.stderr) == (0, "")
    assert "3,270 rows on backtrader" in result.stdout.splitlines()[-1]
    assert json.loads((here / "runs" / "fresh-1" / "run.json").read_bytes())["engine"] == "backtrader"


def test_a_backtrader_strategy_runs_with_its_analyzers(here: Path) -> None:
    """Their numbers stand in the table, in the summary's file and in the record's."""
    result = seatrial("run", "s.toml")

    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.split() for line in result.stdout.splitlines()]
    record, summary = (
        json.loads((here / "runs" / "s-1" / name).read_bytes()) for name in ("record.json", "summary.json")
    )
    deepest = record["analyses"]["fall"]["max"]["drawdown"]
    assert summary["analyses"] == record["analyses"]
    assert ["analysis", "fall"] in lines
    assert ["max.drawdown", f"{deepest:,.4f}"] in lines
    assert any(line[1:] == ["more", "in", "the", "record"] for line in lines)
    assert json.loads(seatrial("summary", "s-1", "--json").stdout)


def test_an_interrupted_run_says_that_there_is_no_way_on(here: Path) -> None:
    """Ctrl-C ends the run after its row; it leaves no checkpoint, and nobody is sent after one."""
    lines = ["import os, signal", "class Storm:", "    seen = 0", "    def on_market(self, ctx, event):"]
    lines += ["        self.seen += 1", "        if self.seen == 500: os.kill(os.getpid(), signal.SIGINT)"]
    (here / "storm.py").write_text("\n".join(lines), "utf-8")
    session = '[session]\nengine = "backtrader"\n[tape]\nsample = "ibm_daily"\n[strategy]\npath = "storm.py:Storm"\n'
    (here / "storm.toml").write_text(session, "utf-8")
    result = seatrial("run", "storm.toml")

    assert result.exit_code == 130
    assert "after row 500; this engine leaves no checkpoint to go on from" in result.stderr
    assert "--resume" not in result.stderr


def test_it_is_listed(here: Path) -> None:
    """`seatrial engines` says that it is ready, and with which Backtrader."""
    result = seatrial("engines", "--json")

    [ours] = [one for one in json.loads(result.stdout) if one["name"] == "backtrader"]
    assert ours["problem"] is None
    assert own.bt.__version__ in ours["version"]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('"DrawDown"', '"DrawDwn"', "analyzers.fall='DrawDwn': it is no analyzer; "),
        ("fast = 10", "fst = 10", "it takes no 'fst'; its params are fast, size, slow"),
        (":Crossing", ":Crosing", "own.py has no class 'Crosing'; did you mean 'Crossing'?"),
        ('"ibm_daily"', '"ticks"', "quotes"),
        ("[latency]", "[costs]\nlimit_fill = 'through'\n[latency]", "limit_fill"),
        (":Crossing", ":Failing", "params are none"),
        ('engine = "backtrader"', 'engine = "backtrader"\ncheckpoint_every = "bar"', "checkpoints"),
    ],
)
def test_misuse_is_told_in_one_line(here: Path, old: str, new: str, line: str) -> None:
    """The whole of stderr is one line, and no run is left behind."""
    (here / "s.toml").write_text(SESSION.replace(old, new), "utf-8")
    result = seatrial("run", "s.toml")

    assert result.exit_code not in {0, None}
    assert result.stderr.startswith("seatrial: ")
    assert line in result.stderr
    assert result.stderr.count("\n") == 1
    assert not list((here / "runs").glob("*"))
