"""A tick while orders rest that it does not concern, or with rules; and valuing the account after it."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from tests.bench.fleet import MS, SIZES, name, resting
from tests.bench.method import Row, compare, timed
from tests.bench.risk import Trivial, all_rules, holding

from seatrial import RiskConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial import ExecutionSimulator

__all__ = ["rows"]

_TICKS = 10_000
_PRICES = [Decimal(9_990 + n) / 100 for n in range(20)]


def _tick(made: ExecutionSimulator, symbols: int) -> float:
    shown = [{name(n % symbols): _PRICES[n % len(_PRICES)]} for n in range(_TICKS)]
    start, known = made.now + MS, len(made.events)
    process = made.process_market_data

    def work() -> None:
        for n, prices in enumerate(shown):
            process(start + n, prices)

    spent = timed(work, _TICKS)
    if len(made.events) != known:
        raise RuntimeError("a tick of the benchmark met an order; it measures ticks that meet none")
    return spent


def _value(made: ExecutionSimulator, symbols: int) -> float:
    marks = [(name(n % symbols), _PRICES[n % len(_PRICES)]) for n in range(_TICKS)]
    mark, value, now = made.gate.mark, made.get_account_value, made.now

    def work() -> None:
        for symbol, price in marks:
            mark(symbol, price, now)
            value()

    return timed(work, _TICKS)


def _watch(made: ExecutionSimulator, symbols: int) -> float:
    """As `_value`, with the rules looking at the account in between."""
    marks = [(name(n % symbols), _PRICES[n % len(_PRICES)]) for n in range(_TICKS)]
    mark, assess, value, now = made.gate.mark, made.gate.assess, made.get_account_value, made.now

    def work() -> None:
        for symbol, price in marks:
            mark(symbol, price, now)
            assess()
            value()

    return timed(work, _TICKS)


def rows() -> list[Row]:
    """Return the rows of the tick path."""
    one = {"none": 0, **SIZES}
    single: dict[str, Callable[[], float]] = {label: partial(_tick, resting(size), 1) for label, size in one.items()}
    # The base is 1k: the first order makes a tick compare with a head, which none has without orders.
    single = {"1k": single.pop("1k"), **single}
    result = compare("tick, 1 symbol, n resting limits", single, {"100k": 1.25}, rounds=11)
    del single
    many: dict[str, Callable[[], float]] = {
        label: partial(_tick, resting(size, 500), 500) for label, size in SIZES.items()
    }
    result += compare("tick, 500 symbols, n resting limits", many, {"100k": 1.25}, rounds=11)
    del many
    eight = RiskConfig(rules=tuple([Trivial() for _ in range(8)]))
    ruled = {
        "no risk_config": None,
        "RiskConfig()": RiskConfig(),
        "8 check-only rules": eight,
        "all rules": all_rules(),
    }
    beside: dict[str, Callable[[], float]] = {
        label: partial(_tick, holding(1, risk), 1) for label, risk in ruled.items()
    }
    result += compare("tick, 1 symbol held, rules", beside, {}, rounds=11)
    held: dict[str, Callable[[], float]] = {
        str(count): partial(_value, holding(count, None), count) for count in (1, 500)
    }
    result += compare("mark + equity, n held symbols", held, {"500": 1.15}, rounds=11)
    watched: dict[str, Callable[[], float]] = {
        str(count): partial(_watch, holding(count, all_rules()), count) for count in (1, 500)
    }
    return result + compare("the same, drawdown watched", watched, {"500": 1.15}, rounds=11)
