"""Commands that read one run: `seatrial summary`, `orders`, `why`, `checkpoints`."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import click
import msgspec
from click.shell_completion import CompletionItem

from seatrial.cli.folder import CHECKPOINTS, RECORD, SUMMARY, RunError, RunFolder, find_run
from seatrial.cli.options import TextParam, run_argument, runs_option
from seatrial.cli.words import as_json, examples, print_json, print_lines, print_rows, print_table
from seatrial.clock import iso
from seatrial.contracts.engine import RunRecord
from seatrial.contracts.terms import OrderStatus
from seatrial.errors import SeatrialError
from seatrial.report.orders import order_rows, orders_table
from seatrial.report.summary import RunSummary
from seatrial.report.table import summary_table
from seatrial.report.why import why as tell_why
from seatrial.store.checkpoints import CheckpointManager

T = TypeVar("T")

__all__ = ["checkpoints", "orders", "summary", "why"]


class _OrderId(TextParam):
    """An order of the run that is named before it."""

    name = "order"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's signature
        """Offer the run's orders."""
        try:
            record = _record(find_run(ctx.params["run"], ctx.params["runs"]))
        except (SeatrialError, KeyError, OSError):
            return []
        names = [order.order_id for order in record.orders]
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@click.command(epilog=examples("seatrial summary latest", "seatrial summary latest --json"))
@run_argument
@as_json
@runs_option
def summary(*, run: str, as_json: bool, runs: Path) -> None:
    """Print what RUN came to: orders, delays, costs, return."""
    folder = find_run(run, runs)
    found = _decoded(folder, SUMMARY, RunSummary)
    if as_json:
        print_json(found)
    else:
        print_table(summary_table([found], detailed=True))


@click.command(epilog=examples("seatrial orders latest", "seatrial orders latest --status rejected"))
@run_argument
@click.option("--status", type=click.Choice([str(status) for status in OrderStatus]), help="Only those of this status.")
@click.option("--symbol", help="Only those of this symbol.")
@as_json
@runs_option
def orders(*, run: str, status: str | None, symbol: str | None, as_json: bool, runs: Path) -> None:
    """List the orders of RUN, as they stood at its end."""
    rows = order_rows(_record(find_run(run, runs)), symbol=symbol, status=status)
    if as_json:
        print_json(rows)
    else:
        print_table(orders_table(rows))


@click.command(epilog=examples("seatrial why latest S-1", "seatrial why latest S-1 --json"))
@run_argument
@click.argument("order", type=_OrderId())
@as_json
@runs_option
def why(*, run: str, order: str, as_json: bool, runs: Path) -> None:
    """Tell the story of an ORDER of RUN: when it left, what the market showed, who refused it by which limit."""
    record = _record(find_run(run, runs))
    lines = tell_why(record, order)
    if as_json:
        found = next(one for one in record.orders if one.order_id == order)
        print_json({"order": found, "told": lines})
    else:
        print_lines(lines)


@click.command(epilog=examples("seatrial checkpoints latest", "seatrial checkpoints latest --json"))
@run_argument
@as_json
@runs_option
def checkpoints(*, run: str, as_json: bool, runs: Path) -> None:
    """List the checkpoints of RUN, newest first."""
    folder = find_run(run, runs)
    entries = CheckpointManager(folder.path / CHECKPOINTS).list_checkpoints()
    found = [(entry, entry.path.stat().st_size) for entry in entries]
    if as_json:
        keys = ("path", "simulator_id", "sequence", "time", "bytes")
        print_json(
            [
                dict(zip(keys, (str(one.path), one.simulator_id, one.sequence, one.timestamp, size), strict=True))
                for one, size in found
            ]
        )
    elif not found:
        click.echo(f"run {folder.name} has no checkpoints; checkpoint_every asks for them, if the engine takes any")
    else:
        rows = [(iso(one.timestamp), str(one.sequence), f"{size:,}", str(one.path)) for one, size in found]
        print_rows(("time", "number", "bytes", "file"), rows)


def _record(folder: RunFolder) -> RunRecord:
    return _decoded(folder, RECORD, RunRecord)


def _decoded(folder: RunFolder, name: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(folder.read(name), type=kind)
    except msgspec.DecodeError as error:
        raise RunError(folder.name, f"its {name} was changed and cannot be read ({error})") from None
