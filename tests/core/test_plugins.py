"""Plugins: found in a fixed order, blocked before import, named when they fail; and what they offer reaches a run."""

from __future__ import annotations

import inspect
import re
from decimal import Decimal
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import (
    Constant,
    ExecutionSimulator,
    LatencyConfig,
    Order,
    OrderSide,
    OrderType,
    Quote,
    VenueConfig,
    hookspecs,
)
from seatrial.contracts.latency import Named
from seatrial.contracts.plugin import FeeModelSpec, LatencyModelSpec, ObserverSpec
from seatrial.contracts.venue import NamedFees
from seatrial.errors import InvalidConfigError, PluginClashError, PluginError, UnknownPluginNameError
from seatrial.hookspecs import hookimpl
from seatrial.plugins import DISABLE, Plugins, installed_plugins

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.contracts.events import Event

DOCS = Path(__file__).resolve().parents[2] / "docs"
MS = 1_000_000


class Steady:
    """Offers one latency model and one observer."""

    def __init__(self, name: str = "steady", observer: Callable[[], Any] | None = None) -> None:
        self.name = name
        self.observer = observer

    @hookimpl
    def seatrial_latency_models(self) -> list[LatencyModelSpec]:
        return [LatencyModelSpec(name=self.name, build=lambda ms: Constant(ms * MS))]

    @hookimpl
    def seatrial_observers(self) -> list[ObserverSpec]:
        return [] if self.observer is None else [ObserverSpec(name=self.name, build=self.observer)]


class Tally:
    """Counts what it hears, and fails when told to."""

    def __init__(self, fails_at: int = 0) -> None:
        self.heard: list[Event] = []
        self.fails_at = fails_at

    def notify(self, event: Event, order: Order | None) -> None:
        self.heard.append(event)
        if len(self.heard) == self.fails_at:
            raise LookupError("full")


def plugins_of(*plugins: tuple[str, object]) -> Plugins:
    """Register plugins by name."""
    made = Plugins()
    for name, plugin in plugins:
        made.register(plugin, name)
    return made


def trade(**settings: Any) -> ExecutionSimulator:
    """Buy ten at a quote of 99/100, standing from the first instant on."""
    simulator = ExecutionSimulator(initial_cash=10_000, **settings)
    simulator.process_quote(Quote(1_000 * MS, "X", Decimal(99), Decimal(100)))
    order = Order(
        order_id="a", symbol="X", side=OrderSide.BUY, order_type=OrderType.MARKET, quantity=10, created_at=1_000 * MS
    )
    simulator.submit_order(order, 1_000 * MS)
    simulator.advance(2_000 * MS)
    return simulator


def test_named_latency_model_delays_a_run() -> None:
    """A leg that names a plugin's model travels as long as the model says."""
    config = LatencyConfig(submit=Named("steady", {"ms": 40}), fill=Named("steady", {"ms": 100}))

    simulator = trade(latency_config=config, plugins=plugins_of(("p", Steady())))

    [execution] = simulator.get_order("a").executions
    assert (execution.timestamp, execution.reported_at) == (1_040 * MS, 1_140 * MS)


class Broker:
    """Offers one fee model, whose total is what its parameter says."""

    @hookimpl
    def seatrial_fee_models(self) -> list[FeeModelSpec]:
        class Flat:
            def __init__(self, fee: Any) -> None:
                self.fee = fee

            def total(self, quantity: Decimal, value: Decimal) -> Decimal:
                fee: Decimal = self.fee
                return fee

        return [FeeModelSpec(name="flat", build=Flat)]


def test_named_fee_model_is_paid() -> None:
    """An order pays what the plugin's model says, once, and the account bears it."""
    config = VenueConfig(fees=NamedFees("flat", {"fee": Decimal("2.50")}))

    simulator = trade(venue_config=config, plugins=plugins_of(("p", Broker())))

    assert simulator.get_order("a").total_commission == Decimal("2.50")
    assert simulator.cash == Decimal("8997.50")


@pytest.mark.parametrize("fee", [2.5, Decimal("NaN"), None])
def test_fee_model_that_returns_no_money_is_named(fee: Any) -> None:
    """A float would make every later number wrong."""
    config = VenueConfig(fees=NamedFees("flat", {"fee": fee}))

    with pytest.raises(InvalidConfigError, match=r"fee model 'flat' returned no amount; return a Decimal"):
        trade(venue_config=config, plugins=plugins_of(("p", Broker())))


def test_two_ways_to_say_the_fees_are_one_too_many() -> None:
    """A commission per share beside a named fee model is refused, not silently dropped."""
    config = VenueConfig(fees=NamedFees("flat", {"fee": Decimal(1)}))

    with pytest.raises(InvalidConfigError, match="venue_config names a fee model; give one"):
        ExecutionSimulator(initial_cash=1, commission_per_share=1, venue_config=config)


def test_model_that_draws_nonsense_is_named() -> None:
    """A delay that is no whole number of ns, or below zero, stops the run where it was drawn."""

    class Backwards:
        @hookimpl
        def seatrial_latency_models(self) -> list[LatencyModelSpec]:
            class Model:
                def sample(self, bits: int) -> int:
                    return -1

            return [LatencyModelSpec(name="backwards", build=Model)]

    with pytest.raises(InvalidConfigError, match=r"submit=-1: its latency model drew no delay"):
        trade(latency_config=LatencyConfig(submit=Named("backwards")), plugins=plugins_of(("p", Backwards())))


def test_observers_hear_everything_and_a_failing_one_is_dropped_and_named(caplog: pytest.LogCaptureFixture) -> None:
    """By name or as objects, each hears every event; who raises hears no more, and nobody else notices."""
    sound, broken, offered = Tally(), Tally(fails_at=2), Tally()
    plugins = plugins_of(("p", Steady(observer=lambda: offered)))

    simulator = trade(observers=[broken, "steady", sound], plugins=plugins)

    assert sound.heard == offered.heard == list(simulator.events)
    assert len(broken.heard) == 2
    assert {name: str(error) for name, error in simulator.dropped_observers.items()} == {"Tally": "full"}
    assert "'Tally' failed" in caplog.text
    assert simulator.positions == {"X": Decimal(10)}


@pytest.mark.parametrize("observer", [3, object()])
def test_what_cannot_be_notified_is_no_observer(observer: Any) -> None:
    """The error says what to give instead."""
    with pytest.raises(InvalidConfigError, match=r"give the name of an observer, or an object with notify\(\)"):
        ExecutionSimulator(initial_cash=1, observers=[observer])


def test_unknown_name_says_what_is_on_offer_and_who_failed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One plugin cannot be imported: the others load all the same, and its failure is told when a name is missing."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "torn_plugin.py").write_text("raise RuntimeError('torn')\n")
    (tmp_path / "good_plugin.py").write_text(
        "from seatrial import Constant\n"
        "from seatrial.contracts.plugin import LatencyModelSpec\n"
        "from seatrial.hookspecs import hookimpl\n"
        "@hookimpl\n"
        "def seatrial_latency_models():\n"
        "    return [LatencyModelSpec(name='good', build=Constant)]\n"
    )
    plugins = Plugins()

    plugins.load([EntryPoint("torn", "torn_plugin", "seatrial"), EntryPoint("good", "good_plugin", "seatrial")])

    assert plugins.latency_model("good", {"delay_ns": 7}).sample(0) == 7
    [failure] = plugins.failures
    assert str(failure) == "torn (from an unknown distribution): RuntimeError: torn"
    with pytest.raises(UnknownPluginNameError, match=r"no latency model 'bad' .* \(on offer: good\); not loaded: torn"):
        plugins.latency_model("bad", {})


def test_blocked_plugins_are_not_even_imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The name stands in the environment variable: importing the module would have failed the test."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(DISABLE, "other, loud")
    (tmp_path / "loud_plugin.py").write_text("raise SystemExit('imported')\n")
    plugins = Plugins()

    plugins.load([EntryPoint("loud", "loud_plugin", "seatrial")])

    assert plugins.failures == ()
    with pytest.raises(PluginError, match=f"plugin 'loud' .*: it is blocked; take it out of {DISABLE}"):
        plugins.register(Steady(), "loud")


def test_one_name_offered_twice_names_both_owners() -> None:
    """A clash is an error, whoever came first."""
    plugins = plugins_of(("one", Steady("same")), ("two", Steady("same")))

    with pytest.raises(PluginClashError, match=r"'same' is offered by both one \(from .*\) and two \(from .*\)"):
        plugins.latency_models()


def test_order_of_registration_does_not_matter() -> None:
    """Offers come in the order of their names."""
    pair = [("zulu", Steady("a")), ("alpha", Steady("b"))]

    offers = [list(plugins_of(*plugins).latency_models()) for plugins in (pair, pair[::-1])]

    assert offers == [["a", "b"], ["a", "b"]]


def test_misspelled_hook_is_an_error() -> None:
    """A hook nobody calls would be a plugin that silently does nothing; the plugin is not kept."""

    class Misspelled:
        @hookimpl
        def seatrial_latency_model(self) -> list[LatencyModelSpec]:
            return []

    plugins = Plugins()
    with pytest.raises(PluginError, match=r"plugin 'm' .*seatrial_latency_model"):
        plugins.register(Misspelled(), "m")

    plugins.register(Steady(), "m")
    assert list(plugins.latency_models()) == ["steady"]


def test_hook_that_takes_arguments_is_an_error() -> None:
    """Hooks are called without any."""

    class Curious:
        @hookimpl
        def seatrial_observers(self, config: object) -> list[ObserverSpec]:
            return []

    with pytest.raises(PluginError, match=r"plugin 'c' .*config"):
        Plugins().register(Curious(), "c")


@pytest.mark.parametrize(
    ("offer", "problem"),
    [(lambda: ["fast"], "gave 'fast', which is no LatencyModelSpec"), (lambda: 1 / 0, "raised ZeroDivisionError")],
)
def test_hook_that_gives_nonsense_names_its_plugin(offer: Callable[[], Any], problem: str) -> None:
    """The error says which plugin, from where, and what it gave."""

    class Odd:
        @hookimpl
        def seatrial_latency_models(self) -> Any:
            return offer()

    with pytest.raises(PluginError, match=rf"plugin 'odd' \(from this program\): .*{problem}"):
        plugins_of(("odd", Odd())).latency_models()


def test_model_that_does_not_take_its_parameters_says_so() -> None:
    """The parameters of a session are checked when it is opened, not at the first order."""
    config = LatencyConfig(submit=Named("steady", {"seconds": 1}))

    with pytest.raises(PluginError, match=r"'steady' cannot be built with \{'seconds': 1\}"):
        ExecutionSimulator(initial_cash=1, latency_config=config, plugins=plugins_of(("p", Steady())))


def test_installed_plugins_are_loaded_once() -> None:
    """Importing strangers is done when first asked for, and not again."""
    assert installed_plugins() is installed_plugins()


def test_docs_show_each_hook_with_its_exact_signature() -> None:
    """The page of plugins has one line per hook, as the code has it."""
    page = (DOCS / "plugins.md").read_text("utf-8")
    hooks = {name: value for name, value in vars(hookspecs).items() if name.startswith("seatrial_")}
    shown = dict(re.findall(r"^def (seatrial_\w+)(\(.*?) -> .*:$", page, re.MULTILINE))

    signatures = {name: f"{name}{inspect.signature(hook)}" for name, hook in hooks.items()}

    assert sorted(shown) == sorted(hooks)
    for signature in signatures.values():
        assert f"def {signature.replace(chr(39), '')}:" in page
