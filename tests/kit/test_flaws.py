"""The kit bites: sound engines pass what they claim, and each flaw is caught by exactly the cases in the table."""

from __future__ import annotations

import pytest
from tests.kit.caught import CAUGHT
from tests.kit.miniatures import CASES, FLAWS, SOUND, caught_by, outcomes, table_problems
from tests.kit.native_flaws import Native

from seatrial.testing import Status

TRACED = ("DET", "CKP", "CAP 22", "CAP 28", "CAP 29")
"""Cases whose failures are told by lines that no other case runs."""


def _traced(flaw: str) -> bool:
    return not issubclass(FLAWS[flaw], Native) or any(case in CAUGHT[flaw] for case in TRACED)


@pytest.mark.parametrize("engine", SOUND, ids=lambda engine: engine.__name__)
def test_sound_engine_passes_what_it_claims(engine: type) -> None:
    """Whether it claims much or little, and whoever wrote it: no case fails, and some are tried."""
    found = outcomes(engine)

    assert {case for case, status in found.items() if status is Status.FAILED} == set()
    assert Status.PASSED in found.values()


@pytest.mark.parametrize(
    "flaw", [flaw if _traced(flaw) else pytest.param(flaw, marks=pytest.mark.no_cover) for flaw in FLAWS]
)
def test_flaw_is_caught_by_exactly_its_cases(flaw: str) -> None:
    """No more and no fewer: a case fails for what it states, and for nothing else."""
    found = outcomes(FLAWS[flaw])

    assert {case for case, status in found.items() if status is Status.FAILED} == caught_by(flaw)


def test_every_flaw_stands_in_the_table() -> None:
    """At least forty engines, each with a sentence that says what is wrong with it, and a line in the table."""
    assert len(FLAWS) >= 40
    assert list(CAUGHT) == list(FLAWS)
    assert all((engine.__doc__ or "").endswith(".") for engine in FLAWS.values())


def test_every_case_catches_a_flaw() -> None:
    """There is no case that nothing could fail."""
    assert table_problems({flaw: caught_by(flaw) for flaw in FLAWS}) == []


@pytest.mark.parametrize("case", sorted(CASES))
def test_no_case_can_be_removed(case: str) -> None:
    """Without any one case some flaw is caught by fewer than the table says."""
    without = {flaw: caught_by(flaw) - {case} for flaw in FLAWS}

    assert [line for line in table_problems(without) if not line.startswith(case)] != []
