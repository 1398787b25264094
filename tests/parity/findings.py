"""What the comparison of one case on two engines found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from tests.parity.aspects import Difference, differences, differing_aspects, first_difference
from tests.parity.cases import CASES, PROFILES, ParityCase
from tests.parity.engines import ENGINES, ParityEngine, missing
from tests.parity.rules import Two

from seatrial.engine.native import NativeEngine

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from tests.parity.tapes import ParityTape

    from seatrial.contracts.engine import Engine, RunRecord

__all__ = ["Finding", "compare", "findings"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One case under one profile on one engine, against the native run.

    `aspects` are those in which the engine differs from the native venue as it stands, `first` is where, and `rules`
    explain it. `left` are the aspects in which it still differs from the native venue in the engine's conventions,
    `explained` the rules of the orders that do, and `unexplained` what no rule knows.
    """

    case: ParityCase
    profile: str
    engine: ParityEngine
    aspects: tuple[str, ...]
    first: Difference | None
    rules: tuple[str, ...]
    left: tuple[str, ...]
    explained: dict[str, str]
    unexplained: tuple[Difference, ...]


def findings(tape: ParityTape) -> Iterator[Finding]:
    """Compare every case on a tape, under every profile, on every engine that is installed."""
    engines = [(engine, engine.load()) for engine in ENGINES if engine not in missing()]
    for case in CASES:
        for profile in PROFILES if case.tape is tape else ():
            native = NativeEngine().run(case.scenario(profile))
            for engine, loaded in engines:
                yield compare(case, profile, native, engine, loaded)


def compare(case: ParityCase, profile: str, first: RunRecord, engine: ParityEngine, loaded: Engine) -> Finding:
    """Compare one case under one profile on one engine with `first`, the native run."""
    scenario, native = first.scenario, first
    rules: list[str] = []
    for setting in engine.settings:
        adapted = setting.adapt(scenario)
        if adapted == scenario:
            continue
        scenario, before, native = adapted, native, NativeEngine().run(adapted)
        if first_difference(before, native) is not None:
            rules.append(setting.rule_id)
    other = loaded.run(scenario)
    two = Two(native, other)
    unexplained: list[Difference] = []
    explained: dict[str, str] = {}
    for difference in _all_differences(native, other):
        known = next((rule.rule_id for rule in engine.semantics if rule.holds(two, difference)), None)
        if known is None:
            unexplained.append(difference)
        else:
            explained[difference.order_id] = known
    unexplained = [one for one in unexplained if not _waits(one, explained, native, other)]
    return Finding(
        case=case,
        profile=profile,
        engine=engine,
        aspects=differing_aspects(first, other),
        first=first_difference(first, other),
        rules=tuple(dict.fromkeys((*rules, *explained.values()))),
        left=differing_aspects(native, other),
        explained=explained,
        unexplained=tuple(unexplained),
    )


def _waits(difference: Difference, explained: Container[str], native: RunRecord, other: RunRecord) -> bool:
    """Return whether an order's report only came later, behind the report of an order whose difference is explained.

    Reports never overtake each other, so on the side where it is later it is told together with that one.
    """
    if difference.native is None or difference.other is None:
        return False
    mine, theirs = difference.native, difference.other
    if {**mine, "reported_at": 0} != {**theirs, "reported_at": 0}:
        return False
    late = native if mine["reported_at"] > theirs["reported_at"] else other
    at = max(mine["reported_at"], theirs["reported_at"])
    return any(
        event.reported_at == at and event.timestamp <= mine["timestamp"]
        for order in late.orders
        if order.order_id in explained
        for event in order.events
    )


def _all_differences(native: RunRecord, other: RunRecord) -> list[Difference]:
    """Return where each order's histories part; where none do, where the log does."""
    found = list(differences(native, other).values())
    whole = first_difference(native, other)
    return found or ([whole] if whole is not None else [])
