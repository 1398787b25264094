"""A difference is one line that says where it is, what was expected, and what came instead."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from seatrial import OrderExecution
from seatrial.contracts.engine import RunRecord
from seatrial.engine.native import NativeEngine
from seatrial.testing.case import Expected, all_cases
from seatrial.testing.compare import compared, differences

CASE = next(case for case in all_cases() if case.case == "LIF-01")


@pytest.fixture(name="record", scope="module")
def _record() -> RunRecord:
    return NativeEngine().run(CASE.scenario)


def with_fill(record: RunRecord, **changes: Any) -> RunRecord:
    """Return a record in which fills are others."""
    events = [replace(one, **changes) if isinstance(one, OrderExecution) else one for one in record.events]
    return replace(record, events=tuple(events))


def test_sound_record_has_no_difference(record: RunRecord) -> None:
    """What was expected came."""
    assert list(compared(CASE.expected, record)) == []


def test_other_price_is_one_line(record: RunRecord) -> None:
    """It names the event, the field, and both values."""
    found = list(compared(CASE.expected, with_fill(record, price=Decimal("10.02"))))

    assert found == ["events[2]: price: expected 10.00, got 10.02"]


def test_equal_amounts_may_be_written_differently(record: RunRecord) -> None:
    """10.00 is 10."""
    assert list(compared(CASE.expected, with_fill(record, price=Decimal(10)))) == []


def test_float_is_no_amount(record: RunRecord) -> None:
    """Even where its value is right."""
    found = list(compared(CASE.expected, with_fill(record, price=10.0)))

    assert found == ["events[2]: price: expected 10.00, got the float 10.0"]


def test_missing_event_shows_both_sequences(record: RunRecord) -> None:
    """So that one sees at once what is not there."""
    found = list(compared(CASE.expected, replace(record, events=record.events[:-1])))

    assert found == [
        "events: expected 3 (submitted S-1, accepted S-1, filled S-1), got 2 (submitted S-1, accepted S-1)"
    ]


def test_missing_order_is_named(record: RunRecord) -> None:
    """An order that the record should have, and has not."""
    found = list(compared(Expected(orders={"S-9": {"status": "filled"}}), record))

    assert found == ["order S-9: expected to be in the record, got S-1"]


def test_position_too_many_is_a_difference() -> None:
    """Positions are compared whole; of all else only what is named counts."""
    assert list(differences("account", {"positions": {}}, {"positions": {"ACME": "1"}, "cash": "5"})) == [
        "account: positions: expected none, got ACME"
    ]
