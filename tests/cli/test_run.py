"""`seatrial run`: what a run prints, and the folder it leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from seatrial.contracts.engine import RunRecord
from seatrial.report.picture import PictureError
from seatrial.report.summary import RunSummary, summarize

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

BARS = (
    "date,open,high,low,close,volume\n2024-01-02,10,11,9,10,500\n2024-01-03,10,x,9,10,500\n2024-01-04,10,11,9,10,500\n"
)


def test_run_leaves_a_folder(here: Path, seatrial: Callable[..., Result]) -> None:
    """A run's folder holds the session as it was, the record, its events and its summary, each whole."""
    result = seatrial("run", "voyage.toml")

    assert (result.exit_code, result.stderr) == (0, "")
    folder = here / "runs" / "voyage-1"
    assert sorted(path.name for path in folder.iterdir()) == [
        "events.jsonl",
        "record.json",
        "run.json",
        "session.toml",
        "summary.json",
    ]
    assert (folder / "session.toml").read_bytes() == (here / "voyage.toml").read_bytes()
    record = msgspec.json.decode((folder / "record.json").read_bytes(), type=RunRecord)
    assert record.rows == 3_270
    assert len((folder / "events.jsonl").read_text("utf-8").splitlines()) == len(record.events) > 0
    assert msgspec.json.decode((folder / "summary.json").read_bytes(), type=RunSummary) == summarize(
        record, name="voyage"
    )
    assert json.loads((folder / "run.json").read_bytes()) == {
        "session": str(here / "voyage.toml"),
        "engine": "native",
        "overrides": {},
        "state": "complete",
        "started": record.started,
        "ended": record.ended,
        "rows": 3_270,
    }


def test_run_prints_its_summary(here: Path, seatrial: Callable[..., Result]) -> None:
    """The summary comes first, the run's name and place last."""
    lines = seatrial("run", "voyage.toml").stdout.splitlines()

    assert lines[0].strip() == "voyage"
    assert any(line.startswith("equity") for line in lines)
    assert lines[-1].startswith("run voyage-1: runs/voyage-1, 3,270 rows on native ")


def test_runs_are_numbered(here: Path, seatrial: Callable[..., Result]) -> None:
    """A second run gets the next number, also where an earlier one was removed, and leaves the first as it is."""
    seatrial("run", "voyage.toml")
    (here / "runs" / "voyage-4").mkdir()

    result = seatrial("run", "voyage.toml")

    assert result.stdout.splitlines()[-1].startswith("run voyage-5: ")
    assert (here / "runs" / "voyage-1" / "record.json").exists()


def test_same_session_leaves_the_same_files(here: Path, seatrial: Callable[..., Result]) -> None:
    """Two runs of one session differ in nothing, to the byte."""
    seatrial("run", "voyage.toml", "--out", "a")
    seatrial("run", "voyage.toml", "--out", "b")

    names = sorted(path.name for path in (here / "a").iterdir())
    assert names == sorted(path.name for path in (here / "b").iterdir())
    assert all((here / "a" / name).read_bytes() == (here / "b" / name).read_bytes() for name in names)


def test_session_may_name_its_runs(here: Path, seatrial: Callable[..., Result]) -> None:
    """The name under [session] goes before the file's."""
    text = (here / "voyage.toml").read_text("utf-8")
    (here / "voyage.toml").write_text(text.replace("[session]", '[session]\nname = "maiden"'), "utf-8")

    assert "run maiden-1: " in seatrial("run", "voyage.toml").stdout


def test_json_is_one_document(here: Path, seatrial: Callable[..., Result]) -> None:
    """With --json nothing but one JSON document is printed, with all that a script asks for."""
    result = seatrial("run", "voyage.toml", "--json")

    told = json.loads(result.stdout)
    assert (told["run"], told["path"], told["state"]) == ("voyage-1", "runs/voyage-1", "complete")
    assert told["summary"] == json.loads((here / "runs/voyage-1/summary.json").read_bytes())


def test_command_line_changes_the_run(here: Path, seatrial: Callable[..., Result]) -> None:
    """--latency and --seed take the place of what the session says, and the run's folder remembers them."""
    seatrial("run", "voyage.toml", "--latency", "instant", "--seed", "8")

    folder = here / "runs" / "voyage-1"
    record = msgspec.json.decode((folder / "record.json").read_bytes(), type=RunRecord)
    assert record.scenario.execution.seed == 8
    assert all(event.timestamp == event.reported_at for event in record.events)
    assert json.loads((folder / "run.json").read_bytes())["overrides"] == {"latency": "instant", "seed": 8}


def test_runs_may_be_kept_elsewhere(here: Path, seatrial: Callable[..., Result]) -> None:
    """--runs names another folder, and the commands that read runs take it too."""
    seatrial("run", "voyage.toml", "--runs", "elsewhere")

    assert (here / "elsewhere" / "voyage-1").is_dir()
    assert not (here / "runs").exists()
    assert seatrial("summary", "latest", "--runs", "elsewhere").exit_code == 0


def test_failed_run_leaves_a_folder_of_the_user_as_it_was(here: Path, seatrial: Callable[..., Result]) -> None:
    """A folder that was there stays, empty as it was; one that was made for the run goes."""
    (here / "buyer.py").write_text("class Buyer:\n    def on_market(self, ctx, event):\n        1 / 0\n", "utf-8")
    (here / "mine").mkdir()

    codes = [seatrial("run", "voyage.toml", "--out", out).exit_code for out in ("mine", "fresh")]

    assert codes == [2, 2]
    assert list((here / "mine").iterdir()) == []
    assert not (here / "fresh").exists()


@pytest.mark.parametrize("library", ["plotly", "kaleido"])
def test_picture_that_cannot_be_drawn_is_told_before_the_run(
    here: Path, seatrial: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    """A missing library costs no run."""
    pytest.importorskip("plotly", reason="plotly is not installed: pip install 'seatrial[plot]'")
    monkeypatch.setitem(sys.modules, library, None)

    result = seatrial("run", "voyage.toml", "--picture", "png")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"seatrial: no picture: {library} is not installed; run: pip install ")
    assert not (here / "runs").exists()


@pytest.mark.parametrize("storm", [False, True])
def test_picture_that_fails_after_the_run_takes_nothing_with_it(
    here: Path, seatrial: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, storm: bool
) -> None:
    """The summary, or how to go on, is told all the same, and the folder is whole."""
    if storm:
        (here / "storm").touch()
        text = (here / "voyage.toml").read_text("utf-8")
        (here / "voyage.toml").write_text(text.replace(':Buyer"', ':Buyer"\nparams = { dies = 9 }'), "utf-8")

    def no_browser(*_: object) -> None:
        raise PictureError("kaleido", "cannot draw a PNG (no Chrome)")

    monkeypatch.setattr("seatrial.cli.run.check_picture", lambda _: None)
    monkeypatch.setattr("seatrial.cli.run.save_picture", no_browser)

    result = seatrial("run", "voyage.toml", "--picture", "png")

    assert result.exit_code == 2
    assert result.stderr.endswith("seatrial: no picture: kaleido cannot draw a PNG (no Chrome)\n")
    assert ("go on with: " in result.stderr) is storm
    assert ("run voyage-1: " in result.stdout) is not storm
    assert (here / "runs/voyage-1/summary.json").is_file()


def test_picture_is_drawn_into_the_folder(here: Path, seatrial: Callable[..., Result]) -> None:
    """--picture alone draws HTML, which is told."""
    result = seatrial("run", "voyage.toml", "--picture")

    assert "picture: runs/voyage-1/equity.html\n" in result.stdout
    assert b"<html" in (here / "runs/voyage-1/equity.html").read_bytes()[:200]


def test_session_elsewhere_finds_what_lies_beside_it(here: Path, seatrial: Callable[..., Result]) -> None:
    """Paths are relative to the session file, and a strategy may import its neighbours."""
    folder = here / "deep" / "down"
    folder.mkdir(parents=True)
    (folder / "bars.csv").write_text(BARS.replace("x", "11"), "utf-8")
    (folder / "neighbour.py").write_text("SIZE = 7\n", "utf-8")
    strategy = "import neighbour\n\n\nclass S:\n    def on_start(self, ctx):\n        ctx.buy('A', neighbour.SIZE)\n"
    (folder / "own.py").write_text(strategy, "utf-8")
    text = '[strategy]\npath = "own.py:S"\n[[tape.files]]\npath = "bars.csv"\nkind = "bars"\nsymbol = "A"\n'
    (folder / "s.toml").write_text(text, "utf-8")

    result = seatrial("run", folder / "s.toml", "--json")

    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["summary"]["positions"] == {"A": "7"}


def test_dropped_rows_are_told(here: Path, seatrial: Callable[..., Result]) -> None:
    """A tape that was repaired says so, with the first row that was dropped."""
    (here / "bars.csv").write_text(BARS, "utf-8")
    text = '[strategy]\npath = "buyer.py:Buyer"\n[tape]\nrepair = true\n'
    text += '[[tape.files]]\npath = "bars.csv"\nkind = "bars"\nsymbol = "A"\n'
    (here / "s.toml").write_text(text, "utf-8")

    result = seatrial("run", "s.toml")

    assert "1 rows of the tape were dropped, the first: bars.csv:3: " in result.stdout


def test_time_to_stop_ends_a_run(here: Path, seatrial: Callable[..., Result]) -> None:
    """A run with a time to stop is complete when it is reached."""
    text = (here / "voyage.toml").read_text("utf-8")
    (here / "voyage.toml").write_text(text.replace("[session]", "[session]\nstop = 2001-01-01T00:00:00Z"), "utf-8")

    result = seatrial("run", "voyage.toml", "--json")

    told = json.loads(result.stdout)
    assert (result.exit_code, told["state"], told["ended"]) == (0, "complete", 978_307_200_000_000_000)


def test_time_to_stop_before_the_first_row_is_told(here: Path, seatrial: Callable[..., Result]) -> None:
    """Nothing happened then, which nobody wants: most likely the year is wrong."""
    text = (here / "voyage.toml").read_text("utf-8")
    (here / "voyage.toml").write_text(text.replace("[session]", "[session]\nstop = 1991-01-01T00:00:00Z"), "utf-8")

    result = seatrial("run", "voyage.toml", "--json")

    told = json.loads(result.stdout)
    line = "the time to stop, 1991-01-01T00:00:00.000000000Z, comes before the first row of the tape, "
    line += "so nothing was run; give a later one"
    assert (result.exit_code, told["rows"], told["warnings"]) == (0, 0, [line])
    assert result.stderr == f"seatrial: {line}\n"


def test_run_that_fails_at_once_leaves_nothing(here: Path, seatrial: Callable[..., Result]) -> None:
    """A mistake that is mended and run again does not count as a run."""
    (here / "buyer.py").write_text(
        "class Buyer:\n    def on_market(self, ctx, bar):\n        ctx.by('IBM', 1)\n", "utf-8"
    )

    assert seatrial("run", "voyage.toml").exit_code == 2
    assert list((here / "runs").iterdir()) == []


def test_run_that_is_stopped_at_once_leaves_nothing(here: Path, seatrial: Callable[..., Result]) -> None:
    """Two interrupts in one row end everything, and no checkpoint means no run to go on with."""
    (here / "buyer.py").write_text(
        "import os, signal\n\n\nclass Buyer:\n    def on_market(self, ctx, bar):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n        os.kill(os.getpid(), signal.SIGINT)\n",
        "utf-8",
    )

    result = seatrial("run", "voyage.toml")

    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "\nseatrial: stopped\n")
    assert list((here / "runs").iterdir()) == []


def test_reader_that_has_seen_enough_is_no_error(here: Path) -> None:
    """Output into a pipe that nobody reads any more, as `| head` makes it, ends quietly."""
    read, write = os.pipe()
    os.close(read)

    command = [sys.executable, "-Im", "seatrial", "sessions", "--schema"]
    result = subprocess.run(command, cwd=here, check=False, stdout=write, stderr=subprocess.PIPE)
    os.close(write)

    assert result.stderr == b""
