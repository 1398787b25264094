"""The rules of one gate: opened by name or taken as objects, each called so that nothing it does wrong goes unnoticed.

A rule that raises, or returns what is no answer, is taken to object: its mistake becomes a violation.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import msgspec

from seatrial.contracts._text import holds, said, shown
from seatrial.contracts.rejection import RejectionReason
from seatrial.contracts.risk import NamedRule, RiskConfig, RiskViolation, RuleObject
from seatrial.errors import InvalidConfigError
from seatrial.gate.keeping import unique
from seatrial.plugins import installed_plugins

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.plugins import Plugins

__all__ = [
    "OpenRule",
    "Use",
    "chosen_rules",
    "headroom_of",
    "mistake",
    "objection",
    "open_rules",
    "rule_name",
    "storable",
    "with_objects",
]

Use = tuple[str, str, Decimal, Decimal]
"""A rule's name, what it limits, the most of that which was used, and the limit."""

_WATCHES = ("account", "equity", "nothing")


class OpenRule:
    """A rule ready to be asked, under the name that its refusals give."""

    __slots__ = (
        "check",
        "enabled",
        "exempts_reducing",
        "hear",
        "name",
        "needs_all_prices",
        "needs_exposure",
        "needs_price",
        "rule",
        "watch",
        "watches",
    )

    def __init__(self, name: str, rule: object) -> None:
        """Take apart what the rule can do."""
        self.name = name
        self.rule = rule
        self.check = _method(rule, "check")
        self.watch = _method(rule, "watch")
        self.hear = _method(rule, "hear")
        self.enabled = _method(rule, "enabled")
        self.exempts_reducing = _flag(rule, "exempts_reducing", default=False)
        self.needs_price = _flag(rule, "needs_price", default=False)
        self.needs_all_prices = _flag(rule, "needs_all_prices", default=False)
        priced = self.needs_price or self.needs_all_prices
        self.needs_exposure = _flag(rule, "needs_exposure", default=True) or self.exempts_reducing or priced
        self.watches = getattr(rule, "watches", "account")
        if self.watches not in _WATCHES:
            raise InvalidConfigError("rules", name, f"its watches is {self.watches!r}; give one of {_WATCHES}")


def chosen_rules(config: RiskConfig) -> dict[str, object]:
    """Return every rule of `config` under the name its refusals give, in the order in which they are asked.

    The limits and the kill switch are registered rules like any other, built from their settings.
    """
    chosen: list[object] = [
        NamedRule(name, msgspec.to_builtins(limit))
        for name in ("position_limit", "exposure_limit", "drawdown_limit")
        if (limit := getattr(config, name)) is not None
    ]
    if not config.trading_enabled:
        chosen.append(NamedRule("kill_switch", {"engaged": True}))
    named: dict[str, object] = {}
    for rule in (*chosen, *config.rules):
        named[unique(rule_name(rule), named)] = rule
    return named


def open_rules(config: RiskConfig, plugins: Plugins | None) -> tuple[OpenRule, ...]:
    """Return every rule of `config`, ready to be asked; `plugins` know the names, the installed ones unless given.

    :raises UnknownPluginNameError: when nobody offers a name.
    :raises PluginError: when a rule does not take its parameters.
    :raises InvalidConfigError: for the stand-in of an object that was not handed over again, and for an object that has
        no rule for this account.
    """
    opened: list[OpenRule] = []
    for name, rule in chosen_rules(config).items():
        if isinstance(rule, RuleObject):
            problem = "it was an object when the checkpoint was taken; hand it over again, in rules=(…,)"
            raise InvalidConfigError("rules", rule.name, problem)
        built = rule
        if isinstance(rule, NamedRule):
            built = (plugins or installed_plugins()).risk_rule(rule.name, rule.params)
        opened.append(OpenRule(name, _for_account(name, built)))
        if opened[-1].check is None and opened[-1].watch is None:
            raise InvalidConfigError("rules", name, "it has neither check() nor watch()")
    return tuple(opened)


def _for_account(name: str, rule: object) -> object:
    """Return the rule that an object shared by several accounts has for one, else the object."""
    share = _method(rule, "for_account")
    if share is None:
        return rule
    try:
        return share()
    except Exception as error:  # whatever a stranger's code raises becomes an error of ours
        raise InvalidConfigError("rules", name, f"its for_account() failed ({said(error)})") from error


def rule_name(rule: object) -> str:
    """Return the name of a rule: its own, else that of its class."""
    name = getattr(rule, "name", None)
    return shown(name) if isinstance(name, str) and name else type(rule).__name__


def storable(config: RiskConfig) -> RiskConfig:
    """Return a configuration as it can be written: names stand for the rules that were handed over as objects."""
    rules = [rule if isinstance(rule, NamedRule) else RuleObject(rule_name(rule)) for rule in config.rules]
    return msgspec.structs.replace(config, rules=tuple(rules))


def with_objects(config: RiskConfig, objects: Iterable[object]) -> RiskConfig:
    """Return a stored configuration with the objects that its names stand for.

    :raises InvalidConfigError: for an object too many; one too few is found when the rules are opened.
    """
    spare = list(objects)
    rules: list[object] = []
    for rule in config.rules:
        found = None
        if isinstance(rule, RuleObject):
            found = next((one for one in spare if rule_name(one) == rule.name), None)
        if found is not None:
            spare.remove(found)
        rules.append(rule if found is None else found)
    if spare:
        raise InvalidConfigError("rules", rule_name(spare[0]), "the checkpoint knows no such rule that was an object")
    return msgspec.structs.replace(config, rules=tuple(rules))


def objection(answer: object) -> RiskViolation:
    """Return a rule's answer, which is not `None`, as a violation; what is no answer is one too."""
    if type(answer) is RiskViolation:
        return answer
    try:
        returned = repr(answer)
    except Exception:  # noqa: BLE001 - a value that cannot even be shown
        returned = f"a {type(answer).__name__}"
    return mistake(f"it returned {returned}; return None or a RiskViolation")


def mistake(what: str | Exception) -> RiskViolation:
    """Return the violation that a rule's own mistake amounts to."""
    problem = said(what) if isinstance(what, Exception) else shown(what)
    return RiskViolation(f"the rule failed: {problem}", reason=RejectionReason.RISK_RULE_ERROR)


def headroom_of(rules: Iterable[OpenRule]) -> tuple[list[Use], list[str]]:
    """Return what `rules` tell, and a warning for each that fails to and is left out."""
    found: list[Use] = []
    warnings: list[str] = []
    for rule in rules:
        tell = getattr(rule.rule, "headroom", None)
        if not callable(tell):
            continue
        try:
            found += [(rule.name, *_use(one)) for one in cast("Iterable[object]", tell())]
        except Exception as error:  # noqa: BLE001 - whatever a stranger's rule raises, the record is written
            problem = f"its headroom() failed ({said(error)}); return (what, most used, limit), the numbers as Decimal"
            warnings.append(f"rule {rule.name!r} is left out of the headroom: {problem}")
    return found, warnings


def _use(told: object) -> tuple[str, Decimal, Decimal]:
    """Return what a rule told, if it is what it should be.

    :raises TypeError: for anything else.
    """
    match told:
        case (str() as what, Decimal() | int() as used, Decimal() | int() as limit) if holds(what):
            if not isinstance(used, bool) and not isinstance(limit, bool):
                numbers = Decimal(used), Decimal(limit)
                if all(number.is_finite() for number in numbers):
                    return what, *numbers
        case _:
            pass
    message = f"it told {told!r}"
    raise TypeError(message)


def _flag(rule: object, name: str, *, default: bool) -> bool:
    value = getattr(rule, name, default)
    if not isinstance(value, bool):
        raise InvalidConfigError("rules", rule_name(rule), f"its {name} is {value!r}; give True or False")
    return value


def _method(rule: object, name: str) -> Callable[..., Any] | None:
    method = getattr(rule, name, None)
    return cast("Callable[..., Any]", method) if callable(method) else None
