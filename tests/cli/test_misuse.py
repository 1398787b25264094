"""What a user can get wrong: each gives one line that tells what to do, exit code 2, and nothing else."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

IDLE = "class Idle:\n    pass\n"


class Misuse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wrong, how it comes about (arguments, the session file `s.toml`, other files), and what is told."""

    what: str
    line: str
    args: tuple[str, ...] = ("run", "s.toml")
    session: str | None = None
    files: dict[str, str] = msgspec.field(default_factory=dict[str, str])


TABLE = msgspec.toml.decode(Path(__file__).with_name("misuses.toml").read_bytes(), type=dict[str, tuple[Misuse, ...]])[
    "misuse"
]


@pytest.mark.parametrize("misuse", TABLE, ids=lambda misuse: misuse.what.replace(" ", "-"))
def test_misuse_is_told_in_one_line(misuse: Misuse, here: Path, seatrial: Callable[..., Result]) -> None:
    """The whole of stderr is that line, stdout is empty, and no run is left behind."""
    (here / "idle.py").write_text(IDLE, "utf-8")
    for path in here.glob("*.toml"):
        path.unlink()
    if misuse.session is not None:
        (here / "s.toml").write_text(misuse.session, "utf-8")
    for name, text in misuse.files.items():
        (here / name).write_text(text, "utf-8")

    result = seatrial(*misuse.args)

    line = misuse.line.replace("VERSION", version("seatrial"))
    assert result.stderr == f"seatrial: {line}\n"
    assert (result.exit_code, result.stdout) == (2, "")
    assert not list((here / "runs").glob("*"))


def test_table_is_long_enough() -> None:
    """Each entry of the table is another mistake."""
    assert len({misuse.what for misuse in TABLE}) == len(TABLE) >= 60


# -- mistakes with a run that is there ---------------------------------------------------------------------------------


@pytest.fixture
def voyage(here: Path, seatrial: Callable[..., Result]) -> Path:
    """Make the run `voyage-1` and return its folder."""
    assert seatrial("run", "voyage.toml").exit_code == 0
    return here / "runs" / "voyage-1"


RUNS = (
    (("summary", "voyage-2"), "run voyage-2: there is none in runs; did you mean 'voyage-1'?"),
    (("summary", "latestt"), "run latestt: there is none in runs; did you mean 'latest'?"),
    (("orders", "nothing"), "run nothing: there is none in runs; `seatrial sessions` lists them"),
    (("why", "latest", "s-1"), "no order 's-1' in this run: did you mean 'S-1'?"),
    (
        ("run", "voyage.toml", "--resume"),
        "run voyage-1: it is complete; `seatrial summary voyage-1` shows it, and a run without --resume is a new one",
    ),
)


@pytest.mark.usefixtures("voyage")
@pytest.mark.parametrize(("args", "line"), RUNS)
def test_wrong_names_are_told_in_one_line(args: tuple[str, ...], line: str, seatrial: Callable[..., Result]) -> None:
    """A run or an order that is not there is told with what comes close."""
    result = seatrial(*args)

    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"seatrial: {line}\n")


def test_damaged_record_is_told_in_one_line(voyage: Path, seatrial: Callable[..., Result]) -> None:
    """A record that was changed by hand is not believed."""
    (voyage / "record.json").write_text("{}", "utf-8")

    result = seatrial("orders", "latest")

    problem = "its record.json was changed and cannot be read (Object missing required field `engine`)"
    assert (result.exit_code, result.stderr) == (2, f"seatrial: run voyage-1: {problem}\n")


def unfinished(voyage: Path) -> None:
    """Make a run look like one that was killed."""
    info = (voyage / "run.json").read_text("utf-8")
    (voyage / "run.json").write_text(info.replace('"complete"', '"unfinished"'), "utf-8")


def test_run_without_checkpoints_is_told_in_one_line(voyage: Path, seatrial: Callable[..., Result]) -> None:
    """A run that was killed before its first checkpoint cannot be gone on with, and the line says how it could be."""
    unfinished(voyage)

    result = seatrial("run", "--resume", "latest")

    problem = "it left no checkpoint, so run it anew; checkpoint_every asks for some, if the engine takes any"
    assert (result.exit_code, result.stderr) == (2, f"seatrial: run voyage-1: {problem}\n")


def test_run_without_a_record_is_told_in_one_line(voyage: Path, seatrial: Callable[..., Result]) -> None:
    """A run that was killed has no record yet."""
    unfinished(voyage)
    (voyage / "record.json").unlink()

    result = seatrial("orders", "latest")

    problem = "it has no record.json: it is unfinished; `seatrial run --resume runs/voyage-1` goes on, if it can"
    assert (result.exit_code, result.stderr) == (2, f"seatrial: run voyage-1: {problem}\n")


def test_changed_session_is_told_in_one_line(voyage: Path, seatrial: Callable[..., Result]) -> None:
    """A run goes on as it began, or not at all."""
    unfinished(voyage)
    text = Path("voyage.toml").read_text("utf-8")
    Path("voyage.toml").write_text(text.replace("seed = 3", "seed = 4"), "utf-8")

    result = seatrial("run", "voyage.toml", "--resume")

    problem = "voyage.toml changed since it began: session.seed was 3, is 4; change it back, or run anew"
    assert (result.exit_code, result.stderr) == (2, f"seatrial: run voyage-1: {problem}\n")


def test_checkpoints_that_are_all_damaged_are_told_in_one_line(voyage: Path, seatrial: Callable[..., Result]) -> None:
    """Where no checkpoint can be believed, the line names each and why."""
    unfinished(voyage)
    folder = voyage / "checkpoints" / "sim"
    folder.mkdir(parents=True)
    (folder / "20000301T210000.000000000Z-000001.json").touch(0o600)

    result = seatrial("run", "voyage.toml", "--resume")

    problem = "none that is there can be believed: latest.json (it is not there); "
    problem += "20000301T210000.000000000Z-000001.json (it does not begin as a checkpoint does); "
    problem += "put back a good copy of one, or begin anew, with another id or directory"
    assert (result.exit_code, result.stderr) == (2, f"seatrial: checkpoint runs/voyage-1/checkpoints/sim: {problem}\n")


# -- faults, and where they are ----------------------------------------------------------------------------------------


def test_traceback_is_shown_when_asked_for(here: Path, seatrial: Callable[..., Result]) -> None:
    """--traceback, at any place, shows the way to the strategy's error, and ends in the same line."""
    (here / "buyer.py").write_text("class Buyer:\n    def on_start(self, ctx):\n        1 / 0\n", "utf-8")

    plain = seatrial("run", "voyage.toml").stderr
    shown = seatrial("run", "voyage.toml", "--traceback").stderr

    assert shown.startswith("Traceback (most recent call last):\n")
    assert "1 / 0" in shown
    assert shown.endswith(plain)
    assert plain.count("\n") == 1


def test_error_that_cannot_be_printed_is_escaped(here: Path, seatrial: Callable[..., Result]) -> None:
    """A file's name that is no UTF-8 ends in a line like any other, also in what a run leaves."""
    text = "class Buyer:\n    def on_market(self, ctx, event):\n        raise ValueError('Z\\udcfcrich')\n"
    (here / "buyer.py").write_text(text, "utf-8")

    result = seatrial("run", "voyage.toml")

    assert result.exit_code == 2
    assert r"(ValueError: Z\udcfcrich)" in result.stderr


def test_own_fault_is_told_as_one(here: Path, seatrial: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no mistake of the user's is told as a fault of seatrial's own, with its place and exit code 70."""

    def broken(*_: object, **__: object) -> None:
        raise AssertionError("the sea is flat")

    monkeypatch.setattr("seatrial.cli.running.summarize", broken)

    result = seatrial("run", "voyage.toml")

    assert result.exit_code == 70
    told = re.sub(r":\d+\)", ":LINE)", result.stderr)
    assert told == (
        "seatrial: this is a fault of seatrial's own: AssertionError: the sea is flat (running.py:LINE); "
        "--traceback shows where, please report it\n"
    )
