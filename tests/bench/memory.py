"""What an order leaves in memory: counted, not timed, as every byte that Python's allocators hand out for it.

That is all a session keeps of it: the id, quantity and price the order was built with, the client's view and its
history, the line in the event log, the venue's record, and the entries of every index. What the operating system adds
(pages that are not full) is not counted.
"""

from __future__ import annotations

import gc
import tracemalloc
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from tests.bench.fleet import limit_order, market_order, name, simulator
from tests.bench.method import Row
from tests.bench.risk import all_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial import Order, RiskConfig

__all__ = ["rows"]

_ORDERS = 20_000
_BEFORE = 100
RESTING, FILLED = 766.0, 937.0
"""Bytes: 1.4 times 547, and 0.75 times 1,249, which another design's order objects took."""


def _bytes_per_order(build: Callable[[int, str, int], Order], risk: RiskConfig | None) -> float:
    made = simulator(slippage_bps=Decimal(5), commission_per_share=Decimal("0.01"), risk_config=risk)
    symbol, now = name(0), made.now
    for n in range(_BEFORE):
        made.submit_order(build(n, symbol, now), now)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for n in range(_BEFORE, _BEFORE + _ORDERS):
            made.submit_order(build(n, symbol, now), now)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    if len(made.completed_orders) + len(made.pending_orders) != _BEFORE + _ORDERS:
        raise RuntimeError("an order of the benchmark was lost")
    return (after - before) / _ORDERS


def rows() -> list[Row]:
    """Return the rows of memory, in bytes per order."""
    resting, filled = partial(_bytes_per_order, limit_order), partial(_bytes_per_order, market_order)
    return [
        Row("memory, bytes per order", "resting", resting(None), RESTING),
        Row("memory, bytes per order", "resting, all rules", resting(all_rules()), None),
        Row("memory, bytes per order", "filled", filled(None), FILLED),
        Row("memory, bytes per order", "filled, all rules", filled(all_rules()), None),
    ]
