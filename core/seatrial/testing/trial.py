"""One case put to one engine."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from seatrial.contracts.engine import EngineInfo
from seatrial.contracts.events import ModifyRefused, OrderDenied, OrderRejected
from seatrial.contracts.rejection import RejectionReason
from seatrial.errors import SeatrialError
from seatrial.testing.case import Property
from seatrial.testing.compare import compared
from seatrial.testing.properties import Adapter, Runs, holding, part, tampered
from seatrial.testing.rendering import missing, rendered

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from seatrial.contracts.engine import Capability, Engine, RunRecord
    from seatrial.contracts.scenario import Scenario
    from seatrial.testing.case import Case, Twin

__all__ = ["Outcome", "Status", "try_case"]

_REFUSALS = (OrderDenied, OrderRejected, ModifyRefused)


class Status(StrEnum):
    """What became of a case."""

    PASSED = "passed"
    FAILED = "failed"
    KNOWN_FAILURE = "known failure"
    NOT_CLAIMED = "not claimed"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one case: each of `problems` is a difference in one line; `missing` is what was not claimed."""

    case: str
    status: Status
    problems: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    engine: EngineInfo | None = None


def try_case(case: Case, make_engine: Callable[[], Engine], claims: Collection[Capability], folder: Path) -> Outcome:
    """Put a case to engines that `make_engine` builds anew; checkpoints go below `folder`, which is empty."""
    lacking = missing(case, claims)
    if lacking:
        return Outcome(case=case.case, status=Status.NOT_CLAIMED, missing=lacking)
    if Property.STOCK in case.expected.holds and not isinstance(make_engine(), Adapter):
        return Outcome(case=case.case, status=Status.NOT_CLAIMED, missing=("an engine beneath",))
    problems: list[str] = []
    info: EngineInfo | None = None
    for number, (name, scenario) in enumerate(rendered(case, case.scenario, claims).items()):
        runs = Runs(make_engine, frozenset(claims), folder / str(number))
        found = list(_all_problems(case, scenario, runs, name, claims))
        problems += [f"{problem} ({name})" if name else problem for problem in found]
        info = runs.info or info
    status = Status.FAILED if problems else Status.PASSED
    return Outcome(case=case.case, status=status, problems=tuple(problems), engine=info)


def _all_problems(
    case: Case, scenario: Scenario, runs: Runs, name: str, claims: Collection[Capability]
) -> Iterator[str]:
    """Say what is wrong, also with a record that is of the wrong make for anybody to look at."""
    try:
        yield from _problems(case, scenario, runs, name, claims)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the other cases are to be tried all the same
        problem = f"that ends in {type(error).__name__}: {error}"
        yield f"record: expected one that can be looked into, got one on which {problem}"


def _problems(case: Case, scenario: Scenario, runs: Runs, name: str, claims: Collection[Capability]) -> Iterator[str]:
    expected = case.expected
    must_refuse = expected.refused or (expected.takes is not None and expected.takes not in claims)
    try:
        record = runs.run(scenario)
    except SeatrialError as error:
        if not must_refuse:
            yield f"run: expected a record, got {type(error).__name__}: {error}"
        return
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever an engine raises is its answer
        wanted = "a SeatrialError that says what is wrong" if must_refuse else "a record"
        yield f"run: expected {wanted}, got {type(error).__name__}: {error}"
        return
    if expected.refused:
        yield "run: expected a SeatrialError that says what is wrong, got a record"
        return
    if expected.takes is not None:
        yield from _taken(expected.takes, record, claimed=expected.takes in claims)
    yield from compared(expected, record)
    for prop in expected.holds:
        yield from holding(prop, scenario, record, runs)
    if expected.twin is not None:
        yield from _beside(expected.twin, record, rendered(case, expected.twin.scenario, claims)[name], runs)
    if expected.tampering is not None:
        yield from tampered(expected.tampering, scenario, record, runs)


def _taken(capability: Capability, record: RunRecord, *, claimed: bool) -> Iterator[str]:
    """Say whether what is claimed was taken, and what is not was refused."""
    refused = [
        event.order_id
        for event in record.events
        if isinstance(event, _REFUSALS) and event.rejection.reason is RejectionReason.UNSUPPORTED
    ]
    if claimed and refused:
        yield f"{capability}: it is claimed, yet {', '.join(refused)} came back as unsupported"
    if not claimed and not refused:
        yield f"{capability}: it is not claimed; expected a SeatrialError or a refusal as unsupported, got a silent run"


def _beside(twin: Twin, record: RunRecord, scenario: Scenario, runs: Runs) -> Iterator[str]:
    other = runs.run(scenario)
    for name in twin.same:
        if part(record, name, twin.orders_of) != part(other, name, twin.orders_of):
            yield f"twin: expected the same {name} in both runs, got different ones"
    for name in twin.different:
        if part(record, name, twin.orders_of) == part(other, name, twin.orders_of):
            yield f"twin: expected different {name} in both runs, got the same"
