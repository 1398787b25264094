"""`seatrial conform`: put an installed engine to every case of the contract."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from seatrial.cli.options import EngineName
from seatrial.cli.words import as_json, examples, print_lines
from seatrial.plugins import installed_plugins
from seatrial.testing.case import all_cases
from seatrial.testing.report import as_html, as_lines, report_on
from seatrial.testing.report import as_json as json_of
from seatrial.testing.trial import Outcome, Status, try_case

if TYPE_CHECKING:
    from seatrial.contracts.engine import EngineSpec

__all__ = ["FAILED", "conform"]

FAILED = 1
"""The exit code where a case failed."""

_file = click.Path(path_type=Path, dir_okay=False)


@click.command(
    epilog=examples("seatrial conform native", "seatrial conform native --report report.json --html report.html")
)
@click.argument("engine", metavar="ENGINE", type=EngineName())
@click.option("--report", type=_file, help="Write the report as JSON.")
@click.option("--html", type=_file, help="Write the report as one HTML page.")
@as_json
def conform(engine: str, report: Path | None, html: Path | None, *, as_json: bool) -> int:
    """Put an installed engine to every case of the contract that it claims, and tell what became of each.

    The exit code is 0 where none failed, and 1 where one did.
    """
    plugins = installed_plugins()
    plugins.engine(engine)  # an error where there is no such engine, or its library is missing
    spec = plugins.engines()[engine]
    found = report_on(engine, _outcomes(spec), spec.capabilities)
    if report is not None:
        report.write_bytes(json_of([found]))
    if html is not None:
        html.write_text(as_html([found]), "utf-8")
    if as_json:
        click.echo(json_of([found]).decode().rstrip())
    else:
        print_lines(as_lines(found))
    return FAILED if found.counts[Status.FAILED.value] else 0


def _outcomes(spec: EngineSpec) -> list[Outcome]:
    with TemporaryDirectory(prefix="seatrial-conform-") as folder:
        return [try_case(case, spec.load, spec.capabilities, Path(folder) / case.case) for case in all_cases()]
