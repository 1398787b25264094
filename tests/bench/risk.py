"""Rules: what a check costs beside the positions held, and what the plugin hook adds to an order.

A check is timed alone: the order is asked about and counted, then dropped, so that the next one finds the same account.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from time import process_time
from typing import TYPE_CHECKING

from tests.bench.fleet import market_order, name, simulator
from tests.bench.method import Row, compare, timed

from seatrial import DrawdownLimitRule, ExposureLimitRule, PositionLimitRule, RiskConfig
from seatrial_rules.switch import KillSwitch

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial import ExecutionSimulator, Order, RiskViolation
    from seatrial.contracts.account import RiskView

__all__ = ["Trivial", "all_rules", "holding", "rows"]

_CHECKS = 2_000
_ORDERS = 200
_PRICES = [Decimal(9_990 + n) / 100 for n in range(20)]


def all_rules() -> RiskConfig:
    """Return all controls at once, with limits that no order of the benchmarks meets."""
    return RiskConfig(
        position_limit=PositionLimitRule(max_shares=Decimal(10**6), max_value=Decimal(10**9)),
        exposure_limit=ExposureLimitRule(max_gross_exposure_pct=Decimal(100), max_net_exposure_pct=Decimal(100)),
        drawdown_limit=DrawdownLimitRule(max_daily_drawdown_pct=Decimal(5), max_total_drawdown_pct=Decimal(20)),
        rules=(KillSwitch(),),
    )


def holding(symbols: int, risk: RiskConfig | None) -> ExecutionSimulator:
    """Return a simulator that holds one unit of each symbol."""
    made = simulator(symbols, risk_config=risk)
    for n in range(symbols):
        made.submit_order(market_order(2 * n, name(n), made.now), made.now)
    if len(made.positions) != symbols:
        raise RuntimeError("the benchmark's positions were not filled")
    return made


class Trivial:
    """The least a rule can be: it looks at orders, and so has nothing to do with a tick."""

    def check(self, order: Order, account: RiskView, now: int) -> RiskViolation | None:
        return None


class _Checker:
    """Asks the rules of one simulator, which holds `symbols` positions, about buys of one unit."""

    def __init__(self, symbols: int) -> None:
        made = holding(symbols, all_rules())
        if made.gate.admission.exposure is None:
            raise RuntimeError("the benchmark's rules are not asked")
        self._gate = made.gate
        self._refuse = made.gate.admission.refuse
        self._drop = made.gate.admission.exposure.drop
        self._names = [name(n) for n in range(symbols)]

    def after_one_tick(self, *, spread: bool) -> float:
        """Time a tick and a check in its symbol: always the same symbol, or each in turn."""
        gate, refuse, drop, now = self._gate, self._refuse, self._drop, self._gate.now
        turns = [self._names[n % len(self._names) if spread else 0] for n in range(_CHECKS)]
        orders = [market_order(2 * n, symbol, now) for n, symbol in enumerate(turns, len(turns))]
        ticks = [(symbol, _PRICES[n % len(_PRICES)]) for n, symbol in enumerate(turns)]

        def work() -> None:
            for order, (symbol, price) in zip(orders, ticks, strict=True):
                gate.mark(symbol, price, now)
                if refuse(order, now) is not None:
                    raise RuntimeError("an order of the benchmark was refused; it measures orders that pass")
                drop(order.order_id)

        return timed(work, _CHECKS)

    def after_all_tick(self) -> float:
        """Time the check alone after every symbol has ticked."""
        gate, refuse, now = self._gate, self._refuse, self._gate.now
        spent, checks = 0.0, max(5, _CHECKS // len(self._names))
        for n in range(checks):
            for symbol in self._names:
                gate.mark(symbol, _PRICES[n % len(_PRICES)], now)
            order = market_order(2 * (_CHECKS + n), self._names[n % len(self._names)], now)
            start = process_time()
            refused = refuse(order, now)
            spent += process_time() - start
            if refused is not None:
                raise RuntimeError("an order of the benchmark was refused; it measures orders that pass")
            self._drop(order.order_id)
        return spent / checks


def _submit(risk: RiskConfig | None) -> float:
    """Time orders on the whole way to their fills."""
    made = simulator(risk_config=risk)
    now, symbol, submit = made.now, name(0), made.submit_order
    ready = [market_order(n, symbol, now) for n in range(_ORDERS)]

    def work() -> None:
        for order in ready:
            submit(order, now)

    spent = timed(work, _ORDERS)
    if sum(bool(order.filled_quantity) for order in made.completed_orders.values()) != _ORDERS:
        raise RuntimeError("an order of the benchmark was not filled at once")
    return spent


def _hook() -> list[Row]:
    """Compare whole orders without rules and with trivial ones; the differences follow in µs, since they are small."""
    rules = (Trivial(), *[Trivial() for _ in range(8)])
    sides: dict[str, Callable[[], float]] = {
        "no risk_config": partial(_submit, None),
        "RiskConfig()": partial(_submit, RiskConfig()),
        "1 trivial rule": partial(_submit, RiskConfig(rules=rules[:1])),
        "9 trivial rules": partial(_submit, RiskConfig(rules=rules)),
    }
    work = "plugin hook, submit to fill"
    rows = compare(work, sides, {}, rounds=151)
    base, empty, one, nine = [row.ratio * (rows[0].micros or 0.0) for row in rows]
    more = "plugin hook, µs more per order"
    return [
        *rows,
        Row(more, "RiskConfig(), no plugins", empty - base, 0.05),
        Row(more, "the first rule", one - empty, None),
        Row(more, "each rule after it", (nine - one) / 8, 0.25),
    ]


def rows() -> list[Row]:
    """Return the rows of the rules."""
    checkers = {count: _Checker(count) for count in (1, 2, 100, 1_000)}
    same: dict[str, Callable[[], float]] = {}
    spread: dict[str, Callable[[], float]] = {}
    every: dict[str, Callable[[], float]] = {}
    for count, checker in checkers.items():
        label = f"{count:,}"
        if count != 2:
            same[label] = partial(checker.after_one_tick, spread=False)
            every[label] = checker.after_all_tick
        if count != 1:
            spread[label] = partial(checker.after_one_tick, spread=True)
    work = "risk check, n positions"
    return [
        *compare(work, same, {"100": 1.15, "1,000": 1.15}, rounds=11),
        *compare(f"{work}, in turn", spread, {}, rounds=7),
        *compare(f"{work}, all ticked", every, {}, rounds=5),
        *_hook(),
    ]
