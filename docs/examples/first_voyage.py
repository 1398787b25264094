"""The first voyage: one strategy on three engines, one with and without delays; a rule; a crash in the middle.

Everything is seeded: the output never changes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import fill
from typing import TYPE_CHECKING

from msgspec.structs import replace
from rich import box
from rich.console import Console
from rich.table import Table

from seatrial import (
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    CheckpointManager,
    DrawdownLimitRule,
    FeeSchedule,
    LatencyConfig,
    Order,
    OrderSide,
    OrderStatus,
    PositionLimitRule,
    RiskConfig,
    VenueConfig,
)
from seatrial.contracts.events import CancelRequested, OrderExecution, encode_events
from seatrial.contracts.scenario import ExecutionConfig, Scenario, StrategyRef, Tape
from seatrial.errors import EngineNotInstalledError
from seatrial.plugins import installed_plugins
from seatrial.report.summary import summarize
from seatrial.report.why import why
from seatrial.report.words import duration, money, per_cent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.contracts.engine import RunMonitor, RunRecord
    from seatrial.contracts.market import MarketEvent

ENGINES = {"native": "native", "backtrader": "Backtrader", "nautilus": "NautilusTrader"}
PROFILES = {"INSTANT": LATENCY_INSTANT, "NORMAL": LATENCY_NORMAL}
STRATEGIES = Path(__file__).parent / "voyage" / "strategies.py"
PER_SHARE = Decimal("0.005")
MS = 1_000_000
CRASH_AT = 12_345
TRAILS = "BT-TRAIL-CLOSE"
"""The rule of docs/parity.md by which Backtrader's trailing stops differ, and with them all that follows."""


def bars(latency: LatencyConfig) -> Scenario:
    """Return the crossing over thirteen years of IBM, stopped where it has lost a fifth of its peak."""
    return Scenario(
        tape=Tape(sample="ibm_daily"),
        strategy=StrategyRef(path=f"{STRATEGIES}:Crossing"),
        execution=ExecutionConfig(
            latency=latency,
            venue=VenueConfig(slippage_bps=Decimal(1), fees=FeeSchedule(per_share=PER_SHARE)),
            risk=RiskConfig(drawdown_limit=DrawdownLimitRule(max_total_drawdown_pct=Decimal(20))),
        ),
    )


def ticks(latency: LatencyConfig) -> Scenario:
    """Return the chase over 20,000 generated ticks, never with more than 600 at stake."""
    return Scenario(
        tape=Tape(sample="ticks"),
        strategy=StrategyRef(path=f"{STRATEGIES}:Chasing"),
        execution=ExecutionConfig(
            latency=latency,
            venue=VenueConfig(fees=FeeSchedule(per_share=PER_SHARE)),
            risk=RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(600))),
            checkpoint_every=120,
        ),
    )


def sail(scenario: Scenario, directory: str, monitor: RunMonitor | None = None, *, engine: str = "native") -> RunRecord:
    """Run a scenario on an engine."""
    return installed_plugins().engine(engine).run(scenario, directory=directory, monitor=monitor)


def everywhere(directory: str) -> tuple[dict[str, RunRecord], list[str]]:
    """Run the crossing on every engine that is installed; return the records by name, and a line for each other one."""
    records: dict[str, RunRecord] = {}
    missing: list[str] = []
    for engine, name in ENGINES.items():
        try:
            records[name] = sail(bars(LATENCY_NORMAL), f"{directory}/{engine}", engine=engine)
        except EngineNotInstalledError as error:
            missing.append(f"({error})")
    return records, missing


def first_difference(native: RunRecord, other: RunRecord) -> Order | None:
    """Return the order about which the events of two runs differ first, `None` where they are the same."""
    orders = {order.order_id: order for order in native.orders}
    for here, there in zip(native.events, other.events, strict=False):
        if here != there:
            return orders[getattr(min(here, there, key=lambda event: event.timestamp), "order_id", "")]
    return None if len(native.events) == len(other.events) else native.orders[-1]


class Crash:
    """Kills this very process in the middle of the tape, without a warning, as a power cut would."""

    def row(self, event: MarketEvent, count: int) -> bool:  # noqa: ARG002 - the protocol's
        """Wait for the row."""
        if count == CRASH_AT:
            os.kill(os.getpid(), signal.SIGKILL)
        return True


class Count:
    """Notes the first row it hears of."""

    first = 0

    def row(self, event: MarketEvent, count: int) -> bool:  # noqa: ARG002 - the protocol's
        """Note the row."""
        self.first = self.first or count
        return True


def crash_and_resume(directory: str) -> tuple[int, RunRecord]:
    """Run the ticks in another process that dies on the way; return the rows its last checkpoint had, and the rest."""
    subprocess.run([sys.executable, __file__, "--crash", directory], check=False)  # noqa: S603 - this very file
    with CheckpointManager(directory) as manager:
        newest = manager.list_checkpoints("sim")[0]
    begun = Count()
    resumed = sail(replace(ticks(LATENCY_NORMAL), resume_from=str(newest.path)), directory, begun)
    return begun.first - 1, resumed


def table(records: Mapping[str, RunRecord], rule: str | None = None) -> Table:
    """Return a few lines about runs, side by side; with a `rule` the last column names it where they differ."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("")
    runs = [summarize(record, name=name) for name, record in records.items()]
    for run in runs:
        table.add_column(run.name, justify="right")
    if rule is not None:
        table.add_column("differs by")
    whole = [run.delays.whole for run in runs]
    rows = {
        "orders / rejected": [f"{run.orders} / {run.rejected}" for run in runs],
        "fills": [f"{run.fills}" for run in runs],
        "cancels refused": [f"{run.cancels_refused}" for run in runs],
        "submit to fill report, p50": [duration(spread.p50) for spread in whole],
        "lost to delays": ["-" if run.cost is None else money(run.cost.latency) for run in runs],
        "lost to slippage and spread": ["-" if run.cost is None else money(run.cost.slippage) for run in runs],
        "commission": [money(run.commission) for run in runs],
        "return": [per_cent(run.return_pct) for run in runs],
        "deepest drawdown": [per_cent(run.max_drawdown_pct) for run in runs],
    }
    for name, cells in rows.items():
        told = [] if rule is None else [rule if len(set(cells)) > 1 else ""]
        table.add_row(name, *cells, *told)
    return table


class Comparison:
    """The entries of both tick runs, order by order."""

    def __init__(self, instant: RunRecord, normal: RunRecord) -> None:
        """Pair what was sent for the same reason."""
        delayed = by_tag(normal)
        self.pairs = [(order, delayed[tag]) for tag, order in by_tag(instant).items() if tag in delayed]
        takes = [pair for pair in self.pairs if pair[0].tags[0].startswith("take")]
        rests = [pair for pair in self.pairs if pair[0].tags[0].startswith("rest")]
        self.moved = [pair for pair in takes if worse_bps(*pair)]
        self.missed = [pair for pair in takes if pair[1].filled_quantity < pair[0].filled_quantity]
        self.raced = [pair for pair in rests if outran_cancel(pair[1])]
        costs = [cost for pair in takes if (cost := worse_bps(*pair)) is not None]
        self.takes = len(costs)
        self.mean_cost = sum(costs, Decimal(0)) / len(costs)

    def table(self) -> Table:
        """Return a few orders of each kind, line by line."""
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for heading in ("order", "limit", "INSTANT", "NORMAL: matched, reported"):
            table.add_column(heading)
        table.add_column("worse by", justify="right")
        for instant, normal in (*self.moved[:2], *self.missed[:1], *self.raced[:2]):
            cost = worse_bps(instant, normal)
            table.add_row(
                instant.tags[0],
                f"{instant.limit_price}",
                outcome(instant),
                outcome(normal),
                "-" if cost is None else f"{cost:+.1f} bp",
            )
        return table


def by_tag(record: RunRecord) -> dict[str, Order]:
    """Return the entries that are over and that no rule refused, by their tag."""
    return {
        order.tags[0]: order
        for order in record.orders
        if order.side is OrderSide.BUY and order.is_complete and order.status is not OrderStatus.REJECTED
    }


def worse_bps(instant: Order, normal: Order) -> Decimal | None:
    """Return how much more the delayed buy paid, in basis points; `None` unless both traded."""
    if instant.avg_fill_price is None or normal.avg_fill_price is None:
        return None
    return (normal.avg_fill_price / instant.avg_fill_price - 1) * 10_000


def outran_cancel(order: Order) -> bool:
    """Return whether an order was matched after its cancel had left, and before it arrived."""
    asked = next((event.timestamp for event in order.events if isinstance(event, CancelRequested)), None)
    return asked is not None and any(one.timestamp > asked for one in order.executions)


def fills(order: Order) -> list[tuple[Decimal, Decimal]]:
    """Return prices and quantities of an order's fills."""
    return [(one.price, one.quantity) for one in order.executions]


def executed(record: RunRecord) -> set[tuple[int, Decimal]]:
    """Return the times and prices of a run's fills."""
    return {(event.timestamp, event.price) for event in record.events if isinstance(event, OrderExecution)}


def compared(name: str, native: RunRecord, other: RunRecord) -> str:
    """Say how another engine's run compares with the native one, and where they part."""
    first = first_difference(native, other)
    if first is None:
        return f"{name}: every event is the same, to the byte."
    kind, shared = str(first.order_type).replace("_", " "), len(executed(native) & executed(other))
    return (
        f"{name}: they part at {first.order_id}, a {kind}, which there follows the closes\n"
        f"  ({TRAILS} in docs/parity.md); {shared} of {len(executed(other))} fills have their like on native."
    )


def outcome(order: Order) -> str:
    """Return what became of an order, with times in ms after it was sent."""
    if not order.executions:
        return str(order.rejection_reason or order.status)
    last, sent = order.executions[-1], order.events[0].timestamp
    times = [last.timestamp] if last.timestamp == last.reported_at else [last.timestamp, last.reported_at]
    shown = ", ".join(f"+{(time - sent) // MS}" for time in times)
    return f"{order.filled_quantity} at {order.avg_fill_price:.2f}, {shown} ms"


def main() -> None:
    """Sail, and print what happened."""
    say = Console(width=100, highlight=False, markup=False, color_system=None, soft_wrap=True).print
    with TemporaryDirectory() as directory:
        instant = sail(bars(LATENCY_INSTANT), f"{directory}/instant")
        on_bars, missing = everywhere(directory)
        on_ticks = {name: sail(ticks(latency), f"{directory}/{name}") for name, latency in PROFILES.items()}
        rows, resumed = crash_and_resume(f"{directory}/crash")
    say("Strategies run without delays (INSTANT) and with those of a retail broker (NORMAL: 50 ms for")
    say("an order to arrive, 100 to 200 ms until a fill is known). Neither is meant to make money.\n")
    say("1. Real daily bars: IBM, 2000 to 2013; 20/100-day crossing, stopped at 20 % below its peak; NORMAL")
    native = on_bars["native"]
    say(table(on_bars, TRAILS))
    for line in missing:
        say(line)
    for name, record in on_bars.items():
        if record is not native:
            say(compared(name, native, record))
    same = [fills(order) for order in instant.orders] == [fills(order) for order in native.orders]
    say(f"Without delays every fill is the same to the cent: {same}. On daily bars 50 ms do not matter.")
    refused = next(order for order in native.orders if order.status is OrderStatus.REJECTED)
    say(f"Why was {refused.order_id} refused?")
    for line in why(native, refused.order_id):
        say(fill(f"  {line}", width=100, subsequent_indent=" " * 8))
    say("\n2. Generated ticks: 20,000 quotes and trades in half an hour; at most 600 at stake")
    say(table(on_ticks))
    pairs = Comparison(on_ticks["INSTANT"], on_ticks["NORMAL"])
    say(pairs.table())
    say(f"50 ms cost {pairs.mean_cost:.2f} bp on each of {pairs.takes} takes; {len(pairs.missed)} got less.")
    say(f"{len(pairs.raced)} bids were filled with their cancel under way. Without delays none of this shows.")
    whole = on_ticks["NORMAL"]
    equal = encode_events(resumed.events) == encode_events(whole.events) and resumed.account == whole.account
    say(f"\n3. The same, killed at row {CRASH_AT:,} and resumed from its checkpoint at row {rows:,}:")
    say(f"{len(resumed.events):,} events and the account equal those of the run that never stopped: {equal}.")
    say("\nNext: docs/strategies.md and docs/command_line.md; then your own strategy, tape and rules.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--crash"]:
        sail(ticks(LATENCY_NORMAL), sys.argv[2], Crash())
    else:
        main()
