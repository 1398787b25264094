"""The engines agree where docs/parity.md says so, and no difference between them is without a rule."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.parity.cases import CASES, PROFILES, ParityCase
from tests.parity.engines import ENGINES, missing
from tests.parity.page import PAGE, Part, assembled, part_of, problems
from tests.parity.tapes import TAPES, ParityTape

from seatrial.engine.native import NativeEngine

WORK = {"Modifies": "replaced", "Refusals": "denied", "Limits": "cancelled", "Pairs": "cancelled"}
REMEDY = "run python -m tests.parity.page"
PAGE_TEXT = PAGE.read_text("utf-8")

needs_all = pytest.mark.skipif(bool(missing()), reason=f"not installed: {', '.join(one.title for one in missing())}")


def written(tape: ParityTape) -> Part:
    """Return a tape's part of the page as it is written there."""
    _, _, rest = PAGE_TEXT.partition(f"\n## {tape.name}: ")
    section = f"## {tape.name}: {rest.partition(chr(10) + '## ')[0].rstrip()}"
    return Part(tuple([line for line in PAGE_TEXT.splitlines() if line.startswith(f"| {tape.name} |")]), section)


@needs_all
@pytest.mark.parametrize("tape", TAPES, ids=lambda tape: tape.name)
def test_page_says_what_the_engines_do(tape: ParityTape) -> None:
    """Run anew they do the same, on every Python and with every version of theirs; and each difference has its rule."""
    part, found = part_of(tape)

    assert problems(found) == []
    assert written(tape) == part, REMEDY


@needs_all
def test_page_is_its_parts_and_no_more() -> None:
    """Head, totals, rules and order of the sections are what the program writes."""
    assert assembled({tape.name: written(tape) for tape in TAPES}) == PAGE_TEXT, REMEDY


@pytest.mark.parametrize("rule_id", [rule.rule_id for engine in ENGINES for rule in engine.rules])
def test_each_rule_has_a_part(rule_id: str) -> None:
    """A rule that explains nothing is no rule."""
    rows = [row for tape in TAPES for row in written(tape).rows]

    assert any(f"[{rule_id}](" in row for row in rows)


@pytest.mark.parametrize("strategy", sorted({case.strategy for case in CASES} - {"Modifies"}))
def test_on_single_prices_each_engine_is_native_in_its_convention(strategy: str) -> None:
    """Under every profile: Backtrader with the next price, and NautilusTrader with the one that stands, by default."""
    [ticks] = [written(tape).section for tape in TAPES if tape.name == "ticks"]
    rows = [row for row in ticks.splitlines() if row.startswith(f"| {strategy} |")]
    overview, differences = rows[: len(ENGINES)], rows[len(ENGINES) :]

    assert f"| {strategy} | NautilusTrader |{' = |' * len(PROFILES)}" in overview
    assert all(row.endswith("| = |") and "| Backtrader |" in row for row in differences)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.tape.name}-{case.strategy}")
def test_each_strategy_has_work(case: ParityCase) -> None:
    """What is to be compared does happen: fills, and what the strategy is there for."""
    record = NativeEngine().run(case.scenario("NORMAL"))
    kinds = Counter(str(event.__struct_config__.tag) for event in record.events)

    assert kinds["filled"] >= 3
    assert case.strategy not in WORK or kinds[WORK[case.strategy]] >= 2
