"""Latency, fees and everything else that has a name: a checkpoint brings it back as it was, or says what is missing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from seatrial import (
    LATENCY_FAST,
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    LATENCY_SLOW,
    CheckpointManager,
    Constant,
    Empirical,
    ExecutionCheckpoint,
    ExecutionSimulator,
    LatencyConfig,
    Lognormal,
    NamedRule,
    Order,
    OrderSide,
    OrderType,
    Quote,
    RiskConfig,
    RiskViolation,
    Uniform,
    VenueConfig,
)
from seatrial.contracts.events import encode_events
from seatrial.contracts.latency import Leg, Named
from seatrial.contracts.plugin import FeeModelSpec, LatencyModelSpec, ObserverSpec, RiskRuleSpec
from seatrial.contracts.venue import FeeSchedule, NamedFees
from seatrial.errors import InvalidConfigError, PluginError, UnknownPluginNameError
from seatrial.hookspecs import hookimpl
from seatrial.plugins import Plugins

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from seatrial.contracts.events import Event

MS = 1_000_000
T0 = 1_700_000_000_000_000_000


class Every:
    """A rule with a state: refuses every so many orders."""

    def __init__(self, nth: int = 3) -> None:
        self.nth = nth
        self.seen = 0

    def check(self, order: Order, account: object, now: int) -> RiskViolation | None:
        self.seen += 1
        return None if self.seen % self.nth else RiskViolation(f"the {self.seen}th")

    def save_state(self) -> int:
        return self.seen

    def load_state(self, value: int) -> None:
        self.seen = value


class Ear:
    """An observer with a state, which fails once it has heard enough."""

    def __init__(self, most: int = 1_000) -> None:
        self.heard = 0
        self._most = most

    def notify(self, event: Event, order: Order | None) -> None:
        self.heard += 1
        if self.heard > self._most:
            raise OSError("deaf")

    def save_state(self) -> int:
        return self.heard

    def load_state(self, value: int) -> None:
        self.heard = value


class Steps:
    """A distribution of the user's own class."""

    def sample(self, bits: int) -> int:
        return (bits % 7 + 1) * MS


class Rounded(Constant, frozen=True, tag_field="distribution", tag="constant"):
    """A distribution that looks like a built-in one, and is none."""

    def sample(self, bits: int) -> int:
        return 9 * MS


class Halves:
    """A fee model."""

    def total(self, quantity: Decimal, value: Decimal) -> Decimal:
        return quantity / 2


class Offers:
    """A plugin that offers one of each."""

    @hookimpl
    def seatrial_risk_rules(self) -> Iterable[RiskRuleSpec]:
        return [RiskRuleSpec(name="every", build=Every)]

    @hookimpl
    def seatrial_observers(self) -> Iterable[ObserverSpec]:
        return [ObserverSpec(name="ear", build=Ear)]

    @hookimpl
    def seatrial_latency_models(self) -> Iterable[LatencyModelSpec]:
        return [LatencyModelSpec(name="steps", build=Steps)]

    @hookimpl
    def seatrial_fee_models(self) -> Iterable[FeeModelSpec]:
        return [FeeModelSpec(name="halves", build=Halves)]


def offered(plugin: object = None) -> Plugins:
    """Return the installed plugins and one more."""
    plugins = Plugins()
    plugins.load()
    plugins.register(plugin or Offers(), "offers")
    return plugins


def opened(**settings: Any) -> ExecutionSimulator:
    """Return a simulator with orders on their way."""
    simulator = ExecutionSimulator(initial_cash=100_000, simulator_id="a", **settings)
    simulator.process_quote(Quote(T0, "IBM", Decimal(10), Decimal(10)))
    trade(simulator, 2)
    return simulator


def trade(simulator: ExecutionSimulator, count: int) -> bytes:
    """Send orders, one a millisecond; return the log."""
    for _ in range(count):
        now = simulator.now + MS
        order_id = f"{len(simulator.pending_orders) + len(simulator.completed_orders)}"
        order = Order(order_id=order_id, symbol="IBM", side=OrderSide.BUY, order_type=OrderType.MARKET,
                      quantity=2, created_at=now)  # fmt: skip
        simulator.submit_order(order, now)
    return encode_events(list(simulator.events))


def through_a_file(folder: Path, simulator: ExecutionSimulator) -> ExecutionCheckpoint:
    """Return a simulator's checkpoint as a file brings it back."""
    with CheckpointManager(folder) as manager:
        return manager.load_checkpoint(manager.save_checkpoint(manager.create_checkpoint(simulator)))


def restore(checkpoint: ExecutionCheckpoint, **given: Any) -> ExecutionSimulator:
    """Return the restored simulator."""
    return CheckpointManager("never-written").restore_simulator(checkpoint, **given)


def same_end(one: ExecutionSimulator, other: ExecutionSimulator) -> bool:
    """Return whether two sessions tell the same from here on."""
    for simulator in (one, other):
        trade(simulator, 5)
        simulator.process_quote(Quote(simulator.now + 3_000 * MS, "IBM", Decimal(10), Decimal(10)))
        simulator.advance(simulator.now + 60_000 * MS)
    return encode_events(list(one.events)) == encode_events(list(other.events)) and one.cash == other.cash


# -- latency -----------------------------------------------------------------------------------------------------------

DISTRIBUTIONS: list[Any] = [
    Constant(5 * MS),
    Uniform(0, 20 * MS),
    Lognormal(median_ns=3 * MS, sigma=0.7, least_ns=MS),
    Empirical.of([MS, 4 * MS, 9 * MS]),
    Named("steps"),
]
LATENCIES = [
    *(LatencyConfig(submit=one, ack=one, fill=one, cancel=one, modify=one) for one in DISTRIBUTIONS),
    LatencyConfig(**dict(zip(Leg, DISTRIBUTIONS, strict=True))),
    LatencyConfig(submission_latency=timedelta(microseconds=1), fill_latency_max=timedelta(days=1)),
    *(LATENCY_INSTANT, LATENCY_FAST, LATENCY_NORMAL, LATENCY_SLOW),
]


@pytest.mark.parametrize("latency", LATENCIES)
def test_latency_comes_back_as_it_was(tmp_path: Path, latency: LatencyConfig) -> None:
    """Every distribution, on every leg, and every profile: never INSTANT in its stead."""
    simulator = opened(latency_config=latency, plugins=offered())

    restored = restore(through_a_file(tmp_path, simulator), plugins=offered())

    assert restored.latency_config == latency
    assert same_end(simulator, restored)


@pytest.mark.parametrize("own", [Steps(), Rounded()])
def test_distribution_of_an_own_class_has_to_be_handed_over_again(tmp_path: Path, own: Any) -> None:
    """Without it there is one clear error that names the setting; with it the session goes on."""
    latency = LatencyConfig(submit=Uniform(0, 9 * MS), fill=own)
    simulator = opened(latency_config=latency)
    checkpoint = through_a_file(tmp_path, simulator)

    with pytest.raises(InvalidConfigError, match=r"latency_config=.*own class; hand it over again") as caught:
        restore(checkpoint)
    restored = restore(checkpoint, latency_config=latency)

    assert "\n" not in str(caught.value)
    assert same_end(simulator, restored)


def test_latency_that_is_not_missing_is_not_replaced(tmp_path: Path) -> None:
    """Another latency than the checkpoint's own would not go on as before; it is refused, the same one is not."""
    simulator = opened(latency_config=LATENCY_NORMAL)
    checkpoint = through_a_file(tmp_path, simulator)

    with pytest.raises(InvalidConfigError, match="latency_config"):
        restore(checkpoint, latency_config=LATENCY_SLOW)

    assert same_end(simulator, restore(checkpoint, latency_config=LATENCY_NORMAL))


# -- plugins that are no longer there ----------------------------------------------------------------------------------

NAMED: dict[str, dict[str, Any]] = {
    "every": {"risk_config": RiskConfig(rules=("every",))},
    "ear": {"observers": ("ear",)},
    "steps": {"latency_config": LatencyConfig(fill=Named("steps"))},
    "halves": {"venue_config": VenueConfig(fees=NamedFees("halves"))},
}


@pytest.mark.parametrize("name", NAMED)
def test_name_that_nobody_offers_any_more_is_named(tmp_path: Path, name: str) -> None:
    """Restoring without the plugin is one clear error; nothing else is taken in its stead."""
    simulator = opened(**NAMED[name], plugins=offered())
    checkpoint = through_a_file(tmp_path, simulator)

    with pytest.raises(UnknownPluginNameError) as caught:
        restore(checkpoint)

    assert repr(name) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert same_end(simulator, restore(checkpoint, plugins=offered()))


def test_plugin_that_no_longer_takes_its_parameters_is_named(tmp_path: Path) -> None:
    """The error tells the plugin, the name and the parameters."""

    class Loud(Every):
        def __init__(self, volume: int) -> None:
            super().__init__(volume)

    class Newer:
        @hookimpl
        def seatrial_risk_rules(self) -> Iterable[RiskRuleSpec]:
            return [RiskRuleSpec(name="every", build=Loud)]

    risk = RiskConfig(rules=(NamedRule("every", {"nth": 4}),))
    checkpoint = through_a_file(tmp_path, opened(risk_config=risk, plugins=offered()))

    with pytest.raises(PluginError, match=r"'offers' .*'every' cannot be built with \{'nth': 4\}"):
        restore(checkpoint, plugins=offered(Newer()))


def test_fees_and_settings_of_the_venue_come_back(tmp_path: Path) -> None:
    """A schedule is held by the file, exact to the last digit."""
    fees = FeeSchedule(per_share=Decimal("0.005"), bps=Decimal("0.10"), minimum=Decimal("1.00"))
    simulator = opened(venue_config=VenueConfig(fees=fees, slippage_bps=Decimal("1.50")))

    checkpoint = through_a_file(tmp_path, simulator)

    assert msgspec.json.encode(checkpoint.config.venue) == msgspec.json.encode(simulator.venue_config)
    assert same_end(simulator, restore(checkpoint))
