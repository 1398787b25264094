"""A Backtrader run that is cut at any bar and gone on with ends as the run that was never cut, to the last bit."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import backtrader
import pytest
from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.backtrader.parity import feeds
from tests.backtrader.restart import rig

from seatrial import CheckpointManager, ExecutionCheckpoint, LatencyConfig, RiskConfig
from seatrial.contracts.events import AccountAdjusted
from seatrial.errors import CheckpointError, CheckpointWarning, InvalidConfigError
from seatrial_backtrader import SeatrialBroker

if TYPE_CHECKING:
    from collections.abc import Iterator

bt: Any = backtrader  # whose modules hide what they hold from a type checker

SEEDS = range(6)


@pytest.fixture(autouse=True)
def counters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every run count its orders and trades from one, as in a process of its own."""
    _count_anew(monkeypatch)


def _count_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (bt.order.OrderBase, bt.trade.Trade):
        monkeypatch.setattr(kind, "refbasis", itertools.count(1))


def checkpoints(seed: int, setting: str, directory: Path) -> Iterator[tuple[Path, ExecutionCheckpoint]]:
    """Run a seed with a checkpoint at every bar; yield some of them with their files."""
    rig.sail(seed, setting, checkpoints=directory)
    with CheckpointManager(directory) as manager:
        taken = manager.list_checkpoints("restart")
        for entry in random.Random(seed).sample(taken, rig.CUTS):
            yield entry.path, manager.load_checkpoint(entry.path)


@pytest.mark.parametrize("setting", rig.SETTINGS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_goes_on_as_if_never_cut(
    seed: int, setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notifications, balances, positions and events after the cut are those of the whole run."""
    log, broker = rig.sail(seed, setting)
    _count_anew(monkeypatch)
    for _, checkpoint in checkpoints(seed, setting, tmp_path):
        _count_anew(monkeypatch)
        later, resumed = rig.sail(seed, setting, resume=checkpoint)
        assert rig.follow(later, resumed, checkpoint) == rig.follow(log, broker, checkpoint)


@pytest.mark.parametrize("setting", ["one ledger", "slow, with rules"])
def test_a_run_goes_on_in_another_process(setting: str, tmp_path: Path) -> None:
    """Another process, with another hash seed, goes on from the file to the same bytes."""
    seed = 3
    log, broker = rig.sail(seed, setting)
    bt.order.OrderBase.refbasis, bt.trade.Trade.refbasis = itertools.count(1), itertools.count(1)
    for number, (path, checkpoint) in enumerate(checkpoints(seed, setting, tmp_path)):
        command = [sys.executable, "-W", "ignore", rig.__file__, str(seed), setting, str(path)]
        environment = {**os.environ, "PYTHONHASHSEED": str(number)}
        run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        assert run.stdout == rig.follow(log, broker, checkpoint)


def test_a_twin_that_forgets_what_is_under_way_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that restores everything but its tickets differs from the run that was never cut."""
    log, broker = rig.sail(1, "slow")
    _count_anew(monkeypatch)
    cuts = list(checkpoints(1, "slow", tmp_path))
    monkeypatch.setattr("seatrial_backtrader.state._read_desk", lambda *_: None)
    differ = 0
    for _, checkpoint in cuts:
        _count_anew(monkeypatch)
        try:
            later, resumed = rig.sail(1, "slow", resume=checkpoint)
        except KeyError:  # a request arrives of which nobody knows
            differ += 1
            continue
        differ += rig.follow(later, resumed, checkpoint) != rig.follow(log, broker, checkpoint)
    assert differ


# -- what else a restart must keep -------------------------------------------------------------------------------------


class Holder(bt.Strategy):
    """Buys once, then watches; can be stopped at a bar."""

    params = (("stop_at", None), ("bought", None))

    def __init__(self) -> None:
        self.orders: list[Any] = []
        self.seen: list[tuple[int, float]] = []

    def next(self) -> None:
        if len(self) == 3:
            self.orders.append(self.buy(size=5))
            self.orders.append(self.sell(size=5, exectype=bt.Order.Stop, price=1.0))
        self.seen.append((len(self), self.position.size))
        if len(self) == self.p.stop_at:
            self.env.runstop()


def hold(rows: Any, **arguments: Any) -> tuple[Any, Any]:
    """Run a holder over rows; return it with its broker."""
    cerebro = bt.Cerebro(stdstats=False, runonce=False)
    stop_at = arguments.pop("stop_at", None)
    cerebro.adddata(rows, name="IBM")
    cerebro.addstrategy(Holder, stop_at=stop_at)
    cerebro.broker = SeatrialBroker(simulator_id="holder", **arguments)
    [strategy] = cerebro.run()
    return strategy, cerebro.broker


def test_the_latest_checkpoint_brings_position_and_resting_stop_back(tmp_path: Path) -> None:
    """A run that was stopped goes on from `latest` on real bars: nothing is bought twice, the stop still rests."""
    hold(feeds.ibm(), checkpoints=tmp_path, stop_at=10)

    strategy, broker = hold(feeds.ibm(), checkpoints=tmp_path, resume="latest")

    assert strategy.seen[0] == (11, 5)
    assert {size for _, size in strategy.seen} == {5}
    [stop] = broker.get_orders_open()
    assert stop.exectype == bt.Order.Stop
    assert stop.owner is strategy


def test_feeds_without_the_checkpoints_bar_go_on_at_the_next(tmp_path: Path) -> None:
    """Where the bar of the checkpoint is missing, the bar after it is traded, not skipped."""
    hold(feeds.daily(1, 30), checkpoints=tmp_path, stop_at=10)
    tape = feeds.daily(1, 30)
    tape.p.rows = tuple(row for number, row in enumerate(tape.p.rows) if number != 9)

    strategy, _ = hold(tape, checkpoints=tmp_path, resume="latest")

    assert strategy.seen[0] == (10, 5)


@pytest.mark.parametrize("moment", ["timer", "open"])
def test_who_is_called_before_the_broker_is_silent_too(moment: str, tmp_path: Path) -> None:
    """In the warm-up neither a timer that cheats nor the open of a bar calls a strategy, not even for the first bar."""
    called: list[Any] = []

    class Early(Holder):
        def __init__(self) -> None:
            super().__init__()
            if moment == "timer":
                self.add_timer(when=bt.Timer.SESSION_START, cheat=True)

        def notify_timer(self, timer: Any, when: Any, *_: Any, **__: Any) -> None:
            called.append(when.date())

        def prenext_open(self) -> None:
            called.append(self.data.datetime.date(0))

        nextstart_open = next_open = prenext_open

    def run(**arguments: Any) -> list[Any]:
        called.clear()
        cerebro = bt.Cerebro(stdstats=False, cheat_on_open=moment == "open")
        cerebro.adddata(feeds.daily(1, 20), name="IBM")
        cerebro.addstrategy(Early, stop_at=arguments.pop("stop_at", None))
        cerebro.broker = SeatrialBroker(**arguments)
        cerebro.run()
        return called.copy()

    whole = run()
    cut = run(checkpoints=tmp_path, stop_at=8)

    assert cut + run(checkpoints=tmp_path, resume="latest") == whole
    assert len(cut) == 8


def test_a_run_that_ends_between_two_strategies_goes_on_before_both(tmp_path: Path) -> None:
    """Where the first of two strategies stops the run, the second has its turn in the run that goes on."""

    class Second(bt.Strategy):
        def next(self) -> None:
            if len(self) % 4 == 0:
                self.buy(size=1)

    def run(stop_at: int | None = None, **arguments: Any) -> float:
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.adddata(feeds.daily(1, 20), name="IBM")
        cerebro.addstrategy(Holder, stop_at=stop_at)
        cerebro.addstrategy(Second)
        cerebro.broker = SeatrialBroker(checkpoints=tmp_path, **arguments)
        cerebro.run()
        [position] = cerebro.broker.positions.values()
        return float(position.size)

    run(stop_at=8)

    assert run(resume="latest") == 5 + 20 // 4 - 1  # the last is sent too late to trade


def test_a_restart_keeps_the_kill_switch_engaged(tmp_path: Path) -> None:
    """What halted before the restart is halted after it."""

    class Killer(Holder):
        def next(self) -> None:
            if len(self) == 5:
                self.broker.disable_trading("operator", "test")
            super().next()

    def run(**arguments: Any) -> Any:
        cerebro = bt.Cerebro(stdstats=False, runonce=False)
        stop_at = arguments.pop("stop_at", None)
        cerebro.adddata(feeds.daily(1, 20), name="IBM")
        cerebro.addstrategy(Killer, stop_at=stop_at)
        cerebro.broker = SeatrialBroker(risk_config=RiskConfig(), checkpoints=tmp_path, **arguments)
        cerebro.run()
        return cerebro.broker

    run(stop_at=7)

    assert run(resume="latest").trading_state == "halted"


def test_orders_of_the_past_are_not_taken_twice(tmp_path: Path) -> None:
    """A history of orders goes on after those that were booked before the checkpoint."""

    def run(**arguments: Any) -> Any:
        cerebro = bt.Cerebro(stdstats=False, runonce=False)
        cerebro.adddata(feeds.daily(1, 20), name="IBM")
        cerebro.addstrategy(Holder, stop_at=arguments.pop("stop_at", None))
        cerebro.add_order_history([("2024-01-02", 10, 100.0), ("2024-01-20", 7, 101.0)], notify=True)
        cerebro.broker = SeatrialBroker(checkpoints=tmp_path, **arguments)
        cerebro.run()
        return [position.size for position in cerebro.broker.positions.values()]

    run(stop_at=8)

    assert run(resume="latest") == [10 + 7 + 5]


# What `pytest.warns` passes on, no longer bears the module that the folder's filters go by.
@pytest.mark.filterwarnings(r"ignore:datetime\.datetime\.utc:DeprecationWarning")
def test_what_a_strategy_puts_on_its_orders_comes_back(tmp_path: Path) -> None:
    """A tuple for a trade's id, another order as an attribute; what cannot be kept is left out with a warning."""

    class Tagging(Holder):
        def next(self) -> None:
            if len(self) == 3:
                main = self.buy(size=5, tradeid=("pair", 1))
                main.aside = object()
                stop = self.sell(size=5, exectype=bt.Order.Stop, price=1.0, tradeid=("pair", 1))
                stop.main, main.stop = main, stop
            if len(self) == 15:
                [stop] = self.broker.get_orders_open()
                assert stop.main.stop is stop
                self.close(tradeid=stop.main.tradeid)
            self.seen.append((len(self), self.position.size))
            if len(self) == self.p.stop_at:
                self.env.runstop()

        def notify_trade(self, trade: Any) -> None:
            notes.append((trade.ref, trade.tradeid, trade.size, trade.pnl, trade.status))

    notes: list[Any] = []
    whole = settle(tmp_path / "never", Tagging, checkpoint_every="never"), notes.copy()
    notes.clear()
    _reset_counters()
    with pytest.warns(CheckpointWarning, match=r"an order's attribute is not in the checkpoint: aside="):
        settle(tmp_path, Tagging, stop_at=9)

    assert (settle(tmp_path, Tagging, resume="latest"), notes) == whole
    assert [one[1] for one in notes] == [("pair", 1)] * 2


def test_a_trades_history_comes_back(tmp_path: Path) -> None:
    """With tradehistory a trade that closes after the cut has its updates from before."""

    class Closing(Holder):
        def next(self) -> None:
            if len(self) == 15:
                self.close()
            super().next()

        def notify_trade(self, trade: Any) -> None:
            notes.append([(dict(one.status), one.event.order.ref, one.event.price) for one in trade.history])

    def run(**arguments: Any) -> list[Any]:
        notes.clear()
        _reset_counters()
        cerebro = bt.Cerebro(stdstats=False, tradehistory=True)
        cerebro.adddata(feeds.daily(1, 20), name="IBM")
        cerebro.addstrategy(Closing, stop_at=arguments.pop("stop_at", None))
        cerebro.broker = SeatrialBroker(**arguments)
        cerebro.run()
        return notes.copy()

    notes: list[Any] = []
    *_, whole = run()
    run(checkpoints=tmp_path, stop_at=9)

    assert run(checkpoints=tmp_path, resume="latest") == [whole]
    assert len(whole) == 2


def _reset_counters() -> None:
    bt.order.OrderBase.refbasis, bt.trade.Trade.refbasis = itertools.count(1), itertools.count(1)


def test_order_info_that_is_no_json_is_refused_by_name(tmp_path: Path) -> None:
    """What a checkpoint cannot keep stops the run where it was put, with one line."""

    class Odd(bt.Strategy):
        def next(self) -> None:
            self.buy(exectype=bt.Order.Limit, price=1.0, keepsake=object())

    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(feeds.daily(1, 5))
    cerebro.addstrategy(Odd)
    cerebro.broker = SeatrialBroker(checkpoints=tmp_path)

    with pytest.raises(InvalidConfigError, match=r"^order\.info=.*a checkpoint keeps numbers, text, lists and dicts"):
        cerebro.run()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 4}, "the run began with seed=0, not 4; resume it as it began"),
        ({"cash": 5.0}, "the run began with initial_cash="),
        ({"ledgers": 2}, "it has another number of ledgers; resume with the same arguments"),
    ],
)
def test_another_run_is_not_gone_on_with(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    """A checkpoint of other settings is refused, naming the first that differs."""
    hold(feeds.daily(1, 12), checkpoints=tmp_path, stop_at=8)

    with pytest.raises(CheckpointError, match=message):
        hold(feeds.daily(1, 12), checkpoints=tmp_path, resume="latest", **change)


def settle(tmp_path: Path, kind: Any, setup: Any = None, **arguments: Any) -> float:
    """Run a strategy over twenty days, with a broker that `setup` sets; return what the account is worth."""
    cerebro = bt.Cerebro(stdstats=False, runonce=False)
    cerebro.adddata(feeds.daily(1, 20), name="IBM")
    cerebro.addstrategy(kind, stop_at=arguments.pop("stop_at", None))
    cerebro.broker = SeatrialBroker(simulator_id="settings", checkpoints=tmp_path, **arguments)
    if setup is not None:
        setup(cerebro.broker)
    cerebro.run()
    return float(cerebro.broker.getvalue())


@pytest.mark.parametrize(
    ("setup", "message"),
    [
        (lambda broker: broker.setcommission(0.05), "the run began with commission=0.001, not 0.05"),
        (lambda broker: broker.setcommission(0.05, name="IBM"), "began with commission scheme of IBM='nothing', not"),
        (lambda broker: broker.set_slippage_perc(0.05), "the run began with slip_perc=0.0, not 0.05"),
        (lambda broker: broker.set_checksubmit(False), "the run began with checksubmit=True, not False"),
        (lambda broker: broker.set_filler(bt.fillers.FixedSize(size=1)), "began with filler=None, not .*FixedSize"),
    ],
)
def test_other_settings_are_refused(setup: Any, message: str, tmp_path: Path) -> None:
    """What the setup said of costs and matching holds for the whole run, and is named where it does not."""
    settle(tmp_path, Holder, lambda broker: broker.setcommission(0.001), stop_at=8)

    with pytest.raises(CheckpointError, match=rf"{message}.*; resume it as it began"):
        settle(tmp_path, Holder, lambda broker: (broker.setcommission(0.001), setup(broker)), resume="latest")


class Changing(Holder):
    """Trades, and changes what it costs on the way."""

    def next(self) -> None:
        broker = self.broker
        if len(self) == 4:
            broker.setcommission(2.0, percabs=False, commtype=bt.CommInfoBase.COMM_PERC, stocklike=True)
            broker.setcommission(commission=0.5, margin=50.0, mult=2.0, name="MSFT")
        if len(self) == 6:
            broker.set_slippage_fixed(1.0)
        if len(self) % 5 == 0:
            self.buy(size=2)
        super().next()


def test_settings_of_a_strategy_come_back(tmp_path: Path) -> None:
    """Costs that were changed before the cut are charged after it; later ones follow from the strategy."""
    whole = settle(tmp_path / "whole", Changing)
    settle(tmp_path / "cut", Changing, stop_at=9)

    assert settle(tmp_path / "cut", Changing, resume="latest") == whole != settle(tmp_path / "other", Holder)


class Repricing(bt.Strategy):
    """Buys and sells again, and on the way sets how much a point is worth."""

    params = (("stop_at", None), ("repriced", None), ("gains", None))

    def next(self) -> None:
        if len(self) in {2, 8}:
            (self.buy if len(self) == 2 else self.sell)(size=5)
        if len(self) == self.p.repriced:
            self.broker.setcommission(mult=5.0)
        if len(self) == self.p.stop_at:
            self.env.runstop()

    def notify_trade(self, trade: Any) -> None:
        if trade.isclosed:
            self.p.gains.append((len(self), trade.pnl))


@pytest.mark.parametrize("repriced", [4, 10], ids=["before its fill", "after it"])
def test_a_fill_under_way_was_priced_when_it_happened(repriced: int, tmp_path: Path) -> None:
    """Its trade gains by the scheme of that time, which is neither the program's first nor a later one."""
    late = LatencyConfig(fill_latency_min=timedelta(hours=60), fill_latency_max=timedelta(hours=60))

    def gains(directory: str, **more: Any) -> list[tuple[int, float]]:
        found: list[tuple[int, float]] = []
        cerebro = bt.Cerebro(stdstats=False, runonce=False)
        cerebro.adddata(feeds.daily(1, 20), name="IBM")
        cerebro.addstrategy(Repricing, stop_at=more.pop("stop_at", None), repriced=repriced, gains=found)
        cerebro.broker = SeatrialBroker(latency_config=late, checkpoints=tmp_path / directory, **more)
        cerebro.run()
        return found

    whole = gains("whole")
    assert gains("cut", stop_at=10) == []
    assert gains("cut", resume="latest") == whole != []


class Tolls(bt.CommissionInfo):
    """A scheme with code of its own."""


@pytest.mark.filterwarnings(r"ignore:datetime\.datetime\.utc:DeprecationWarning")  # as above
def test_a_fill_under_way_whose_scheme_cannot_be_kept_is_warned_of(tmp_path: Path) -> None:
    """It was replaced between a fill and its report: what it would have made of the fill, nobody knows by then."""
    late = LatencyConfig(fill_latency_min=timedelta(hours=60), fill_latency_max=timedelta(hours=60))

    def run(**more: Any) -> None:
        cerebro = bt.Cerebro(stdstats=False, runonce=False)
        cerebro.adddata(feeds.daily(1, 20), name="IBM")
        cerebro.addstrategy(Repricing, stop_at=more.pop("stop_at", None), repriced=10, gains=[])
        cerebro.broker = SeatrialBroker(latency_config=late, checkpoints=tmp_path, **more)
        cerebro.broker.addcommissioninfo(Tolls())
        cerebro.run()

    run(stop_at=10)
    with pytest.warns(CheckpointWarning, match=r"filled under a .*\.Tolls, which no checkpoint can keep"):
        run(resume="latest")


@pytest.mark.parametrize("ledgers", [1, 2])
@pytest.mark.parametrize("stop_at", [5, 6, 9], ids=["as it was set", "as it was booked", "later"])
def test_cash_that_was_set_comes_back(stop_at: int, ledgers: int, tmp_path: Path) -> None:
    """A deposit from before the cut is booked once, and the run began with what it began with."""

    class Paying(Holder):
        def start(self) -> None:
            self.broker.set_cash(9_000.0)

        def next(self) -> None:
            if len(self) == 5:
                self.broker.set_cash(4_000.0)
            super().next()

    def run(directory: str, **more: Any) -> Any:
        _reset_counters()
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.adddata(feeds.daily(1, 20), name="IBM")
        cerebro.addstrategy(Paying, stop_at=more.pop("stop_at", None))
        cerebro.broker = SeatrialBroker(
            risk_config=RiskConfig(), record=True, ledgers=ledgers, checkpoints=tmp_path / directory, **more
        )
        cerebro.run()
        return replace(cerebro.broker.run_record(), checkpoints=(), started=0)

    whole = run("whole")
    run("cut", stop_at=stop_at)

    assert run("cut", resume="latest") == whole
    assert next(one.cash for one in whole.events if isinstance(one, AccountAdjusted)) == -1_000
    assert whole.account.initial_cash == 10_000


def test_a_setting_with_code_of_its_own_is_named(tmp_path: Path) -> None:
    """A filler that was set on the way cannot be kept, and the resumed run does not go on without it."""

    class Filling(Holder):
        def next(self) -> None:
            if len(self) == 4:
                self.broker.set_filler(bt.fillers.FixedSize(size=1))
            super().next()

    settle(tmp_path, Filling, stop_at=9)

    with pytest.raises(CheckpointError, match=r"filler was set to a .*FixedSize while the run went on"):
        settle(tmp_path, Filling, resume="latest")


def test_other_feeds_are_refused(tmp_path: Path) -> None:
    """A checkpoint goes with its feeds, by name and in order."""
    hold(feeds.daily(1, 12), checkpoints=tmp_path, stop_at=8)
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(feeds.daily(1, 12), name="MSFT")
    cerebro.addstrategy(Holder)
    cerebro.broker = SeatrialBroker(simulator_id="holder", checkpoints=tmp_path, resume="latest")

    with pytest.raises(CheckpointError, match="it has the feeds IBM, this run MSFT; give the same, in order"):
        cerebro.run()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"checkpoint_every": "hour", "checkpoints": "x"}, "checkpoint_every='hour': give 'never', 'event', 'bar'"),
        ({"checkpoint_every": 0, "checkpoints": "x"}, "checkpoint_every=0: give 'never', 'event', 'bar'"),
        ({"checkpoint_keep": 0, "checkpoints": "x"}, "checkpoint_keep=0: give how many of the newest to keep"),
        ({"checkpoint_keep": True, "checkpoints": "x"}, "checkpoint_keep=True: give how many of the newest"),
        ({"checkpoint_every": "bar"}, "checkpoints=None: give a directory for the checkpoints"),
        ({"resume": "latest"}, "checkpoints=None: give the directory in which the latest checkpoint lies"),
        ({"resume": "yesterday"}, "resume='yesterday': give False, 'latest', or a checkpoint that was loaded"),
    ],
)
def test_arguments_of_checkpoints_are_checked(arguments: dict[str, Any], message: str) -> None:
    """A run does not begin with checkpoints that could not be taken or found."""
    with pytest.raises(InvalidConfigError, match=f"^{message}"):
        hold(feeds.daily(1, 5), **arguments)


def test_the_newest_checkpoints_are_kept_and_gone_on_from(tmp_path: Path) -> None:
    """A run leaves as many files as it is told to, and none of another run's is touched."""
    hold(feeds.daily(1, 12), checkpoints=tmp_path, stop_at=3)
    with CheckpointManager(tmp_path) as manager:
        before = [one.path for one in manager.list_checkpoints("holder")]

    _, broker = hold(feeds.daily(1, 12), checkpoints=tmp_path, resume="latest", stop_at=9, checkpoint_keep=2)

    with CheckpointManager(tmp_path) as manager:
        left = [one.path for one in manager.list_checkpoints("holder")]
        assert left == [*reversed(broker.recovery.saved), *before]
    assert len(broker.recovery.saved) == 2
    strategy, _ = hold(feeds.daily(1, 12), checkpoints=tmp_path, resume="latest")
    assert strategy.seen[0] == (10, 5)


def test_a_directory_without_a_checkpoint_is_an_error(tmp_path: Path) -> None:
    """`latest` does not begin anew where there is nothing to go on from: that would trade twice."""
    with pytest.raises(CheckpointError):
        hold(feeds.daily(1, 5), checkpoints=tmp_path, resume="latest")


@pytest.mark.parametrize(("every", "least", "most"), [("event", 3, 6), (5 * 86_400, 2, 5), ("never", 0, 0)])
def test_checkpoints_are_taken_as_often_as_asked(every: str | int, least: int, most: int, tmp_path: Path) -> None:
    """With every event, every so many seconds of simulated time, or never."""
    _, broker = hold(feeds.daily(1, 12), checkpoints=tmp_path, checkpoint_every=every)

    assert least <= len(broker.recovery.saved) <= most
