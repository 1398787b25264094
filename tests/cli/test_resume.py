"""A run that was stopped, or killed, comes to the same end as one that was not."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

WHOLE = ("events.jsonl", "summary.json", "session.toml")


def stormy(here: Path, dies: int, *, by: str = "SIGINT", every: str = "never", more: str = "") -> None:
    """Write a session whose strategy is hit by a signal after `dies` rows, once."""
    text = (here / "voyage.toml").read_text("utf-8")
    text = text.replace("[session]", f'[session]\n{more}checkpoint_every = "{every}"')
    text = text.replace(':Buyer"', f':Buyer"\nparams = {{ every = 50, dies = {dies}, by = "{by}" }}')
    (here / "voyage.toml").write_text(text, "utf-8")
    (here / "storm").touch()


def record(folder: Path) -> dict[str, object]:
    """Return a run's record but for where its checkpoints lie: an interrupt leaves one more."""
    found: dict[str, object] = json.loads((folder / "record.json").read_bytes())
    del found["checkpoints"]
    return found


def same(one: Path, other: Path) -> bool:
    """Return whether two runs came to the same, to the byte."""
    files = all((one / name).read_bytes() == (other / name).read_bytes() for name in WHOLE)
    return files and record(one) == record(other)


@pytest.mark.parametrize("by", ["SIGINT", "SIGTERM"])
def test_interrupted_run_goes_on_to_the_same_end(here: Path, seatrial: Callable[..., Result], by: str) -> None:
    """Ctrl-C and SIGTERM leave a checkpoint and one line that says how to go on; the rest is as if nothing happened."""
    stormy(here, 777, by=by)

    stopped = seatrial("run", "voyage.toml")
    resumed = seatrial("run", "voyage.toml", "--resume", "voyage-1")
    seatrial("run", "voyage.toml")

    assert (stopped.exit_code, stopped.stdout) == (130, "")
    assert stopped.stderr == (
        "seatrial: interrupted at 2003-04-04T21:00:00.000000000Z, after row 777; "
        "go on with: seatrial run voyage.toml --resume voyage-1\n"
    )
    assert (resumed.exit_code, resumed.stderr) == (0, "")
    assert same(here / "runs/voyage-1", here / "runs/voyage-2")


def test_line_that_says_how_to_resume_can_be_copied(here: Path, seatrial: Callable[..., Result]) -> None:
    """What stands after "go on with" is a command that goes on with the run, also from a folder of one's own."""
    stormy(here, 500)
    line = seatrial("run", "voyage.toml", "--out", "there/it is").stderr
    assert "--resume 'there/it is'" in line

    resumed = seatrial("run", "voyage.toml", "--resume", "there/it is", "--json")

    assert json.loads(resumed.stdout)["state"] == "complete"


def test_bare_resume_takes_the_sessions_latest_run(here: Path, seatrial: Callable[..., Result]) -> None:
    """`--resume` without a name, before or after the session, is enough."""
    stormy(here, 500)
    (here / "other.toml").write_bytes((here / "voyage.toml").read_bytes())
    seatrial("run", "voyage.toml")
    seatrial("run", "other.toml")

    resumed = seatrial("run", "--resume", "voyage.toml", "--json")

    assert json.loads(resumed.stdout)["run"] == "voyage-1"


def test_resume_knows_the_session_itself(here: Path, seatrial: Callable[..., Result]) -> None:
    """A run remembers which session file it came from."""
    stormy(here, 500)
    seatrial("run", "voyage.toml")

    resumed = seatrial("run", "--resume", "voyage-1", "--json")

    assert (resumed.exit_code, json.loads(resumed.stdout)["state"]) == (0, "complete")


def test_command_lines_changes_hold_again(here: Path, seatrial: Callable[..., Result]) -> None:
    """A run that began with --latency and --seed goes on with them, and is refused others."""
    stormy(here, 500)
    seatrial("run", "voyage.toml", "--latency", "slow", "--seed", "5")

    refused = seatrial("run", "voyage.toml", "--resume", "--seed", "6")
    resumed = seatrial("run", "voyage.toml", "--resume")
    seatrial("run", "voyage.toml", "--latency", "slow", "--seed", "5")

    assert refused.stderr == "seatrial: run voyage-1: it began with --seed 5; leave --seed away to go on with it\n"
    assert resumed.exit_code == 0
    assert same(here / "runs/voyage-1", here / "runs/voyage-2")


def test_interrupt_before_the_time_to_stop_is_no_stop(here: Path, seatrial: Callable[..., Result]) -> None:
    """A run with a time to stop that is interrupted before goes on until that time."""
    stormy(here, 100, more="stop = 2002-01-01T00:00:00Z\n")

    assert seatrial("run", "voyage.toml").exit_code == 130
    assert seatrial("run", "voyage.toml", "--resume").exit_code == 0
    seatrial("run", "voyage.toml")

    assert same(here / "runs/voyage-1", here / "runs/voyage-2")


@pytest.mark.parametrize("every", ["bar", "event"])
def test_killed_run_goes_on_from_its_last_checkpoint(here: Path, seatrial: Callable[..., Result], every: str) -> None:
    """After `kill -9` in the middle of a row the rest is done again, and the end is the same."""
    stormy(here, 333, by="SIGKILL", every=every, more="stop = 2002-01-01T00:00:00Z\n")

    killed = subprocess.run([sys.executable, "-Im", "seatrial", "run", "voyage.toml"], cwd=here, check=False)
    listed = json.loads(seatrial("sessions", "--json").stdout)
    resumed = seatrial("run", "voyage.toml", "--resume")
    seatrial("run", "voyage.toml")

    assert killed.returncode == -9
    assert [run["state"] for run in listed] == ["unfinished"]
    assert (resumed.exit_code, resumed.stderr) == (0, "")
    assert same(here / "runs/voyage-1", here / "runs/voyage-2")


def test_damaged_checkpoint_is_passed_over(here: Path, seatrial: Callable[..., Result]) -> None:
    """A checkpoint that was cut short is named, an older one is used, and the end is the same."""
    stormy(here, 100, every="event", more="stop = 2001-01-01T00:00:00Z\n")
    seatrial("run", "voyage.toml")
    latest = here / "runs/voyage-1/checkpoints/sim/latest.json"
    newest = max(latest.parent.glob("2*.json"))
    for path in (latest, newest):
        path.unlink()
        path.write_bytes(b'{"checksum":')
        path.chmod(0o600)

    resumed = seatrial("run", "voyage.toml", "--resume")
    seatrial("run", "voyage.toml")

    [line] = resumed.stderr.splitlines()
    assert line.startswith("seatrial: checkpoint runs/voyage-1/checkpoints/sim: passed over latest.json, ")
    assert line.endswith(" is used instead")
    assert same(here / "runs/voyage-1", here / "runs/voyage-2")


def test_failed_run_goes_on_with_a_mended_strategy(here: Path, seatrial: Callable[..., Result]) -> None:
    """A strategy's own code may change between a failure and its resumption."""
    stormy(here, 0, every="event")
    mended = (here / "buyer.py").read_text("utf-8")
    broken = mended.replace("self.seen += 1", "self.seen += 1\n        1 / (200 - self.seen)")
    (here / "buyer.py").write_text(broken, "utf-8")

    failed = seatrial("run", "voyage.toml")
    [told] = json.loads(seatrial("sessions", "--json").stdout)
    (here / "buyer.py").write_text(mended, "utf-8")
    resumed = seatrial("run", "voyage.toml", "--resume")
    seatrial("run", "voyage.toml")

    assert failed.exit_code == 2
    assert (told["state"], "buyer.py:14" in told["problem"]) == ("failed", True)
    assert resumed.exit_code == 0
    assert same(here / "runs/voyage-1", here / "runs/voyage-2")


def test_strategy_that_keeps_no_state_is_told_of(here: Path, seatrial: Callable[..., Result]) -> None:
    """Beside the result, on stderr, since the run is not what it would have been without the stop."""
    stormy(here, 777)
    buyer = (here / "buyer.py").read_text("utf-8")
    (here / "buyer.py").write_text(buyer.partition("    def save_state")[0], "utf-8")
    seatrial("run", "voyage.toml")

    resumed = seatrial("run", "voyage.toml", "--resume", "--json")

    line = "the strategy keeps no state, so it began anew at 2003-04-04T21:00:00.000000000Z; "
    line += "give it save_state() and load_state(value)"
    assert (resumed.exit_code, resumed.stderr) == (0, f"seatrial: {line}\n")
    assert json.loads(resumed.stdout)["warnings"] == [line]


def test_checker_notices_a_difference(here: Path, seatrial: Callable[..., Result]) -> None:
    """Runs of two seeds are not the same run."""
    seatrial("run", "voyage.toml")
    seatrial("run", "voyage.toml", "--seed", "4")

    assert not same(here / "runs/voyage-1", here / "runs/voyage-2")
