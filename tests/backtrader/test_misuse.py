"""What a broker cannot use it refuses in one clear line, and what it can use but should not, it warns of."""

from __future__ import annotations

import sys
import warnings
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import backtrader
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.backtrader.parity import feeds
from tests.backtrader.parity.recorder import Script, record
from tests.backtrader.parity.trace import assert_same
from tests.backtrader.parity.trial import Trial, bars, days, run
from tests.backtrader.parity.wirings import stock

from seatrial import LATENCY_NORMAL, RiskConfig, SeatrialError
from seatrial_backtrader import SeatrialBroker
from seatrial_backtrader.daily import DailyStampsWarning

bt: Any = backtrader  # whose modules hide what they hold from a type checker

FLAT = (100.0, 100.5, 99.5, 100.0)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"latency_config": "normal"}, "latency_config='normal': give a LatencyConfig, for example LATENCY_NORMAL"),
    ({"risk_config": 5}, "risk_config=5: give a RiskConfig, or None"),
    ({"bar_theta": 0.5}, "bar_theta=0.5: give a Decimal part of the bar, 0 to 1"),
    ({"bar_theta": Decimal("1.5")}, "bar_theta=Decimal('1.5'): give a Decimal part of the bar, 0 to 1"),
    ({"bar_theta": Decimal("NaN")}, "bar_theta=Decimal('NaN'): give a Decimal part of the bar, 0 to 1"),
    ({"stale_match": "always"}, "stale_match='always': give 'stock' or 'never'"),
    ({"ledgers": 3}, "ledgers=3: give 1 or 2"),
    ({"indexed": "no"}, "indexed='no': give True or False"),
    ({"simulator_id": "../x"}, "simulator_id='../x': give a plain name: letters, digits, '-', '_' and '.'"),
    ({"seed": "7"}, "seed='7': give an int"),
    ({"observers": "log"}, "observers='log': give a tuple of names, or of objects with notify()"),
    ({"observers": (5,)}, "observers=5: give the name of an observer, or an object with notify()"),
    ({"observers": ("nope",)}, "no observer 'nope' is installed (on offer: "),
    ({"plugins": 5}, "plugins=5: give the Plugins of seatrial.plugins, or None for the installed ones"),
    ({"risk_config": RiskConfig(rules=("nope",))}, "no risk rule 'nope' is installed (on offer: "),
    (
        {"latency_config": LATENCY_NORMAL, "coc": True},
        "coc=True: an order that takes time cannot trade at the close it was sent at; drop coc or the submit delay",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[" ".join(bad) for bad, _ in BAD])
def test_a_bad_argument_is_refused_in_one_line(arguments: dict[str, Any], message: str) -> None:
    """The run does not begin; the error names the argument, what was given, and what to give."""
    with pytest.raises(SeatrialError) as caught:
        run({}, bars([FLAT] * 3), **arguments)

    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("argument", "hint"),
    [("latencyconfig", "; did you mean latency_config?"), ("slip_prec", "; did you mean slip_perc?"), ("zzz", "")],
)
def test_an_unknown_argument_is_refused_at_once(argument: str, hint: str) -> None:
    """Where Backtrader names its base class, the error names the argument, and the one that was probably meant."""
    make: Any = SeatrialBroker

    with pytest.raises(SeatrialError) as caught:
        make(**{argument: 5})

    assert str(caught.value) == f"{argument}=5: SeatrialBroker has no such argument{hint}"


@pytest.mark.parametrize("arguments", [{"latency_config": LATENCY_NORMAL}, {"risk_config": RiskConfig()}], ids=str)
def test_days_before_1970_are_refused(arguments: dict[str, Any]) -> None:
    """Behind the gate times are UNIX times; the error says what to do with older data."""
    feed = days([FLAT] * 3)
    feed.p.rows = tuple([(row[0] - timedelta(days=60 * 366), *row[1:]) for row in feed.p.rows])

    with pytest.raises(SeatrialError, match=r"it lies before 1970; give the feed a fromdate") as caught:
        run({1: lambda it: it.order("buy", 1)}, feed, **arguments)

    assert "\n" not in str(caught.value)


def test_days_before_1970_need_no_gate() -> None:
    """Without delays and rules there is no gate, and any data will do."""
    feed = days([FLAT] * 4)
    feed.p.rows = tuple([(row[0] - timedelta(days=60 * 366), *row[1:]) for row in feed.p.rows])

    assert run({1: lambda it: it.order("buy", 1)}, feed).position.size == 1


# -- stamps ------------------------------------------------------------------------------------------------------------


def midnight(count: int) -> Any:
    """Return daily bars as a table of dates gives them."""
    return days([FLAT] * count, hour=0)


def warned(*datas: Any, **arguments: Any) -> list[str]:
    """Return what a run over some feeds warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DailyStampsWarning)
        run({}, *datas, **arguments)
    return [str(warning.message) for warning in caught if warning.category is DailyStampsWarning]


def test_mixed_daily_stamps_are_warned_of_once() -> None:
    """A CSV feed stamps days at their end, a table of dates at midnight: with delays that is told, once a run."""
    first = datetime(2008, 8, 1)

    [text] = warned(feeds.ibm(first), midnight(5), midnight(5), latency_config=LATENCY_NORMAL)

    assert text.startswith(
        "the daily bars of feed1 are stamped at midnight, when their day begins, those of feed0 late"
    )


@pytest.mark.parametrize(
    ("made", "arguments"),
    [
        ((lambda: days([FLAT] * 5), midnight), {}),
        ((lambda: days([FLAT] * 5), lambda: days([FLAT] * 5, hour=20)), {"latency_config": LATENCY_NORMAL}),
        ((lambda: bars([FLAT] * 5), lambda: midnight(5)), {"latency_config": LATENCY_NORMAL}),
    ],
    ids=["no delays", "both late", "not daily"],
)
def test_stamps_that_do_no_harm_are_not_warned_of(made: Any, arguments: dict[str, Any]) -> None:
    """Without delays nothing is counted from stamps; and only midnight beside later stamps is a day apart."""
    assert warned(*[make() if make is not midnight else make(5) for make in made], **arguments) == []


# -- bars older than an order ------------------------------------------------------------------------------------------


def on_two_feeds(it: Trial) -> None:
    """Send a limit order in the slow feed, between two of its bars, that its last bar would have filled."""
    it.order("limit", 1, data=it.datas[1], exectype=bt.Order.Limit, price=99.8)


@pytest.mark.parametrize(("stale_match", "day"), [("stock", 2), ("never", 3)])
def test_an_order_may_be_kept_off_bars_older_than_itself(stale_match: str, day: int) -> None:
    """Backtrader fills it on the bar of the day before, which it had seen; `never` waits for the next one."""
    minutes = bars([FLAT] * 300, minutes=10)
    slow = days([FLAT] * 4)

    strategy = run({60: on_two_feeds}, minutes, slow, stale_match=stale_match)

    [fill] = [order for order in strategy.heard if order.status == bt.Order.Completed]
    assert bt.num2date(fill.executed.dt).day == day


def one_feed(cerebro: Any) -> None:
    """Trade real days with a bracket at each crossing, cheating on nothing."""
    cerebro.adddata(feeds.ibm())
    plan = {
        n: lambda it: it.buy_bracket(
            size=3,
            exectype=bt.Order.Limit if len(it) % 2 else bt.Order.Market,
            price=it.data.close[0] * 0.99,
            limitprice=it.data.close[0] * 1.03,
            stopprice=it.data.close[0] * 0.97,
        )
        for n in range(1, 110, 3)
    }
    cerebro.addstrategy(Trial, plan=plan)


def test_keeping_off_older_bars_changes_nothing_else() -> None:
    """In one feed no bar is older than an order, and everything is the stock broker's."""
    script = Script(one_feed)

    assert_same(record(script, stock), record(script, lambda: SeatrialBroker(stale_match="never")))
