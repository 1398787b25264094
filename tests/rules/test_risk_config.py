"""The risk configuration: what cannot be used is refused in one clear line, and what can be stored comes back."""

from __future__ import annotations

from datetime import UTC, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from seatrial import (
    DrawdownLimitRule,
    ExecutionSimulator,
    ExposureLimitRule,
    NamedRule,
    PositionLimitRule,
    RiskAction,
    RiskConfig,
    SeatrialError,
)
from seatrial.contracts.plugin import RiskRuleSpec
from seatrial.contracts.risk import RuleObject
from seatrial.errors import InvalidConfigError, PluginError, UnknownPluginNameError
from seatrial.hookspecs import hookimpl
from seatrial.plugins import DISABLE, Plugins

if TYPE_CHECKING:
    from collections.abc import Callable

AMOUNT = "give a Decimal of zero or more, or None for no limit"
RULE = "give a registered name, a NamedRule, or an object with check() or watch()"
ZONE = "no such time zone; give an IANA name such as 'America/New_York'"


class Careless:
    """Passes everything."""

    def check(self, *_: object) -> None:
        return None

    def __repr__(self) -> str:
        return "Careless()"


class _Offers:
    def __init__(self, name: str, build: Callable[..., Any]) -> None:
        self.spec = RiskRuleSpec(name=name, build=build)

    @hookimpl
    def seatrial_risk_rules(self) -> list[RiskRuleSpec]:
        return [self.spec]


MISUSE: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (PositionLimitRule, {"max_shares": -1}, f"max_shares=Decimal('-1'): {AMOUNT}"),
    (PositionLimitRule, {"max_shares": 1.5}, f"max_shares=1.5: {AMOUNT}"),
    (PositionLimitRule, {"max_shares": True}, f"max_shares=True: {AMOUNT}"),
    (PositionLimitRule, {"max_value": "5"}, f"max_value='5': {AMOUNT}"),
    (PositionLimitRule, {"max_value": Decimal("NaN")}, f"max_value=Decimal('NaN'): {AMOUNT}"),
    (
        PositionLimitRule,
        {},
        "max_shares=None: a PositionLimitRule needs at least one of max_shares, max_value",
    ),
    (
        ExposureLimitRule,
        {"max_gross_exposure_pct": Decimal("Infinity")},
        f"max_gross_exposure_pct=Decimal('Infinity'): {AMOUNT}",
    ),
    (ExposureLimitRule, {"max_net_exposure_pct": -5}, f"max_net_exposure_pct=Decimal('-5'): {AMOUNT}"),
    (DrawdownLimitRule, {"max_daily_drawdown_pct": 0.05}, f"max_daily_drawdown_pct=0.05: {AMOUNT}"),
    (
        DrawdownLimitRule,
        {"max_total_drawdown_pct": 5, "action": "halt"},
        "action='halt': give a RiskAction",
    ),
    (
        DrawdownLimitRule,
        {"max_total_drawdown_pct": 5, "action": RiskAction.REJECT},
        "action='reject': a drawdown is no single order's; give reduce_only or more",
    ),
    (RiskConfig, {"position_limit": 100}, "position_limit=100: give a PositionLimitRule, or None"),
    (
        RiskConfig,
        {"exposure_limit": ExposureLimitRule},
        "exposure_limit=<class 'seatrial.contracts.risk.ExposureLimitRule'>: give an ExposureLimitRule, or None",
    ),
    (RiskConfig, {"drawdown_limit": Decimal(5)}, "drawdown_limit=Decimal('5'): give a DrawdownLimitRule, or None"),
    (RiskConfig, {"trading_enabled": "no"}, "trading_enabled='no': give True or False"),
    (RiskConfig, {"trading_enabled": 0}, "trading_enabled=0: give True or False"),
    (
        RiskConfig,
        {"rules": "position_limit"},
        "rules='position_limit': give a tuple of names, NamedRule or objects with check()",
    ),
    (RiskConfig, {"rules": (5,)}, f"rules=5: {RULE}"),
    (RiskConfig, {"rules": (None,)}, f"rules=None: {RULE}"),
    (
        RiskConfig,
        {"rules": (NamedRule,)},
        "rules=<class 'seatrial.contracts.risk.NamedRule'>: it is a class; hand over an object, NamedRule(...)",
    ),
    (
        RiskConfig,
        {"rules": ({"rule": "other", "name": "x"},)},
        "rules='a dict': it is no stored rule (Invalid value 'other' - at `$.rule`)",
    ),
    (RiskConfig, {"day_boundary": "17:00"}, "day_boundary='17:00': give a datetime.time"),
    (
        RiskConfig,
        {"day_boundary": time(17, tzinfo=UTC)},
        "day_boundary=datetime.time(17, 0, tzinfo=datetime.timezone.utc): give its zone as day_zone",
    ),
    (RiskConfig, {"day_zone": "Mars/Olympus"}, f"day_zone='Mars/Olympus': {ZONE}"),
    (RiskConfig, {"day_zone": "../UTC"}, f"day_zone='../UTC': {ZONE}"),
    (RiskConfig, {"day_zone": ""}, f"day_zone='': {ZONE}"),
    (RiskConfig, {"day_zone": None}, f"day_zone=None: {ZONE}"),
    (RiskConfig, {"max_price_age": 5}, "max_price_age=5: give a timedelta, or None"),
    (
        RiskConfig,
        {"max_price_age": timedelta(seconds=-1)},
        "max_price_age=datetime.timedelta(days=-1, seconds=86399): give a timedelta of zero or more",
    ),
]


@pytest.mark.parametrize(("kind", "fields", "line"), MISUSE, ids=[line[:40] for _, _, line in MISUSE])
def test_misuse_is_refused_in_one_line(kind: Callable[..., Any], fields: dict[str, Any], line: str) -> None:
    """Before the first order meets it, naming the setting, what was given and what to give."""
    with pytest.raises(InvalidConfigError) as caught:
        kind(**fields)

    assert str(caught.value) == line


def test_a_simulator_takes_no_limit_for_a_configuration() -> None:
    """The limit alone is not the whole configuration."""
    with pytest.raises(InvalidConfigError, match=r"^risk_config=PositionLimitRule\(.*\): give a RiskConfig, or None$"):
        ExecutionSimulator(initial_cash=1, risk_config=PositionLimitRule(max_shares=Decimal(1)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (NamedRule("position_limit", {"max_shares": "-1"}), "give a Decimal of zero or more"),
        (NamedRule("position_limit", {"max_share": "1"}), "max_share"),
        (NamedRule("position_limit", {"max_shares": "1", "max_valeu": "1"}), "max_valeu"),
        (NamedRule("position_limit", {"max_shares": [1]}), "max_shares"),
        (NamedRule("position_limit"), "needs at least one of max_shares, max_value"),
        (NamedRule("drawdown_limit", {"max_total_drawdown_pct": "5", "action": "explode"}), "explode"),
        (NamedRule("kill_switch", {"on": True}), "'on'"),
    ],
)
def test_parameters_that_a_rule_does_not_take_are_an_error_at_start(rule: NamedRule, problem: str) -> None:
    """A misspelled limit is no limit, so it is never passed over; the line names rule and distribution."""
    with pytest.raises(PluginError) as caught:
        ExecutionSimulator(initial_cash=1, risk_config=RiskConfig(rules=(rule,)))

    assert str(caught.value).startswith("plugin 'rules' (from seatrial ")
    assert f"'{rule.name}' cannot be built with" in str(caught.value)
    assert problem in str(caught.value)


@pytest.mark.parametrize("params", [None, 5, "max_shares", ["max_shares"]])
def test_parameters_that_are_none_are_one_of_our_errors(params: Any) -> None:
    """No bare TypeError from inside."""
    with pytest.raises(SeatrialError, match="position_limit"):
        ExecutionSimulator(initial_cash=1, risk_config=RiskConfig(rules=(NamedRule("position_limit", params),)))


@pytest.mark.parametrize(
    "risk",
    [
        RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(1))),
        RiskConfig(trading_enabled=False),
        RiskConfig(rules=("exposure_limit",)),
    ],
)
def test_a_blocked_rule_is_an_error_at_start(risk: RiskConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never a session that runs without it; the line says that it is blocked."""
    monkeypatch.setenv(DISABLE, "rules")
    plugins = Plugins()
    plugins.load()

    with pytest.raises(UnknownPluginNameError, match=rf"no risk rule '\w+' is installed .*{DISABLE}"):
        ExecutionSimulator(initial_cash=1, risk_config=risk, plugins=plugins)


def test_a_missing_rule_is_an_error_at_start() -> None:
    """The line lists what there is."""
    with pytest.raises(UnknownPluginNameError) as caught:
        ExecutionSimulator(initial_cash=1, risk_config=RiskConfig(rules=("no_friday",)))

    offers = "drawdown_limit, exposure_limit, kill_switch, position_limit"
    assert str(caught.value) == f"no risk rule 'no_friday' is installed (on offer: {offers})"


def test_a_broken_rule_is_an_error_at_start() -> None:
    """One that cannot be built names its plugin; one that can do nothing names itself."""
    plugins = Plugins()
    plugins.register(_Offers("broken", lambda: 1 // 0), "mine")
    plugins.register(_Offers("empty", object), "other")

    with pytest.raises(PluginError, match=r"^plugin 'mine' \(from this program\): .*'broken' cannot be built with {}"):
        ExecutionSimulator(initial_cash=1, risk_config=RiskConfig(rules=("broken",)), plugins=plugins)
    with pytest.raises(PluginError, match=r"^plugin 'other' .*'empty' was built as a object, without check or watch"):
        ExecutionSimulator(initial_cash=1, risk_config=RiskConfig(rules=("empty",)), plugins=plugins)


def test_a_configuration_comes_back_from_json() -> None:
    """Every setting, exactly; named rules are named rules again."""
    config = RiskConfig(
        position_limit=PositionLimitRule(max_shares=Decimal("1.10"), max_value=Decimal("1e6")),
        exposure_limit=ExposureLimitRule(max_net_exposure_pct=Decimal("33.3")),
        drawdown_limit=DrawdownLimitRule(max_total_drawdown_pct=Decimal(10), action=RiskAction.FLATTEN),
        trading_enabled=False,
        rules=("kill_switch", NamedRule("position_limit", {"max_shares": "5"})),
        day_boundary=time(17, 30),
        day_zone="America/New_York",
        max_price_age=timedelta(seconds=1.5),
    )

    again = msgspec.json.decode(msgspec.json.encode(config), type=RiskConfig)

    assert again == config
    assert again.rules == (NamedRule("kill_switch"), NamedRule("position_limit", {"max_shares": "5"}))


def test_whole_numbers_are_exact_limits() -> None:
    """An int is taken for the Decimal it is, a list of rules for a tuple."""
    assert PositionLimitRule(max_shares=100).max_shares == Decimal(100)  # type: ignore[arg-type]
    assert RiskConfig(rules=["kill_switch"]).rules == (NamedRule("kill_switch"),)  # type: ignore[arg-type]


def test_a_stored_object_must_be_handed_over_again() -> None:
    """Its stand-in opens nothing."""
    config = RiskConfig(rules=(Careless(), RuleObject("Careless")))

    with pytest.raises(
        InvalidConfigError, match=r"^rules='Careless': it was an object .*; hand it over again, in rules="
    ):
        ExecutionSimulator(initial_cash=1, risk_config=config)


def test_a_rule_watches_one_of_three_things() -> None:
    """What else it says that it watches is refused, by name."""

    class Gazer(Careless):
        watches = "sky"

    with pytest.raises(InvalidConfigError, match=r"^rules='Gazer': its watches is 'sky'; give one of .*'nothing'"):
        ExecutionSimulator(initial_cash=1, risk_config=RiskConfig(rules=(Gazer(),)))
