"""The pages about orders and latency, and the README, say what the code says."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import get_args

import pytest

from seatrial import (
    LATENCY_FAST,
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    LATENCY_SLOW,
    Constant,
    LatencyConfig,
    OrderStatus,
    OrderType,
    RejectionReason,
    TimeInForce,
    Uniform,
)
from seatrial.contracts.events import OrderEvent
from seatrial.contracts.latency import Leg
from seatrial.contracts.orders import TERMINAL, TRANSITIONS

PROJECT = Path(__file__).resolve().parents[2]
DOCS = PROJECT / "docs"
STAGES = (OrderStatus.NEW, OrderStatus.PENDING_SUBMIT, OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED)
PROFILES = {
    "LATENCY_INSTANT": LATENCY_INSTANT,
    "LATENCY_FAST": LATENCY_FAST,
    "LATENCY_NORMAL": LATENCY_NORMAL,
    "LATENCY_SLOW": LATENCY_SLOW,
}
MS = 1_000_000


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, its first row included, without back ticks."""
    text = (DOCS / page).read_text("utf-8").partition(f"\n## {heading}\n")[2]
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert table is not None, f"no table below {heading!r} in {page}"
    lines = [line.strip("|").replace("`", "").split("|") for line in table[0].splitlines()]
    return [[cell.strip() for cell in line] for line in lines if set(line[0].strip()) != {"-"}]


def words(page: str, heading: str) -> set[str]:
    """Return what stands in back ticks below a heading, up to the next one."""
    text = (DOCS / page).read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"`(\w+)`", text))


def cell(stage: OrderStatus, event: type) -> str:
    """Return what the table of transitions says, as the page writes it."""
    if event not in TRANSITIONS[stage]:
        return "–"  # noqa: RUF001 - the page's own dash
    after = TRANSITIONS[stage][event]
    return "derived" if after is None else after.name


def test_lifecycle_table_is_the_table_of_transitions() -> None:
    """Row by row and cell by cell, the page shows which events a stage takes and what follows."""
    head, *body = rows("orders.md", "Lifecycle")

    assert head == ["Event", *(stage.name for stage in STAGES), "ended"]
    assert body == [
        [event.__name__, *(cell(stage, event) for stage in STAGES), cell(OrderStatus.FILLED, event)]
        for event in get_args(OrderEvent)
    ]


def test_lifecycle_table_leaves_no_stage_out() -> None:
    """The four columns and the final statuses, which are alike, are all the stages there are."""
    assert set(TRANSITIONS) == {*STAGES, *TERMINAL}
    assert all(TRANSITIONS[status] == TRANSITIONS[OrderStatus.FILLED] for status in TERMINAL)


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("Types", {kind.name for kind in OrderType}),
        ("Times in force", {tif.name for tif in TimeInForce}),
        ("Rejections", {reason.value for reason in RejectionReason}),
    ],
)
def test_page_explains_every_name(heading: str, names: set[str]) -> None:
    """Each type, time in force and reason is explained, and none that does not exist."""
    explained = {name.strip() for row in rows("orders.md", heading)[1:] for name in row[0].split(",")}

    assert names <= words("orders.md", heading)
    assert explained <= names


@pytest.mark.parametrize("name", PROFILES)
def test_profile_table_shows_the_profiles(name: str) -> None:
    """The delays on the page are those of the profile, leg by leg."""
    head, *body = rows("latency.md", "Profiles")
    [row] = [row for row in body if row[0] == name]

    assert len(body) == len(PROFILES)
    legs = [{"Fill report": "fill"}.get(column, column.lower()) for column in head[1:]]
    assert row[1:] == [shown(PROFILES[name], Leg(leg)) for leg in legs]


def shown(config: LatencyConfig, leg: Leg) -> str:
    """Return a delay as the page writes it."""
    delay = config.leg(leg)
    if isinstance(delay, Uniform):
        return f"{delay.low_ns // MS}–{delay.high_ns // MS} ms"  # noqa: RUF001 - the page's own dash
    assert isinstance(delay, Constant)
    return f"{delay.delay_ns // MS} ms"


def test_readme_shows_what_its_example_prints() -> None:
    """The example, 15 to 25 lines of it, prints the block below it."""
    text = (PROJECT / "README.md").read_text("utf-8")
    found = re.search(r"^```python\n(.*?)^```$.*?^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    out = StringIO()

    with redirect_stdout(out):
        exec(found[1], {})  # noqa: S102 - our own page

    assert out.getvalue() == found[2]
    assert 15 <= len([line for line in found[1].splitlines() if line]) <= 25
