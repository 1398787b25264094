"""Arguments that several commands take, and what a shell may complete them with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from seatrial.cli.folder import LATEST, all_runs
from seatrial.plugins import installed_plugins

if TYPE_CHECKING:
    TextParam = click.ParamType[str]
else:  # generic only in the newest releases
    TextParam = click.ParamType

__all__ = ["EngineName", "RunName", "TextParam", "run_argument", "runs_option"]

_RUNS = Path("runs")

runs_option = click.option(
    "--runs",
    type=click.Path(path_type=Path, file_okay=False),
    default=_RUNS,
    show_default=True,
    envvar="SEATRIAL_RUNS",
    show_envvar=True,
    help="The folder of all runs.",
)
"""Where runs are kept."""


class RunName(TextParam):
    """A run, by its id or path, or `latest`."""

    name = "run"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's signature
        """Offer the runs there are."""
        names = [LATEST, *[run.name for run in all_runs(ctx.params.get("runs") or _RUNS)]]
        return _items(names, incomplete)


class EngineName(TextParam):
    """An engine, by name."""

    name = "engine"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's signature
        """Offer the engines that are installed."""
        return _items(list(installed_plugins().engines()), incomplete)


run_argument = click.argument("run", metavar="RUN", type=RunName())
"""The run a command reads."""


def _items(names: list[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
