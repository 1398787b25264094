"""`seatrial sessions`: past runs, and the schema of session files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import click
import msgspec

from seatrial.cli.folder import SUMMARY, RunError, RunFolder, RunInfo, all_runs
from seatrial.cli.options import runs_option
from seatrial.cli.session import SessionFile
from seatrial.cli.words import as_json, examples, print_json, print_rows
from seatrial.clock import iso
from seatrial.report.summary import RunSummary
from seatrial.report.words import money, per_cent

__all__ = ["session_schema", "sessions"]


@click.command(
    epilog=examples("seatrial sessions", "seatrial sessions --json", "seatrial sessions --schema > session.schema.json")
)
@click.option("--schema", is_flag=True, help="Print the JSON schema of session files, for editors.")
@as_json
@runs_option
def sessions(*, schema: bool, as_json: bool, runs: Path) -> None:
    """List past runs, the latest first."""
    if schema:
        print_json(session_schema())
        return
    found = [(folder, folder.info(), _summary(folder)) for folder in all_runs(runs)]
    if as_json:
        print_json([_as_json(*one) for one in found])
    elif found:
        headings = ("run", "state", "engine", "ended at", "rows", "orders", "fills", "equity", "return")
        print_rows(headings, [_row(*one) for one in found])
    else:
        click.echo(f"no runs in {runs} yet; `seatrial run SESSION.toml` makes one")


def session_schema() -> dict[str, Any]:
    """Return the JSON schema of session files, in which amounts may be numbers as well as strings."""
    schema = cast("dict[str, Any]", _relaxed(msgspec.json.schema(SessionFile)))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _relaxed(value: object) -> object:
    if isinstance(value, dict):
        table = {key: _relaxed(one) for key, one in cast("dict[str, object]", value).items()}
        if table.get("format") == "decimal":
            del table["format"]
            table["type"] = ["number", "string"]
        return table
    return [_relaxed(one) for one in cast("list[object]", value)] if isinstance(value, list) else value


def _summary(folder: RunFolder) -> RunSummary | None:
    """Return what a run came to, `None` while it has not."""
    try:
        return msgspec.json.decode(folder.read(SUMMARY), type=RunSummary)
    except RunError:
        return None
    except msgspec.DecodeError as error:
        raise RunError(folder.name, f"its {SUMMARY} was changed and cannot be read ({error})") from None


def _row(folder: RunFolder, info: RunInfo, summary: RunSummary | None) -> tuple[str, ...]:
    ended = "-" if info.ended is None else iso(info.ended)
    rows = "-" if info.rows is None else f"{info.rows:,}"
    counts = ("-", "-", "-", "-")
    if summary is not None:
        counts = (str(summary.orders), str(summary.fills), money(summary.equity), per_cent(summary.return_pct))
    return folder.name, info.state, info.engine, ended, rows, *counts


def _as_json(folder: RunFolder, info: RunInfo, summary: RunSummary | None) -> dict[str, object]:
    told = {field: getattr(info, field) for field in info.__struct_fields__}
    return {"run": folder.name, "path": str(folder.path), **told, "summary": summary}
