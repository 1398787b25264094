"""Whatever a Backtrader script does, a broker of ours shows it what the stock broker shows, to the last bit."""

from __future__ import annotations

import random
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.backtrader.parity.corpus import RAISING, SCRIPTS
from tests.backtrader.parity.recorder import record
from tests.backtrader.parity.trace import Trace, assert_same
from tests.backtrader.parity.wirings import BROKEN, WIRINGS, stock

if TYPE_CHECKING:
    from collections.abc import Iterator


@lru_cache(maxsize=1)
def expected(name: str) -> Trace:
    """Return what the stock broker shows a script of the corpus, which has to end as the corpus says."""
    trace = record(SCRIPTS[name], stock)
    raised = [entry for entry in trace if entry.kind == "raised"]
    assert bool(raised) == (name in RAISING), raised
    return trace


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_sees_what_the_stock_broker_shows(name: str, wiring: str) -> None:
    """Every notification, balance, position and order of the run is the stock broker's."""
    assert_same(expected(name), record(SCRIPTS[name], WIRINGS[wiring]), f"{name}, {wiring}")


@pytest.mark.no_cover
@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_broker_is_found_out(fault: str) -> None:
    """Some script of the corpus tells each of the broken brokers from the stock broker."""

    def found() -> Iterator[str]:
        for name in random.Random(fault).sample(list(SCRIPTS), len(SCRIPTS)):
            shown = expected(name)
            try:
                assert_same(shown, record(SCRIPTS[name], BROKEN[fault]))
            except AssertionError as difference:
                yield f"{name}: {difference}"

    assert next(found(), None), f"no script notices that {fault}"
