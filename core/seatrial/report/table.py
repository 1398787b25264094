"""Summaries side by side, as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

from rich import box
from rich.table import Table
from rich.text import Text

from seatrial.report.words import duration, money, per_cent, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from seatrial.contracts.rejection import RejectionReason
    from seatrial.report.costs import CostSplit
    from seatrial.report.delays import Spread
    from seatrial.report.headroom import RuleUse
    from seatrial.report.summary import RunSummary

__all__ = ["summary_table"]

_Row: TypeAlias = "tuple[str, Callable[[RunSummary], str]]"
"""A row's label, and what it shows of each run."""

_MOST = 12
"""How many numbers of one analysis are shown."""

_LEGS = (("submit", "submit"), ("ack", "ack"), ("fill", "fill report"), ("cancel", "cancel"), ("modify", "modify"))


def summary_table(summaries: Iterable[RunSummary], title: str | None = None, *, detailed: bool = False) -> Table:
    """Return one column for each summary, rounded for reading: money to cents, percentages to hundredths.

    What no run had is left out; so are, unless `detailed`, the single legs and the turnover.
    """
    runs = list(summaries)
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("")
    for run in runs:
        table.add_column(Text(run.name), justify="right")
    for label, cell in (
        *_orders(runs),
        *_times(runs, detailed=detailed),
        *_money(runs, detailed=detailed),
        *_analyses(runs),
    ):
        table.add_row(Text(label), *[Text(cell(run)) for run in runs])
    return table


def _orders(runs: Sequence[RunSummary]) -> list[_Row]:
    reasons = sorted({reason for run in runs for reason in run.rejections})
    return [
        ("orders", lambda run: str(run.orders)),
        ("  filled / cancelled / expired", lambda run: f"{run.filled} / {run.cancelled} / {run.expired}"),
        ("  rejected / pending", lambda run: f"{run.rejected} / {run.pending}"),
        *[(f"  rejected: {reason}", _rejections(reason)) for reason in reasons],
        *_rules(runs),
        ("cancels refused", lambda run: str(run.cancels_refused)),
        ("fills", lambda run: str(run.fills)),
    ]


def _rejections(reason: RejectionReason) -> Callable[[RunSummary], str]:
    return lambda run: str(run.rejections.get(reason, 0))


def _rules(runs: Sequence[RunSummary]) -> list[_Row]:
    rows: list[_Row] = []
    for rule in dict.fromkeys(use.rule for run in runs for use in run.rules):
        rows.append((f"rule {rule}", _use(rule, _counts)))
        if any(use.rule == rule and use.used_pct is not None for run in runs for use in run.rules):
            rows.append(("  most of its limit used", _use(rule, lambda use: per_cent(use.used_pct))))
        if any(use.rule == rule and use.beyond_pct is not None for run in runs for use in run.rules):
            rows.append(("  furthest beyond its limit", _use(rule, lambda use: per_cent(use.beyond_pct))))
    return rows


def _use(rule: str, cell: Callable[[RuleUse], str]) -> Callable[[RunSummary], str]:
    return lambda run: next((cell(use) for use in run.rules if use.rule == rule), "-")


def _counts(use: RuleUse) -> str:
    return f"refused {use.refused}, tripped {use.tripped}" if use.tripped else f"refused {use.refused}"


def _times(runs: Sequence[RunSummary], *, detailed: bool) -> list[_Row]:
    legs = [pair for pair in _LEGS if detailed and any(_leg(run, pair[0]).count for run in runs)]
    return [
        ("submit to fill report, p50 / p99", lambda run: _spread(run.delays.whole)),
        ("  of it on the wire", lambda run: _spread(run.delays.wire)),
        *[(f"  {label} leg", _leg_cell(leg)) for leg, label in legs],
    ]


def _leg(run: RunSummary, name: str) -> Spread:
    spread: Spread = getattr(run.delays, name)
    return spread


def _leg_cell(name: str) -> Callable[[RunSummary], str]:
    return lambda run: _spread(_leg(run, name))


def _spread(spread: Spread) -> str:
    first, second = duration(spread.p50), duration(spread.p99)
    return first if first == second else f"{first} / {second}"


def _money(runs: Sequence[RunSummary], *, detailed: bool) -> list[_Row]:
    turnover: list[_Row] = [("turnover", lambda run: money(run.turnover))]
    adjusted: list[_Row] = [("deposits and the like", lambda run: money(run.adjusted))]
    drawdown: list[_Row] = [("deepest drawdown", lambda run: per_cent(run.max_drawdown_pct))]
    return [
        *(turnover if detailed else ()),
        ("commission", lambda run: money(run.commission)),
        *_costs([run.cost for run in runs]),
        ("cash", lambda run: money(run.cash)),
        ("positions", _positions),
        *(adjusted if any(run.adjusted for run in runs) else ()),
        ("equity", lambda run: money(run.equity)),
        ("return", lambda run: per_cent(run.return_pct)),
        *(drawdown if any(run.max_drawdown_pct is not None for run in runs) else ()),
    ]


def _costs(costs: Sequence[CostSplit | None]) -> list[_Row]:
    rows: list[_Row] = [
        ("cost against the decision price", _cost(_total)),
        ("  latency", _cost(lambda cost: money(cost.latency))),
        ("  slippage", _cost(lambda cost: money(cost.slippage))),
        ("  fees", _cost(lambda cost: money(cost.fees))),
    ]
    uncosted: list[_Row] = [("  fills left out: no price known", _cost(lambda cost: str(cost.uncosted)))]
    return [
        *(rows if any(cost is not None and cost.fills for cost in costs) else ()),
        *(uncosted if any(cost is not None and cost.uncosted for cost in costs) else ()),
    ]


def _cost(cell: Callable[[CostSplit], str]) -> Callable[[RunSummary], str]:
    return lambda run: "-" if run.cost is None else cell(run.cost)


def _total(cost: CostSplit) -> str:
    return money(cost.total) if cost.bps is None else f"{money(cost.total)} ({money(cost.bps)} bp)"


def _positions(run: RunSummary) -> str:
    return ", ".join(f"{plain(quantity)} {symbol}" for symbol, quantity in run.positions.items()) or "flat"


def _analyses(runs: Sequence[RunSummary]) -> list[_Row]:
    rows: list[_Row] = []
    for name in dict.fromkeys(name for run in runs for name in run.analyses):
        leaves = list(dict.fromkeys(leaf for run in runs for leaf in _leaves(run.analyses.get(name))))
        rows.append((f"analysis {name}", lambda _: ""))
        rows += [(f"  {'.'.join(leaf) or 'value'}", _found(name, leaf)) for leaf in leaves[:_MOST]]
        if len(leaves) > _MOST:
            more = f"{len(leaves) - _MOST} more in the record"
            rows.append((f"  {more}", lambda _: ""))
    return rows


def _leaves(value: Any) -> Iterator[tuple[str, ...]]:
    """Yield where the single values of a nested one lie."""
    if not isinstance(value, dict):
        yield ()
        return
    nested = cast("dict[str, Any]", value)
    for key, one in nested.items():
        yield from ((key, *rest) for rest in _leaves(one))


def _found(name: str, leaf: tuple[str, ...]) -> Callable[[RunSummary], str]:
    def cell(run: RunSummary) -> str:
        value: Any = run.analyses.get(name)
        for key in leaf:
            value = cast("dict[str, Any]", value).get(key) if isinstance(value, dict) else None
        if value is None:
            return "-"
        return f"{value:,.4f}" if isinstance(value, float) else str(value)

    return cell
