"""Summaries side by side, as a table for the terminal."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.report.summary import RunSummary

__all__ = ["duration", "money", "summary_table"]

_CENT = Decimal("0.01")
_SCALES = ((86_400_000_000_000, "d"), (3_600_000_000_000, "h"), (60_000_000_000, "min"), (1_000_000_000, "s"))


def summary_table(summaries: Iterable[RunSummary], title: str | None = None) -> Table:
    """Return one column for each summary, rounded for reading: money to cents, percentages to hundredths."""
    runs = list(summaries)
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("")
    for run in runs:
        table.add_column(run.name, justify="right")
    table.add_row("orders", *[str(run.orders) for run in runs])
    table.add_row(
        "  filled / cancelled / expired", *[f"{run.filled} / {run.cancelled} / {run.expired}" for run in runs]
    )
    table.add_row("  rejected / pending", *[f"{run.rejected} / {run.pending}" for run in runs])
    for reason in sorted({reason for run in runs for reason, _ in run.rejections}):
        table.add_row(f"  rejected: {reason}", *[str(dict(run.rejections).get(reason, 0)) for run in runs])
    table.add_row("cancels refused", *[str(run.cancels_refused) for run in runs])
    table.add_row("fills", *[str(run.fills) for run in runs])
    table.add_row(
        "submit to fill report, p50 / p99", *[_pair(duration(run.delay_p50), duration(run.delay_p99)) for run in runs]
    )
    table.add_row("  of it on the wire", *[_pair(duration(run.wire_p50), duration(run.wire_p99)) for run in runs])
    table.add_row("commission", *[money(run.commission) for run in runs])
    table.add_row("cash", *[money(run.cash) for run in runs])
    table.add_row("positions", *[_positions(run) for run in runs])
    table.add_row("equity", *[money(run.equity) for run in runs])
    table.add_row("return", *[_per_cent(run.return_pct) for run in runs])
    if any(run.max_drawdown_pct is not None for run in runs):
        table.add_row("deepest drawdown", *[_per_cent(run.max_drawdown_pct) for run in runs])
    return table


def money(amount: Decimal) -> str:
    """Return an amount to the cent, thousands apart.

    >>> money(Decimal("-1234.5"))
    '-1,234.50'
    """
    return f"{amount.quantize(_CENT):,}"


def duration(ns: int | None) -> str:
    """Return a time span in its natural unit, cut to a tenth; `-` for none.

    >>> duration(1_500_000), duration(90_000_000_000), duration(0), duration(None)
    ('1.5 ms', '1.5 min', '0 ms', '-')
    """
    if ns is None:
        return "-"
    for size, unit in _SCALES:
        if ns >= size:
            return _tenths(ns, size, unit)
    return _tenths(ns, 1_000_000, "ms")


def _tenths(ns: int, size: int, unit: str) -> str:
    whole, tenth = divmod(ns * 10 // size, 10)
    return f"{whole}.{tenth} {unit}" if tenth else f"{whole} {unit}"


def _pair(first: str, second: str) -> str:
    return first if first == second else f"{first} / {second}"


def _positions(run: RunSummary) -> str:
    return ", ".join(f"{quantity.normalize():f} {symbol}" for symbol, quantity in run.positions) or "flat"


def _per_cent(value: Decimal | None) -> str:
    return "-" if value is None else f"{value.quantize(_CENT)} %"
