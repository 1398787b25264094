"""Runs a session, or goes on with one, and leaves a run directory."""

from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec.structs import replace

from seatrial.cli.folder import CHECKPOINTS, EVENTS, RECORD, SESSION, SUMMARY, RunError, RunInfo, RunState
from seatrial.cli.mistakes import as_line
from seatrial.cli.names import check_names, find_engine
from seatrial.cli.scenarios import as_scenario, read_session
from seatrial.cli.watch import Watch
from seatrial.contracts.events import encode_events
from seatrial.data.tape import open_tape
from seatrial.errors import CheckpointWarning, SeatrialError
from seatrial.report.summary import summarize
from seatrial.store.checkpoints import CheckpointManager
from seatrial.store.files import LATEST, CheckpointFiles
from seatrial.store.migrations import FORMAT

if TYPE_CHECKING:
    from collections.abc import Generator

    from seatrial.cli.folder import RunFolder
    from seatrial.cli.scenarios import Overrides
    from seatrial.cli.session import SessionFile
    from seatrial.contracts.engine import Engine, RunRecord
    from seatrial.contracts.scenario import Scenario
    from seatrial.plugins import Plugins
    from seatrial.report.summary import RunSummary

__all__ = ["Outcome", "Plan", "check_resumable", "make_plan", "newest_checkpoint", "runs_name", "sail"]


class Plan(NamedTuple):
    """A session that can be run."""

    path: Path
    table: SessionFile
    overrides: Overrides
    scenario: Scenario
    engine_name: str
    engine: Engine

    @property
    def name(self) -> str:
        """What runs of the session are called."""
        return runs_name(self.path, self.table)


class Outcome(NamedTuple):
    """A run that is over, for now or for good."""

    record: RunRecord
    summary: RunSummary
    state: RunState


def runs_name(path: Path, table: SessionFile) -> str:
    """Return what runs of a session are called."""
    return table.session.name or path.stem


def make_plan(path: Path, overrides: Overrides, plugins: Plugins) -> Plan:
    """Read a session file and check everything that can be checked before the run.

    :raises SeatrialError: naming what cannot be used.
    """
    table = read_session(path)
    scenario = as_scenario(table, path, overrides)
    check_names(scenario, str(path), plugins)
    name = overrides.engine or table.session.engine
    engine = find_engine(name, "" if overrides.engine else str(path), plugins)
    return Plan(path, table, overrides, scenario, name, engine)


def sail(plan: Plan, folder: RunFolder, resume_from: Path | None = None) -> Outcome:
    """Run a plan, from a checkpoint on where one is given, and write what it leaves into `folder`.

    :raises SeatrialError: when the run fails; its directory stays where a checkpoint lies in it.
    """
    info = RunInfo(session=str(plan.path.resolve()), engine=plan.engine_name, overrides=plan.overrides)
    if resume_from is None:
        folder.write(SESSION, plan.path.read_bytes())
    folder.tell(info)
    checkpoints = folder.path / CHECKPOINTS
    scenario = replace(plan.scenario, resume_from=None if resume_from is None else str(resume_from))
    watch = Watch(lambda: _rows(plan.scenario))
    try:
        with _importing_from(plan.path.parent), watch:
            record = plan.engine.run(scenario, directory=str(checkpoints), monitor=watch)
    except BaseException as error:
        if any(CheckpointManager(checkpoints).list_checkpoints()):
            state = RunState.FAILED if isinstance(error, Exception) else RunState.UNFINISHED
            problem = as_line(error) if isinstance(error, Exception) else None
            folder.tell(replace(info, state=state, problem=problem))
        else:
            folder.discard()
        raise
    ended_early = watch.interrupted and record.stopped is not None
    state = RunState.INTERRUPTED if ended_early else RunState.COMPLETE
    # A record tells of the whole run, wherever parts of it were run: of the scenario as it was, with every checkpoint.
    saved = [str(one.path.relative_to(folder.path)) for one in CheckpointManager(checkpoints).list_checkpoints()]
    record = replace(record, scenario=plan.scenario, checkpoints=tuple(sorted(saved)))
    summary = summarize(record, name=plan.name)
    folder.write(EVENTS, encode_events(record.events))
    folder.write(SUMMARY, msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")
    folder.write(RECORD, msgspec.json.encode(record))
    folder.tell(replace(info, state=state, started=record.started, ended=record.ended, rows=record.rows))
    return Outcome(record, summary, state)


def check_resumable(plan: Plan, folder: RunFolder) -> None:
    """Refuse to go on with a run that is over, or under another session than it began with.

    :raises RunError: naming what differs.
    """
    info = folder.info()
    if info.state is RunState.COMPLETE:
        problem = f"it is complete; `seatrial summary {folder.name}` shows it, and a run without --resume is a new one"
        raise RunError(folder.name, problem)
    began = read_session(folder.path / SESSION)
    for table in began.__struct_fields__:
        before, now = getattr(began, table), getattr(plan.table, table)
        if before != now:
            key = _difference(table, before, now)
            raise RunError(folder.name, f"{plan.path} changed since it began: {key}; change it back, or run anew")


def newest_checkpoint(folder: RunFolder, simulator_id: str) -> tuple[Path, list[str]]:
    """Return the newest good checkpoint of a run, and what had to be passed over on the way to it.

    :raises SeatrialError: when there is none.
    """
    root = folder.path / CHECKPOINTS
    files = CheckpointFiles(root, formats=FORMAT)
    entries = files.entries(simulator_id)
    if not entries:
        problem = "it left no checkpoint, so run it anew; checkpoint_every asks for some, if the engine takes any"
        raise RunError(folder.name, problem)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CheckpointWarning)
        header, _ = files.newest(simulator_id)
        for path in (root / simulator_id / LATEST, *[one.path for one in entries if one.sequence == header.sequence]):
            with suppress(SeatrialError):
                if files.read(path)[0] == header:
                    return path, list(dict.fromkeys(str(one.message) for one in caught))
    raise RunError(folder.name, "its checkpoints change while they are read; stop what writes them")


def _difference(table: str, before: object, now: object) -> str:
    """Return the first key of a table that differs, with both values."""
    if isinstance(before, msgspec.Struct) and isinstance(now, msgspec.Struct):
        for key in before.__struct_fields__:
            old, new = getattr(before, key), getattr(now, key)
            if old != new:
                return f"{table}.{key} was {_shown(old)}, is {_shown(new)}"
    return f"[{table}] differs"


def _shown(value: object) -> str:
    return str(msgspec.to_builtins(value))


def _rows(scenario: Scenario) -> int | None:
    """Return how many rows a tape has, where that is cheaply known."""
    with suppress(SeatrialError):
        return open_tape(scenario.tape, scenario.instruments).size
    return None


@contextmanager
def _importing_from(folder: Path) -> Generator[None]:
    """Let a strategy import what lies beside its session file."""
    place = str(folder.resolve())
    sys.path.insert(0, place)
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.path.remove(place)
