"""What commands share of their looks: examples in their help, tables and JSON on stdout."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["as_json", "examples", "print_json", "print_lines", "print_rows", "print_table"]

_WIDE = 240  # a table that goes into a file or a pipe is not folded
_JSON = msgspec.json.Encoder(order="deterministic")

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
"""The option of every command that a script may call."""


def examples(*lines: str) -> str:
    """Return the end of a help text: commands to copy."""
    return "\n".join(("\b", "Examples:", *[f"  {line}" for line in lines]))


def print_json(value: object) -> None:
    """Print a value as one JSON document, indented for people who look at it all the same."""
    click.echo(msgspec.json.format(_JSON.encode(value), indent=2).decode())


def print_lines(lines: Iterable[str]) -> None:
    """Print lines as they are."""
    for line in lines:
        click.echo(line)


def print_rows(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows below their headings."""
    table_of = import_module("rich.table").Table
    text_of = import_module("rich.text").Text
    box = import_module("rich.box")
    table = table_of(*headings, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for row in rows:
        table.add_row(*[text_of(cell) for cell in row])
    print_table(table)


def print_table(table: Any) -> None:
    """Print a rich table, as wide as the terminal; where there is none, as wide as it needs to be."""
    console_of = import_module("rich.console").Console
    console = console_of(file=sys.stdout, width=None if sys.stdout.isatty() else _WIDE)
    with console.capture() as capture:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))
