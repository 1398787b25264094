"""The cases are well-formed data: ids, needs, expectations, the schema and the page that is written from them."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import fastjsonschema
import msgspec
import pytest
from tests.kit.page import PAGE, contract_page

from seatrial.contracts.engine import Capability
from seatrial.contracts.events import AccountEvent, OrderEvent
from seatrial.engine.needs import needs_of, refuse_unclaimed
from seatrial.errors import InvalidConfigError
from seatrial.testing.case import FAMILIES, Case, all_cases, schema

FOLDER = files("seatrial") / "testing" / "case_files"
EVENTS: dict[str, set[str]] = {
    str(kind.__struct_config__.tag): {"event", *kind.__struct_fields__}
    for union in (OrderEvent, AccountEvent)
    for kind in union.__args__
}
EITHER = {Capability.QUOTES, Capability.CASH_ACCOUNT}


def strange_fields(case: Case) -> list[str]:
    """Return what a case expects of an event that no such event has."""
    expected = case.expected
    events = [*(expected.events or ()), *[event for events in expected.histories.values() for event in events]]
    fills = [{"event": "filled", **event} for event in expected.executions or ()]
    return [f"{event['event']}.{name}" for event in (*events, *fills) for name in set(event) - EVENTS[event["event"]]]


def test_every_family_has_cases_and_every_file_its_id() -> None:
    """Ids are a family's letters and a number that counts without a gap, and name the file."""
    names = [path.name for path in FOLDER.iterdir() if path.name != "schema.json"]

    assert sorted(names) == sorted(f"{case.case}.json" for case in all_cases())
    for family in FAMILIES:
        numbers = [int(case.case.partition("-")[2]) for case in all_cases() if case.family == family]
        assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.case)
def test_case_says_what_it_needs_and_expects(case: Case) -> None:
    """Its needs are those of its scenarios, it expects something, and only fields that there are."""
    scenarios = [case.scenario, *([case.expected.twin.scenario] if case.expected.twin else [])]
    derived = set().union(*[needs_of(scenario) for scenario in scenarios])

    assert derived - set(case.needs) <= EITHER | {Capability.MARKET, Capability.GTC}
    assert case.ticks or Capability.QUOTES not in derived or Capability.QUOTES in case.needs
    assert case.any_account or derived & {Capability.CASH_ACCOUNT, Capability.MARGIN_ACCOUNT} <= set(case.needs)
    assert case.expected != type(case.expected)()
    assert strange_fields(case) == []
    assert case.statement.endswith(".")
    assert case.because.endswith((".", "…"))


def test_statements_are_all_different() -> None:
    """No two cases state the same."""
    assert len({case.statement for case in all_cases()}) == len(all_cases())


def test_every_capability_has_a_case_of_its_own() -> None:
    """What is claimed is taken, what is not claimed is refused: one case for each capability."""
    assert sorted(filter(None, (case.expected.takes for case in all_cases()))) == sorted(Capability)


def test_tick_cases_have_one_price() -> None:
    """What may be fed as trades has quotes of one price and of no size."""
    for case in all_cases():
        for row in case.scenario.tape.rows if case.ticks else ():
            fields: dict[str, Any] = msgspec.structs.asdict(row)
            assert (fields["bid"], fields["bid_size"], fields["ask_size"]) == (fields["ask"], None, None)


def test_schema_file_is_the_schema() -> None:
    """Programs in other languages find the form of a case beside the cases."""
    remedy = "run python -m tests.kit.page"

    assert (FOLDER / "schema.json").read_bytes() == schema(), remedy


def test_case_files_are_valid_by_the_schema() -> None:
    """A program in another language can rely on the schema: each file keeps to it, one with a wrong word does not."""
    formats = {"decimal": r"^-?[0-9]+(\.[0-9]+)?$", "duration": r"^P"}
    validate = fastjsonschema.compile(json.loads(schema()), formats=formats)
    contents = [json.loads(path.read_bytes()) for path in FOLDER.iterdir() if path.name != "schema.json"]

    for content in contents:
        validate(content)
    with pytest.raises(fastjsonschema.JsonSchemaException):
        validate({**contents[0], "needs": ["telepathy"]})


def test_page_is_written_from_the_cases() -> None:
    """docs/conformance.md is what the cases say."""
    remedy = "run python -m tests.kit.page"

    assert PAGE.read_text("utf-8") == contract_page(), remedy


def test_checker_notices_fields_that_do_not_exist() -> None:
    """A field that a fill does not have is named."""
    case = next(case for case in all_cases() if case.case == "LIF-01")
    wrong = msgspec.structs.replace(case.expected, executions=({"prize": "1"},))

    assert strange_fields(msgspec.structs.replace(case, expected=wrong)) == ["filled.prize"]


def test_engine_refuses_what_it_does_not_claim_by_name() -> None:
    """The error names every capability that is missing, and nothing is missing where all is claimed."""
    scenario = next(case.scenario for case in all_cases() if case.case == "LAT-09")

    refuse_unclaimed(scenario, frozenset(Capability))
    with pytest.raises(InvalidConfigError, match="delay_ack, delay_cancel"):
        refuse_unclaimed(scenario, frozenset(Capability) - {Capability.DELAY_ACK, Capability.DELAY_CANCEL})
