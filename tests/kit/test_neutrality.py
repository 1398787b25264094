"""A case asks for what the contract says, and for no engine's own way: where engines may differ it comes out alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.kit.native_flaws import ALL, Native, venue

from seatrial import Convention, RunRecord, Scenario
from seatrial.contracts.engine import Capability
from seatrial.contracts.venue import PriceImprovement
from seatrial.testing import Status, all_cases, try_case

CASH, MARGIN = Capability.CASH_ACCOUNT, Capability.MARGIN_ACCOUNT
QUOTES, TRADES = Capability.QUOTES, Capability.TRADES


def failed(engine: type[Native], folder: Path, *, ticks_only: bool = False) -> set[str]:
    """Return the cases that an engine fails."""
    cases = [case for case in all_cases() if case.ticks or not ticks_only]
    outcomes = [try_case(case, engine, engine.claims, folder / case.case) for case in cases]
    assert any(outcome.status is Status.PASSED for outcome in outcomes)
    return {outcome.case for outcome in outcomes if outcome.status is Status.FAILED}


@pytest.mark.parametrize("convention", Convention)
@pytest.mark.parametrize("improvement", PriceImprovement)
def test_ticks_are_the_same_under_every_convention(
    convention: Convention, improvement: PriceImprovement, tmp_path: Path
) -> None:
    """Where a case leaves the convention open, orders arrive where a price both stands and is printed again."""

    class Other(Native):
        def asked(self, scenario: Scenario) -> Scenario:
            given = scenario.execution.venue.convention
            return venue(scenario, convention=given or convention, price_improvement=improvement)

    assert failed(Other, tmp_path, ticks_only=True) == set()


@pytest.mark.parametrize(
    "missing", [{CASH}, {MARGIN}, {QUOTES}, {TRADES}, {CASH, QUOTES}], ids=lambda missing: ", ".join(sorted(missing))
)
def test_cases_are_the_same_on_every_account_and_data(missing: set[Capability], tmp_path: Path) -> None:
    """Cases that name neither pass on whichever is claimed; what is taken without a claim fails its own case alone."""

    class Less(Native):
        claims = ALL - missing

        def told(self, record: RunRecord) -> RunRecord:
            return replace(record, engine=replace(record.engine, capabilities=tuple(sorted(self.claims))))

    taken = {case.case for case in all_cases() if case.expected.takes in missing}
    assert failed(Less, tmp_path) == taken
