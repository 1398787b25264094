"""Run directories: what a run leaves behind, and how it is found again.

RUNS/{session name}-{n}/session.toml    the session file as it was
                        run.json        which engine, what the command line changed, how it ended
                        checkpoints/    where the run can be gone on with
                        record.json     everything that happened, and apart from it
                        events.jsonl    every event on a line
                        summary.json    what it came to
                        equity.html     the picture, where one was asked for (or equity.png)

Each file is there whole or not at all, as `seatrial.store.whole` writes it.
"""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

import msgspec

from seatrial.cli.problems import closest
from seatrial.cli.scenarios import Overrides
from seatrial.errors import SeatrialError
from seatrial.store.whole import write_whole

__all__ = [
    "CHECKPOINTS",
    "EVENTS",
    "LATEST",
    "RECORD",
    "SESSION",
    "SUMMARY",
    "RunError",
    "RunFolder",
    "RunInfo",
    "RunState",
    "all_runs",
    "create_run",
    "find_run",
]

SESSION = "session.toml"
INFO = "run.json"
RECORD = "record.json"
EVENTS = "events.jsonl"
SUMMARY = "summary.json"
CHECKPOINTS = "checkpoints"
LATEST = "latest"
"""What stands for the run that was begun, gone on with or ended last."""


class RunError(SeatrialError):
    """A run directory that is not there, or not what is asked of it."""

    def __init__(self, run: str, problem: str) -> None:
        """Keep the run as it was asked for, and the problem."""
        super().__init__(f"run {run}: {problem}")
        self.run = run
        self.problem = problem


class RunState(StrEnum):
    """How far a run came."""

    UNFINISHED = "unfinished"
    """It goes on at this moment, or was killed."""
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    COMPLETE = "complete"


class RunInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a run directory says of its run.

    `session` is the path of the session file, `started` and `ended` are simulated times in UNIX ns UTC, `problem` says
    why it failed.
    """

    session: str
    engine: str
    overrides: Overrides = Overrides()
    state: RunState = RunState.UNFINISHED
    started: int | None = None
    ended: int | None = None
    rows: int | None = None
    problem: str | None = None


class RunFolder:
    """One run directory."""

    def __init__(self, path: Path, *, made: bool = False) -> None:
        """Touch nothing yet; `made` says that the directory was created for this run."""
        self.path = path
        self._made = made

    @property
    def name(self) -> str:
        """The run's id."""
        return self.path.resolve().name

    def info(self) -> RunInfo:
        """Return what the run says of itself.

        :raises RunError: when it is no run directory.
        """
        try:
            return msgspec.json.decode((self.path / INFO).read_bytes(), type=RunInfo)
        except FileNotFoundError:
            raise RunError(str(self.path), f"it is no run directory: it has no {INFO}") from None
        except msgspec.DecodeError as error:
            raise RunError(str(self.path), f"its {INFO} was changed and cannot be read ({error})") from None

    def tell(self, info: RunInfo) -> None:
        """Write what the run says of itself."""
        self.write(INFO, msgspec.json.format(msgspec.json.encode(info), indent=2) + b"\n")

    def read(self, name: str) -> bytes:
        """Return one of the files that a run leaves at its end.

        :raises RunError: when the run has not come so far.
        """
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            state = self.info().state
            hint = f"it is {state}; `seatrial run --resume {self.path}` goes on, if it can"
            raise RunError(self.name, f"it has no {name}: {hint}") from None

    def write(self, name: str, content: bytes) -> None:
        """Write one of the files, whole or not at all."""
        write_whole(self.path / name, content)

    def discard(self) -> None:
        """Remove a run that came to nothing, but never what somebody else put there."""
        for name in (SESSION, INFO):
            (self.path / name).unlink(missing_ok=True)
        shutil.rmtree(self.path / CHECKPOINTS, ignore_errors=True)
        if self._made:
            with suppress(OSError):  # there is something else in it
                self.path.rmdir()


def create_run(runs: Path, name: str, out: Path | None) -> RunFolder:
    """Make the directory of a new run: `out` where it is given, else the next number under `runs`.

    :raises RunError: when `out` is there and not empty.
    """
    if out is not None:
        made = not out.exists()
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise RunError(str(out), "--out takes a folder that is new or empty; give another, or remove this one")
        return RunFolder(out, made=made)
    runs.mkdir(parents=True, exist_ok=True)
    numbers = [_number(one.name) for one in runs.iterdir() if one.name.startswith(f"{name}-")]
    number = max(numbers, default=0) + 1
    while True:
        path = runs / f"{name}-{number}"
        try:
            path.mkdir()
        except FileExistsError:  # another run was begun in this instant
            number += 1
        else:
            return RunFolder(path, made=True)


def all_runs(runs: Path) -> list[RunFolder]:
    """Return the runs under a folder, those begun, gone on with or ended last first."""
    if not runs.is_dir():
        return []
    found = [(_touched(one), _number(one.name), one) for one in runs.iterdir() if (one / INFO).is_file()]
    return [RunFolder(path) for _, _, path in sorted(found, reverse=True)]


def find_run(run: str, runs: Path, name: str | None = None) -> RunFolder:
    """Return a run by its id, its path, or as `latest`: of all runs, or of those of the session called `name`.

    :raises RunError: when there is none.
    """
    there = all_runs(runs)
    if run == LATEST:
        ours = [one for one in there if name is None or re.fullmatch(rf"{re.escape(name)}-\d+", one.name)]
        if not ours:
            of = f" of {name!r}" if name is not None else ""
            raise RunError(LATEST, f"there is no run{of} in {runs}; `seatrial run SESSION.toml` makes one")
        return ours[0]
    for path in (runs / run, Path(run)):
        if (path / INFO).is_file():
            return RunFolder(path)
    if Path(run).is_dir():
        raise RunError(run, f"it is no run directory: it has no {INFO}; `seatrial sessions` lists runs")
    names = [LATEST, *[one.name for one in there]]
    raise RunError(run, f"there is none in {runs}{closest(run, names) or '; `seatrial sessions` lists them'}")


def _touched(path: Path) -> int:
    return (path / INFO).stat().st_mtime_ns


def _number(name: str) -> int:
    digits = name.rpartition("-")[2]
    return int(digits) if digits.isdecimal() else 0
