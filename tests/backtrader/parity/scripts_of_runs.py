"""Scripts about the run: feeds that do not match, the engine's modes, and what else listens or acts."""

from __future__ import annotations

import io
from datetime import date, datetime, time, timedelta, tzinfo
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import backtrader
from tests.backtrader.parity.crew import Acting, acting, at, close, each, every, order, trade
from tests.backtrader.parity.feeds import daily, ibm, intraday, live, sparse, ticks
from tests.backtrader.parity.recorder import Script

if TYPE_CHECKING:
    from collections.abc import Mapping

bt: Any = backtrader  # whose modules hide what they hold from a type checker

__all__ = ["FEEDS", "SCRIPTS"]


def _coarser(timeframe: str, compression: int = 1) -> Any:
    """Return what resamples the first feed of a cerebro in addition."""
    return lambda cerebro: cerebro.resampledata(
        cerebro.datas[0], timeframe=getattr(bt.TimeFrame, timeframe), compression=compression
    )


def _alone(how: str, feed: Any, timeframe: str, compression: int, cerebro: Any) -> None:
    """Put a feed into a cerebro resampled or replayed only."""
    getattr(cerebro, how)(feed(), timeframe=getattr(bt.TimeFrame, timeframe), compression=compression)
    cerebro.addstrategy(Acting, act=trade)


FEEDS: Mapping[str, tuple[Any, ...]] = {
    "one feed": (partial(daily, 11),),
    "two feeds": (partial(daily, 12), partial(daily, 13)),
    "one starts late": (partial(daily, 14), partial(daily, 15, 30, late=20)),
    "the first starts late": (partial(daily, 16, 30, late=20), partial(daily, 17)),
    "one ends early": (partial(daily, 18), partial(daily, 19, 25)),
    "one has gaps": (partial(daily, 20), partial(sparse, 21)),
    "three feeds": (partial(sparse, 22), partial(daily, 23, 40, late=9), partial(daily, 24)),
    "days and minutes": (partial(daily, 25, 10), partial(intraday, 26)),
    "minutes and hours": (partial(intraday, 27, 120, 15), partial(intraday, 28, 30, 60)),
    "ticks and minutes": (partial(ticks, 29), partial(intraday, 30, 10, 1)),
    "live": (partial(live, 31),),
    "two live feeds": (partial(live, 32), partial(live, 33, 30)),
    "live and recorded": (partial(live, 34), partial(intraday, 35, 40, 1)),
}

_MODES: Mapping[str, dict[str, Any]] = {
    "as it is": {},
    "not vectorised": {"runonce": False},
    "not preloaded": {"preload": False, "runonce": False},
    "least memory": {"exactbars": 1},
    "less memory": {"exactbars": -1},
    "little less memory": {"exactbars": -2},
}

_SWITCHES: Mapping[str, dict[str, Any]] = {
    "least memory, by name": {"exactbars": True},
    "as if live": {"live": True},
    "notified at once": {"quicknotify": True},
    "with a history of trades": {"tradehistory": True},
    "synchronised as of old": {"oldsync": True},
    "without statistics": {"stdstats": False},
    "statistics as of old": {"oldbuysell": True, "oldtrades": True},
    "objects are cached": {"objcache": True},
}


def _stubborn(strategy: Any, bar: int) -> None:
    """Trade in every feed, whether or not it has begun or has anything new."""
    for data in strategy.datas:
        price = strategy.attempt(lambda data=data: float(data.close[0]))
        match bar % 5:
            case 1 if price is not None:
                strategy.attempt(strategy.buy, data=data, exectype=bt.Order.Limit, price=price * 1.01)
            case 2:
                strategy.attempt(strategy.buy, data=data, size=2)
            case 3 if price is not None:
                strategy.attempt(strategy.sell, data=data, size=2, exectype=bt.Order.Stop, price=price * 1.01)
            case 4:
                strategy.attempt(strategy.close, data=data)


def _grid() -> dict[str, Script]:
    stubborn = {"early": True}
    return {
        **{
            f"{name}, {mode}": acting(trade, *FEEDS[name], **options)
            for name, (mode, options) in product(FEEDS, _MODES.items())
        },
        **{f"{name}, stubborn": acting(_stubborn, *FEEDS[name], params=stubborn) for name in FEEDS},
        **{
            f"{name}, stubborn, {mode}": acting(_stubborn, *FEEDS[name], params=stubborn, **_MODES[mode])
            for name in ("one starts late", "one has gaps", "ticks and minutes")
            for mode in ("not vectorised", "least memory")
        },
        **{
            f"{name}, {switch}": acting(trade, *FEEDS[name], **options)
            for name in ("one feed", "one has gaps")
            for switch, options in _SWITCHES.items()
        },
    }


class Crossing(bt.Strategy):
    """The strategy of every introduction: two averages, all in when they cross, with a stop."""

    params = (("fast", 5), ("slow", 12))

    def __init__(self) -> None:
        self.cross = bt.ind.CrossOver(bt.ind.SMA(period=self.p.fast), bt.ind.EMA(period=self.p.slow))
        self.stop_order: Any = None

    def next(self) -> None:
        if self.cross[0] > 0:
            self.order_target_percent(target=0.9)
        elif self.cross[0] < 0:
            self.close()

    def notify_order(self, order: Any) -> None:
        if order.status == order.Completed and order.isbuy() and order is not self.stop_order:
            self.stop_order = self.sell(exectype=bt.Order.StopTrail, trailpercent=0.02)
        elif order.status == order.Completed and self.stop_order is not None:
            self.cancel(self.stop_order)


class Trend(bt.Indicator):
    """A signal: how far the close is from its average."""

    lines: Any = ("signal",)

    def __init__(self) -> None:
        self.lines.signal = self.data - bt.ind.SMA(period=4)


def _signals(accumulate: bool, concurrent: bool, kinds: tuple[int, ...], cerebro: Any) -> None:
    cerebro.adddata(daily(40))
    for kind in kinds:
        cerebro.add_signal(kind, Trend)
    cerebro.signal_accumulate(accumulate)
    cerebro.signal_concurrent(concurrent)


def _signal_scripts() -> dict[str, Script]:
    kinds = {
        "long and short": (bt.SIGNAL_LONGSHORT,),
        "long with exits": (bt.SIGNAL_LONG, bt.SIGNAL_LONGEXIT),
        "short with exits": (bt.SIGNAL_SHORT, bt.SIGNAL_SHORTEXIT_INV),
    }
    return {
        f"signals, {name}, accumulate {accumulate}, concurrent {concurrent}": Script(
            partial(_signals, accumulate, concurrent, kind)
        )
        for name, kind in kinds.items()
        for accumulate, concurrent in product((False, True), repeat=2)
    }


def _optimised(cerebro: Any) -> None:
    cerebro.adddata(daily(41))
    cerebro.adddata(daily(42))
    cerebro.broker.setcommission(commission=0.001, interest=0.02)
    cerebro.broker.set_slippage_fixed(0.01)
    cerebro.optstrategy(Crossing, fast=(3, 5), slow=(8, 12))


def _crossing(feed: Any, cerebro: Any) -> None:
    cerebro.adddata(feed())
    cerebro.addsizer(bt.sizers.PercentSizer, percents=30)
    cerebro.addstrategy(Crossing)


def _company(cerebro: Any) -> None:
    """Two more strategies at the same broker."""
    cerebro.addstrategy(Acting, act=every(3, order("buy", bt.Order.Limit, 0.995, size=4), close))
    cerebro.addstrategy(Crossing)


_ANALYZERS: tuple[str, ...] = (
    "TradeAnalyzer",
    "DrawDown",
    "TimeDrawDown",
    "TimeReturn",
    "Transactions",
    "PyFolio",
    "SQN",
    "Returns",
)
_ANALYZERS += ("AnnualReturn", "Calmar", "GrossLeverage", "PositionsValue", "VWR", "PeriodStats", "SharpeRatio")


def _analysed(cerebro: Any) -> None:
    for name in _ANALYZERS:
        cerebro.addanalyzer(getattr(bt.analyzers, name))
    for name in ("FundValue", "FundShares", "TimeReturn", "DrawDown", "LogReturns"):
        cerebro.addobserver(getattr(bt.observers, name))


def _fund(cerebro: Any) -> None:
    cerebro.broker.set_fundmode(True)
    _analysed(cerebro)


def _written(cerebro: Any) -> None:
    cerebro.addwriter(bt.WriterFile, csv=True, out=io.StringIO())
    cerebro.addanalyzer(bt.analyzers.TradeAnalyzer)


def _timed(cerebro: Any) -> None:
    cerebro.add_timer(time(10, 30), strats=True, weekdays=[2, 4])
    cerebro.add_timer(time(11, 30), strats=True, repeat=timedelta(hours=1), size=2)
    cerebro.add_timer(time(10), strats=True, cheat=True, allow=date(2024, 1, 3).__lt__, size=3)


def _stop(strategy: Any, _bar: int) -> None:
    strategy.env.runstop()


def _fail(_strategy: Any, bar: int) -> None:
    raise ValueError(f"bar {bar}")


class _Zone(tzinfo):
    """Five hours behind."""

    def utcoffset(self, dt: datetime | None) -> timedelta:
        return timedelta(hours=-5)

    def dst(self, dt: datetime | None) -> timedelta:
        return timedelta(0)

    def tzname(self, dt: datetime | None) -> str:
        return "behind"


_MINUTES = partial(intraday, 50, 120, 15)

_COARSE: Mapping[str, tuple[Any, str, int]] = {
    "minutes to days": (_MINUTES, "Days", 1),
    "minutes to hours": (_MINUTES, "Minutes", 60),
    "ticks to seconds": (partial(ticks, 54), "Seconds", 9),
    "live minutes to five": (partial(live, 56), "Minutes", 5),
    "days to weeks": (partial(daily, 57), "Weeks", 1),
}

SCRIPTS: dict[str, Script] = {
    **_grid(),
    **_signal_scripts(),
    "resampled too": acting(trade, _MINUTES, setup=_coarser("Days")),
    "resampled too, not vectorised": acting(trade, _MINUTES, setup=_coarser("Minutes", 60), runonce=False),
    "resampled too, least memory": acting(trade, _MINUTES, setup=_coarser("Minutes", 60), exactbars=1),
    "resampled too, live": acting(trade, partial(live, 53), setup=_coarser("Minutes", 5)),
    **{
        f"{how}, {name}, {mode}": Script(partial(_alone, how, *coarse), _MODES[mode])
        for how in ("resampledata", "replaydata")
        for name, coarse in _COARSE.items()
        for mode in ("as it is", "not preloaded", "least memory")
    },
    "averages that cross": Script(partial(_crossing, partial(daily, 55, 120))),
    "averages that cross, IBM": Script(partial(_crossing, partial(ibm, datetime(2006, 1, 1)))),
    "averages that cross, IBM, least memory": Script(partial(_crossing, ibm), {"exactbars": 1}),
    "three strategies": acting(trade, *FEEDS["two feeds"], setup=_company),
    "three strategies, notified at once": acting(trade, *FEEDS["two feeds"], setup=_company, quicknotify=True),
    "optimised in one process": Script(_optimised, {"maxcpus": 1}),
    "optimised in one process, whole strategies": Script(_optimised, {"maxcpus": 1, "optreturn": False}),
    "optimised in two processes": Script(_optimised, {"maxcpus": 2}),
    "optimised in two processes, feeds not shared": Script(_optimised, {"maxcpus": 2, "optdatas": False}),
    "a zone of its own": acting(trade, partial(intraday, 58, tz=_Zone()), partial(intraday, 59)),
    "a zone for the run": acting(trade, partial(intraday, 60), tz=_Zone()),
    "run twice": acting(trade, *FEEDS["two feeds"], runs=2),
    "analysed": acting(trade, *FEEDS["two feeds"], setup=_analysed),
    "analysed as a fund": acting(trade, *FEEDS["one feed"], setup=_fund),
    "written": acting(trade, *FEEDS["two feeds"], setup=_written),
    "timed": acting(each(), _MINUTES, setup=_timed),
    "timed, not vectorised": acting(trade, _MINUTES, setup=_timed, runonce=False),
    "stopped on the way": acting(each(trade, at(30, do=_stop))),
    "failed on the way": acting(each(trade, at(30, do=_fail))),
}
