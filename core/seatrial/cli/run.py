"""`seatrial run`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from seatrial.cli.folder import LATEST, RunError, RunFolder, RunState, create_run, find_run
from seatrial.cli.latencies import PROFILES
from seatrial.cli.options import EngineName, RunName, runs_option
from seatrial.cli.running import Outcome, Plan, check_resumable, make_plan, newest_checkpoint, runs_name, sail
from seatrial.cli.scenarios import Overrides, read_session
from seatrial.cli.words import as_json, examples, print_json, print_table
from seatrial.clock import iso
from seatrial.plugins import installed_plugins
from seatrial.report.picture import PictureError, check_picture, save_picture
from seatrial.report.table import summary_table

if TYPE_CHECKING:
    from seatrial.contracts.engine import RunRecord

__all__ = ["run"]

_INTERRUPTED = 130


@click.command(
    epilog=examples(
        "seatrial run session.toml",
        "seatrial run session.toml --latency slow --seed 7",
        "seatrial run session.toml --resume",
        "seatrial run session.toml --out results/first --picture",
    )
)
@click.argument("session", required=False, type=click.Path(path_type=Path))
@click.option("--engine", type=EngineName(), help="Run on this engine instead of the session's.")
@click.option("--latency", type=click.Choice(list(PROFILES)), help="Delay by this profile instead of the session's.")
@click.option("--seed", type=int, help="Draw delays from this seed instead of the session's.")
@click.option(
    "--resume",
    type=RunName(),
    is_flag=False,
    flag_value=LATEST,
    metavar="[RUN]",
    help="Go on with a run that was interrupted or killed; with the session's latest unless one is given.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="The folder of this run; RUNS/NAME-N unless given."
)
@click.option(
    "--picture",
    type=click.Choice(["html", "png"]),
    is_flag=False,
    flag_value="html",
    metavar="[html|png]",
    help="Draw equity and drawdown into the run's folder.",
)
@as_json
@runs_option
def run(
    *,
    session: Path | None,
    engine: str | None,
    latency: str | None,
    seed: int | None,
    resume: str | None,
    out: Path | None,
    picture: str | None,
    as_json: bool,
    runs: Path,
) -> int:
    """Run the SESSION that a TOML file describes, and print what it came to.

    The run leaves a folder: the session as it was, every event, every order, a summary. Ctrl-C ends it after the row of
    the tape that is being done and leaves a checkpoint; --resume goes on from there, and comes to the same end as a run
    that was never stopped. A run that was killed goes on from its last checkpoint, if checkpoint_every asks for any.
    """
    if session is None and resume is not None and resume.endswith(".toml"):
        session, resume = Path(resume), LATEST
    if session is None and resume is None:
        _fail("give a session file, for example session.toml (`seatrial new` writes one)")
    if resume is not None and out is not None:
        _fail("--resume goes on in the run's own folder; leave --out away")
    if picture is not None:
        check_picture(f"equity.{picture}")
    overrides = Overrides(engine=engine, latency=latency, seed=seed)
    if session is not None and resume is None:
        plan = make_plan(session, overrides, installed_plugins())
        folder = create_run(runs, plan.name, out)
        outcome = sail(plan, folder)
    else:
        plan, folder, checkpoint = _to_resume(session, resume or LATEST, runs, overrides)
        outcome = sail(plan, folder, checkpoint)
    _print_warnings(outcome.record)
    drawn, undrawn = _draw(outcome.record, folder, picture)
    if as_json:
        _print_json(folder, outcome, drawn)
    elif outcome.state is RunState.COMPLETE:
        _print(folder, outcome, drawn)
    if outcome.state is not RunState.COMPLETE:
        _print_how_to_go_on(plan, folder, outcome, runs)
    if undrawn is not None:
        raise undrawn
    return 0 if outcome.state is RunState.COMPLETE else _INTERRUPTED


def _draw(record: RunRecord, folder: RunFolder, kind: str | None) -> tuple[Path | None, PictureError | None]:
    """Return the picture, if one is asked for, and why there is none: that is told last, since the run is done."""
    try:
        return None if kind is None else save_picture(record, folder.path / f"equity.{kind}"), None
    except PictureError as error:
        return None, error


def _print_warnings(record: RunRecord) -> None:
    for warning in record.warnings:
        click.echo(f"seatrial: {warning}", err=True)


def _print_how_to_go_on(plan: Plan, folder: RunFolder, outcome: Outcome, runs: Path) -> None:
    place = folder.name if folder.path.parent == Path("runs") and runs == Path("runs") else str(folder.path)
    where = f"at {iso(outcome.record.ended)}, after row {outcome.record.rows:,}"
    hint = shlex.join(("seatrial", "run", str(plan.path), "--resume", place))
    told = f"go on with: {hint}" if outcome.record.checkpoints else "this engine leaves no checkpoint to go on from"
    after_the_echo = "\n" if sys.stderr.isatty() else ""  # a terminal shows ^C where the cursor is
    click.echo(f"{after_the_echo}seatrial: interrupted {where}; {told}", err=True)


def _fail(problem: str) -> NoReturn:
    click.get_current_context().fail(problem)


def _to_resume(session: Path | None, resume: str, runs: Path, given: Overrides) -> tuple[Plan, RunFolder, Path]:
    """Return the run to go on with, its plan as it began, overrides included, and the checkpoint to go on from."""
    plugins = installed_plugins()
    name = None if session is None else runs_name(session, read_session(session))
    folder = find_run(resume, runs, name)
    info = folder.info()
    for option in given.__struct_fields__:
        before, now = getattr(info.overrides, option), getattr(given, option)
        if now is not None and now != before:
            began = f"--{option} {before}" if before is not None else f"no --{option}"
            raise RunError(folder.name, f"it began with {began}; leave --{option} away to go on with it")
    path = Path(info.session) if session is None else session
    plan = make_plan(path, info.overrides, plugins)
    check_resumable(plan, folder)
    checkpoint, passed_over = newest_checkpoint(folder, plan.scenario.execution.simulator_id)
    for line in passed_over:
        click.echo(f"seatrial: {line}", err=True)
    return plan, folder, checkpoint


def _print_json(folder: RunFolder, outcome: Outcome, drawn: Path | None) -> None:
    record = outcome.record
    print_json(
        {
            "run": folder.name,
            "path": str(folder.path),
            "state": outcome.state,
            "picture": None if drawn is None else str(drawn),
            "rows": record.rows,
            "started": record.started,
            "ended": record.ended,
            "stopped": record.stopped,
            "rows_dropped": record.fault_count,
            "warnings": record.warnings,
            "summary": outcome.summary,
        }
    )


def _print(folder: RunFolder, outcome: Outcome, drawn: Path | None) -> None:
    record = outcome.record
    print_table(summary_table([outcome.summary]))
    click.echo()
    if record.fault_count:
        first = record.faults[0]
        place = f"{first.file}:{first.line}: {first.problem}"
        click.echo(f"{record.fault_count:,} rows of the tape were dropped, the first: {place}")
    if record.stopped is not None:
        click.echo(f"ended at {iso(record.ended)}: {record.stopped}")
    if drawn is not None:
        click.echo(f"picture: {drawn}")
    engine = f"{record.engine.name} {record.engine.version}"
    click.echo(f"run {folder.name}: {folder.path}, {record.rows:,} rows on {engine}")
    sys.stdout.flush()
