"""Runs of one cerebro over many parameters, by several workers."""

from __future__ import annotations

import pickle
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import backtrader
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.backtrader.engine import own
from tests.backtrader.parity import feeds

from seatrial import LATENCY_NORMAL, PositionLimitRule, RiskConfig
from seatrial_backtrader import SeatrialBroker

bt: Any = backtrader  # whose modules hide what they hold from a type checker


class Returning(own.Waving):
    """A strategy of a name that no other has: Backtrader keeps lines by it, and pickles the latest of them."""


def cerebro(settings: dict[str, Any], **runs: Any) -> Any:
    """Return a cerebro without strategies."""
    made = bt.Cerebro(stdstats=False, **runs)
    made.setbroker(SeatrialBroker(cash=10_000, **settings))
    made.adddata(feeds.intraday(3))
    return made


@pytest.mark.parametrize(
    "settings",
    [{"risk_config": RiskConfig()}, {"latency_config": LATENCY_NORMAL, "record": True}],
    ids=["rules", "delays and a record"],
)
def test_workers_return_strategies_with_their_broker(settings: dict[str, Any]) -> None:
    """With `optreturn=False` a strategy comes back from its worker with broker, gate and log."""
    every = [5, 9, 13]
    many = cerebro(settings, maxcpus=2, optreturn=False)
    many.optstrategy(Returning, every=every)
    found = [(one.broker.getvalue(), len(one.broker.events)) for [one] in many.run()]

    alone = []
    for number in every:
        one = cerebro(settings)
        one.addstrategy(Returning, every=number)
        one.run()
        alone.append((one.broker.getvalue(), len(one.broker.events)))
    assert found == alone
    assert len(set(alone)) == 3


def test_what_a_rule_reads_survives_the_way_from_a_worker() -> None:
    """A limit's view of the account comes out of a pickle; where it did not, the pool of workers hung for ever."""
    one = cerebro({"risk_config": RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(5)))})
    one.addstrategy(Returning, every=5)
    [strategy] = one.run()

    again = pickle.loads(pickle.dumps(strategy))  # noqa: S301 - our own

    assert again.broker.getvalue() == strategy.broker.getvalue()
    assert again.broker.gate.admission.risk is not None
