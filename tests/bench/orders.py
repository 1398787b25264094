"""The path of an order: submit to fill without delay and with all rules, cancels, and the reports under way."""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING

from tests.bench.fleet import MS, SIZES, market_order, name, resting, simulator
from tests.bench.method import Row, compare, timed
from tests.bench.risk import all_rules

from seatrial import LATENCY_INSTANT, LATENCY_NORMAL, OrderExecution, Quote

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial import ExecutionSimulator

__all__ = ["rows"]

_ORDERS = 5_000
_CANCELS = 200


def _multiply_add() -> float:
    """Time price times quantity plus cash, with the digits a slipped price and a used account have."""
    price, quantity, cash, loops = Decimal("1234.5678"), Decimal("98.7654"), Decimal("55555.123456"), 200_000

    def work() -> None:
        for _ in repeat(None, loops):
            _ = price * quantity + cash

    return timed(work, loops)


def _submit_to_fill(*, build: bool = False, rules: bool = False) -> float:
    risk = all_rules() if rules else None
    made = simulator(slippage_bps=Decimal(5), commission_per_share=Decimal("0.01"), risk_config=risk)
    now, symbol, submit = made.now, name(0), made.submit_order
    ready = [] if build else [market_order(n, symbol, now) for n in range(_ORDERS)]

    def work() -> None:
        for order in ready or (market_order(n, symbol, now) for n in range(_ORDERS)):
            submit(order, now)

    spent = timed(work, _ORDERS)
    if sum(type(event) is OrderExecution for event in made.events) != _ORDERS:
        raise RuntimeError("an order of the benchmark was not filled at once")
    return spent


def _cancel(size: int, *, on_the_wire: bool) -> float:
    """Cancel some of `size` orders: still on their way to the venue, or resting there."""
    latency = LATENCY_NORMAL if on_the_wire else LATENCY_INSTANT
    fleets = [resting(size, latency_config=latency) for _ in range(max(1, 5_000 // size))]
    ids = [f"L{n}" for n in range(0, size, size // _CANCELS)]

    def work() -> None:
        for made in fleets:
            cancel, now = made.cancel_order, made.now
            for order_id in ids:
                cancel(order_id, now)

    return timed(work, len(ids) * len(fleets))


def _voyage(every: int) -> tuple[ExecutionSimulator, list[tuple[int, int]]]:
    made = simulator(latency_config=LATENCY_NORMAL)
    start, symbol, waiting = made.now, name(0), []
    for n in range(2_000):
        now = start + (n + 1) * every * MS
        bid = Decimal(9_990 + n % 20) / 100
        made.process_quote(Quote(now, symbol, bid, bid + Decimal("0.01")))
        made.submit_order(market_order(n, symbol, now), now)
        waiting.append((now, len(made.gate.wire.reports)))
    made.advance(made.now + 1_000 * MS)
    return made, waiting


def _cadence(every: int) -> float:
    return timed(partial(_voyage, every), 2_000)


def _pending(every: int) -> float:
    """Return the most reports that were ever on the wire per report that then was due to be read later."""
    made, waiting = _voyage(every)
    reports = [event for event in made.events if event.reported_at > event.timestamp]
    born = sorted(event.timestamp for event in reports)
    read = sorted(event.reported_at for event in reports)
    worst = 0.0
    for now, held in waiting:
        matched = bisect_right(born, now) - bisect_right(read, now)
        worst = max(worst, held / matched if matched else float(held))
    return worst


def rows() -> list[Row]:
    """Return the rows of the order path."""
    fill: dict[str, Callable[[], float]] = {
        "Decimal multiply-add": _multiply_add,
        "submit to fill, all rules": partial(_submit_to_fill, rules=True),
        "submit to fill": _submit_to_fill,
        "build, submit to fill": partial(_submit_to_fill, build=True),
    }
    result = compare("INSTANT order, market at a quote", fill, {"submit to fill, all rules": 125.0}, rounds=11)
    for work, on_the_wire in (("cancel, n on the wire", True), ("cancel, n resting", False)):
        cancel: dict[str, Callable[[], float]] = {
            label: partial(_cancel, size, on_the_wire=on_the_wire) for label, size in SIZES.items()
        }
        result += compare(work, cancel, {"100k": 2.5}, rounds=5)
    cadence: dict[str, Callable[[], float]] = {f"{every} ms": partial(_cadence, every) for every in (100, 10, 1)}
    result += compare("NORMAL, tick + order every n ms", cadence, {}, rounds=5)
    work = "NORMAL: pending reports per match"
    return result + [Row(work, f"{every} ms", _pending(every), 1.0) for every in (100, 10, 1)]
