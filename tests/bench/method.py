"""How we measure: ratios within one process, never times between machines.

All sides of a comparison run in one process. Each round runs every side once, in turn forwards and backwards, with a
garbage collection before each; the clock counts this process's CPU time. A ratio is taken within a round, and the
median over the rounds counts, or their first quartile where an overhead is too small for it.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass
from statistics import median
from time import process_time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["GRACE", "ROUNDS", "Row", "compare", "timed"]

ROUNDS = 7
GRACE = 1.2
"""A bound missed by more than this factor fails the benchmark."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the results: `ratio` to the base, or a counted `value`, with the bound it must keep."""

    work: str
    case: str
    ratio: float
    bound: float | None
    micros: float | None = None

    @property
    def verdict(self) -> str:
        """Return what the bound says: kept, missed within the grace, or failed."""
        if self.bound is None:
            return ""
        if self.ratio <= self.bound:
            return "pass"
        return "miss" if self.ratio <= self.bound * GRACE else "FAIL"


def timed(work: Callable[[], object], actions: int) -> float:
    """Return the CPU seconds per action of `work`, which does `actions` of them."""
    gc.collect()
    start = process_time()
    work()
    return (process_time() - start) / actions


def compare(
    work: str,
    sides: Mapping[str, Callable[[], float]],
    bounds: Mapping[str, float],
    rounds: int = ROUNDS,
    pick: Callable[[Iterable[float]], float] = median,
) -> list[Row]:
    """Return one row per side, its ratio taken to the first; `bounds` names those that have one.

    `pick` says which of the rounds' ratios counts.
    """
    names = list(sides)
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            times[name].append(sides[name]())
    base = times[names[0]]
    rows = []
    for name in names:
        ratio = pick(mine / other for mine, other in zip(times[name], base, strict=True))
        rows.append(Row(work, name, ratio, bounds.get(name), median(times[name]) * 1e6))
    return rows
