"""Checkpoints: saving, loading and restoring a session of n filled orders, and what a file takes per order.

Times are by the wall clock, since a save waits for the disk; so they are compared within one run only.
"""

from __future__ import annotations

import gc
from contextlib import ExitStack
from decimal import Decimal
from functools import partial
from math import log
from pathlib import Path
from statistics import linear_regression
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from tests.bench.fleet import MS, SIZES, market_order, name, resting, simulator
from tests.bench.method import Row, compare
from tests.bench.risk import all_rules

from seatrial import LATENCY_INSTANT, LATENCY_NORMAL, CheckpointManager
from seatrial_rules.switch import KillSwitch

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial import ExecutionSimulator, LatencyConfig

__all__ = ["rows"]

_FEW = 10
_COUNTED = 5_000
_GROWTH = "exponent"


def _filled(orders: int, latency: LatencyConfig = LATENCY_INSTANT) -> ExecutionSimulator:
    made = simulator(
        slippage_bps=Decimal(5),
        commission_per_share=Decimal("0.01"),
        risk_config=all_rules(),
        latency_config=latency,
    )
    _fill(made, orders)
    return made


def _fill(made: ExecutionSimulator, orders: int) -> None:
    symbol, known = name(0), len(made.completed_orders)
    for n in range(known, known + orders):
        made.submit_order(market_order(n, symbol, made.now), made.now)
    made.advance(made.now + 1_000 * MS)
    if sum(bool(order.filled_quantity) for order in made.completed_orders.values()) != known + orders:
        raise RuntimeError("an order of the benchmark was not filled")


class _Session:
    """A session of `orders` filled orders, and a manager that has saved it once."""

    def __init__(self, orders: int, folder: Path) -> None:
        self._made = _filled(orders)
        self._repeats = max(1, 10_000 // orders)
        self._folder = folder
        self._manager = CheckpointManager(folder)
        self._save(self._manager)

    def first_save(self) -> float:
        """Time create and save by a manager that has encoded nothing yet."""
        spent = 0.0
        for _ in range(self._repeats):
            with TemporaryDirectory() as folder, CheckpointManager(folder) as manager:
                spent += self._save(manager)
        return self._per_order(spent)

    def next_save(self) -> float:
        """Time create and save by the manager that has saved all orders but the latest few."""
        spent = 0.0
        for _ in range(self._repeats):
            _fill(self._made, _FEW)
            spent += self._save(self._manager)
        return self._per_order(spent)

    def load(self) -> float:
        """Time load and restore, the checksum's verification included."""
        spent = 0.0
        for _ in range(self._repeats):
            gc.collect()
            start = perf_counter()
            checkpoint = self._manager.load_checkpoint(self._made.simulator_id)
            restored = self._manager.restore_simulator(checkpoint, rules=(KillSwitch(),))
            spent += perf_counter() - start
            if not restored.completed_orders:
                raise RuntimeError("the benchmark's orders were not restored")
            del checkpoint, restored
        return self._per_order(spent)

    def close(self) -> None:
        """Let the folder be removed."""
        self._manager.close()

    def _save(self, manager: CheckpointManager) -> float:
        gc.collect()
        start = perf_counter()
        manager.save_checkpoint(manager.create_checkpoint(self._made))
        return perf_counter() - start

    def _per_order(self, spent: float) -> float:
        return spent / self._repeats / len(self._made.completed_orders)


def _exponent(rows: list[Row]) -> float:
    """Return the power of n with which the time of all n orders grows: least squares over the logarithms."""
    sizes = [row for row in rows if row.case in SIZES]
    xs = [log(SIZES[row.case]) for row in sizes]
    ys = [log(row.ratio * SIZES[row.case]) for row in sizes]
    return linear_regression(xs, ys).slope


def _bytes_per_order(made: ExecutionSimulator) -> float:
    with TemporaryDirectory() as folder, CheckpointManager(folder) as manager:
        path = manager.save_checkpoint(manager.create_checkpoint(made))
        return path.stat().st_size / (len(made.completed_orders) + len(made.pending_orders))


def _times() -> list[Row]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        sessions = {label: _Session(size, folder / label) for label, size in SIZES.items()}
        for session in sessions.values():
            stack.callback(session.close)
        save: dict[str, Callable[[], float]] = {label: session.first_save for label, session in sessions.items()}
        save[f"100k, {_FEW} later"] = sessions["100k"].next_save
        load: dict[str, Callable[[], float]] = {label: session.load for label, session in sessions.items()}
        rows: list[Row] = []
        for work, sides in (("create + save", save), ("load + restore", load)):
            group = compare(f"checkpoint: {work}, per order", sides, {}, rounds=5)
            rows += [*group, Row(group[0].work, _GROWTH, _exponent(group), 1.05)]
        return rows


def rows() -> list[Row]:
    """Return the rows of the checkpoints."""
    count = "checkpoint: bytes per order"
    fills = {"filled, INSTANT": LATENCY_INSTANT, "filled, NORMAL": LATENCY_NORMAL}
    sizes = {case: partial(_filled, _COUNTED, latency) for case, latency in fills.items()}
    return [
        *_times(),
        *[Row(count, case, _bytes_per_order(build()), 365.0) for case, build in sizes.items()],
        Row(count, "resting", _bytes_per_order(resting(_COUNTED, risk_config=all_rules())), None),
    ]
