"""Random scripts see the same from every broker that is to pass for the stock broker, and find the broken ones out."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.backtrader.parity import fuzz
from tests.backtrader.parity.recorder import record
from tests.backtrader.parity.wirings import BROKEN, WIRINGS, stock

CHUNK = 25
"""How many seeds share a test; `make fuzz` takes thousands."""
CHUNKS = [0, CHUNK, *[pytest.param(first, marks=pytest.mark.no_cover) for first in range(2 * CHUNK, 200, CHUNK)]]


@pytest.mark.parametrize("first", CHUNKS)
def test_random_scripts_see_what_the_stock_broker_shows(first: int) -> None:
    """Whatever a script does, and however its broker is set, each wiring with a gate shows it the same."""
    fuzz.compare(range(first, first + CHUNK), {name: WIRINGS[name] for name in WIRINGS if name != "no gate"})


@pytest.mark.no_cover
def test_random_scripts_see_the_same_without_a_gate() -> None:
    """Where nothing stands in front, fewer scripts do: it is the stock broker but for its index."""
    fuzz.compare(range(200, 200 + 2 * CHUNK), {"no gate": WIRINGS["no gate"]})


@pytest.mark.no_cover
@pytest.mark.parametrize("fault", BROKEN)
def test_random_scripts_find_a_broken_broker_out(fault: str) -> None:
    """Each of the broken brokers fails within a chunk of seeds, under a message that names the seed."""
    with pytest.raises(AssertionError, match=rf"^seed \d+, {fault}: "):
        fuzz.compare(range(CHUNK), {fault: BROKEN[fault]})


@pytest.mark.no_cover
def test_random_scripts_do_all_sorts_of_things() -> None:
    """Among the first scripts, orders end in every way there is, and some runs raise."""
    entries = [entry for seed in range(CHUNK) for entry in record(fuzz.script(seed), stock)]
    ends = {entry.fields["status"] for entry in entries if entry.kind == "notify_order"}
    assert ends >= {"Submitted", "Accepted", "Partial", "Completed", "Canceled", "Expired", "Margin", "Rejected"}
    assert any(entry.kind == "raised" for entry in entries)


def test_the_command_tells_the_first_difference(capsys: pytest.CaptureFixture[str]) -> None:
    """It reports that all went well, or the first seed that did not; its status says the same."""
    assert fuzz.main(["2", "7"]) == 0
    assert capsys.readouterr().out == "2 seeds from 7: no difference\n"

    assert fuzz.main(["9"], {"broken": BROKEN["a notification comes late"]}) == 1
    assert capsys.readouterr().out.startswith("seed 0, broken: ")
