"""Sessions on NautilusTrader from the command line: what they print, what they leave, and one line for each misuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from seatrial.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a fresh session, which is of IBM's daily bars."""
    monkeypatch.chdir(tmp_path)
    assert seatrial("new", "fresh.toml").exit_code == 0
    return tmp_path


def seatrial(*words: str) -> Result:
    """Call the command."""
    return CliRunner().invoke(main, words, prog_name="seatrial")


def test_a_fresh_session_runs_on_nautilustrader(here: Path) -> None:
    """What `seatrial new` writes needs no change, and comes out as on the native engine."""
    result = seatrial("run", "fresh.toml", "--engine", "nautilus")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "3,270 rows on nautilus" in result.stdout.splitlines()[-1]

    assert seatrial("run", "fresh.toml", "--engine", "native").exit_code == 0
    ours, native = [(path / "events.jsonl").read_bytes() for path in sorted((here / "runs").iterdir())]
    assert ours == native
    assert ours.count(b'"filled"') == 43


def test_a_misuse_is_told_in_one_line(here: Path) -> None:
    """The setting is named, and no run is left behind."""
    text = (here / "fresh.toml").read_text("utf-8")
    (here / "bad.toml").write_text(text + "\n[session.engine_params]\noms_type = 'HEDGING'\n", "utf-8")
    result = seatrial("run", "bad.toml", "--engine", "nautilus")

    assert result.exit_code not in {0, None}
    assert "engine_params.oms_type" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not list((here / "runs").glob("*"))
