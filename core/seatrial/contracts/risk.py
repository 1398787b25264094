"""Risk: what may be limited, what a rule is, and what follows when one is broken.

Limits are inclusive: a value equal to its limit passes, above it breaches.
"""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec.structs import force_setattr

from seatrial.contracts._expect import check_text, expect
from seatrial.contracts.account import RiskView
from seatrial.contracts.orders import Order
from seatrial.contracts.rejection import RejectionReason
from seatrial.errors import InvalidConfigError

__all__ = [
    "DrawdownLimitRule",
    "ExposureLimitRule",
    "Latch",
    "NamedRule",
    "PositionLimitRule",
    "RiskAction",
    "RiskConfig",
    "RiskRule",
    "RiskViolation",
    "RiskWatcher",
    "RuleObject",
    "SharedRule",
]


class RiskAction(StrEnum):
    """What follows a breach: a ladder, each step harder than the one before."""

    REJECT = "reject"
    """The order is refused, and nothing else."""
    REDUCE_ONLY = "reduce_only"
    """From now on only orders leave that provably reduce a position."""
    CANCEL_ALL = "cancel_all"
    """The same, and working orders are cancelled."""
    HALT = "halt"
    """Nothing leaves but cancels, and working orders are cancelled."""
    FLATTEN = "flatten"
    """The same, and the gate closes every position at the market."""


class Latch(StrEnum):
    """How long an action harder than a refusal lasts."""

    DAY = "day"
    """Until the day turns, or an operator enables trading."""
    OPERATOR = "operator"
    """Until an operator enables trading."""


class RiskViolation(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a rule returns when it objects.

    `value` and `limit` are the numbers compared, in the unit that `message` names. Custom rules keep the default
    `reason`; the refusal names the rule.
    """

    message: str
    value: Decimal | None = None
    limit: Decimal | None = None
    reason: RejectionReason = RejectionReason.RISK_RULE
    action: RiskAction = RiskAction.REJECT
    until: Latch = Latch.OPERATOR

    def __post_init__(self) -> None:
        """Take whole numbers as the exact amounts they are, and refuse what could not be told or stored.

        :raises InvalidConfigError: naming the field.
        """
        expect("message", self.message, str, "a str")
        check_text("message", self.message)
        expect("reason", self.reason, RejectionReason, "a RejectionReason")
        expect("action", self.action, RiskAction, "a RiskAction")
        expect("until", self.until, Latch, "a Latch")
        for name in ("value", "limit"):
            number: object = getattr(self, name)
            if type(number) is int:
                force_setattr(self, name, Decimal(number))
            elif number is not None:
                expect(name, number, Decimal, "a Decimal, an int, or None")


class RiskRule(Protocol):
    """Looks at every order before it leaves, and at every modify.

    A rule may also have: `exempts_reducing = True`, so that it never stops an order that provably reduces a position;
    `needs_price = True`, so that an order in a symbol whose worst case has no price, or too old a one, is refused
    before the rule is asked, and `needs_all_prices = True` for every symbol held or worked; `needs_exposure = False`
    where it asks neither for marks nor for what works, which spares the counting; `watch` (see :class:`RiskWatcher`);
    `hear(event, order)`, told every event before all listeners; `enabled(account, by, reason)`, told when an operator
    enables trading; `headroom()`, which returns (what, most used, limit) for run records, where one that fails leaves a
    warning; `save_state()`, which returns a JSON value for checkpoints, with `load_state(value)`: one that fails, or
    returns anything else, ends the call that takes the checkpoint. A rule that raises elsewhere is taken to object.
    """

    def check(self, order: Order, account: RiskView, now: int, /) -> RiskViolation | None:
        """Return why `order` may not leave at `now` (UNIX ns UTC), or `None`.

        `account` counts the order as working. On a modify, `order` has its new terms, and the account counts the
        larger of old and new.
        """
        ...


class RiskWatcher(Protocol):
    """Looks at the account itself: at every mark, every fill, and when time passes.

    An engine need not ask a rule of which it knows that nothing new is to be seen. `watches = "equity"` says that the
    answer follows from the account's equity, its peak and the day's start alone; `watches = "nothing"`, that it follows
    from the rule's own state. Any other watches the `"account"`: positions, marks, what works, and the time.
    """

    def watch(self, account: RiskView, now: int, /) -> RiskViolation | None:
        """Return what is wrong with the account at `now` (UNIX ns UTC), or `None`.

        Its `action` latches; one of REJECT counts as REDUCE_ONLY, since there is no order to refuse.
        """
        ...


class SharedRule(Protocol):
    """One object for several accounts, each of which gets a rule with a state of its own."""

    def for_account(self) -> RiskRule | RiskWatcher:
        """Return the rule of one more account."""
        ...


def _check_limits(rule: msgspec.Struct, *names: str) -> None:
    for name in names:
        value: object = getattr(rule, name)
        if type(value) is int:
            value = Decimal(value)
            force_setattr(rule, name, value)
        if value is not None and (not isinstance(value, Decimal) or not value.is_finite() or value < 0):
            raise InvalidConfigError(name, value, "give a Decimal of zero or more, or None for no limit")
    if all(getattr(rule, name) is None for name in names):
        raise InvalidConfigError(names[0], None, f"a {type(rule).__name__} needs at least one of {', '.join(names)}")


class PositionLimitRule(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Limits one symbol's position with everything that works for it: `max_shares` in units, `max_value` in currency.

    A breach refuses the order; a harder `action` also latches, until an operator enables trading.
    Source: FIA, Best Practices for Automated Trading Risk Controls (2024), "maximum position".
    """

    max_shares: Decimal | None = None
    max_value: Decimal | None = None
    action: RiskAction = RiskAction.REJECT

    def __post_init__(self) -> None:
        """Refuse what is no limit.

        :raises InvalidConfigError: naming the setting.
        """
        _check_limits(self, "max_shares", "max_value")
        expect("action", self.action, RiskAction, "a RiskAction")


class ExposureLimitRule(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Limits all positions together with everything that works for them, in per cent of equity.

    Gross adds long and short values, net sets one off against the other. A breach refuses the order; a harder `action`
    also latches, until an operator enables trading. Source: SEC Rule 15c3-5 (c)(1)(i).
    """

    max_gross_exposure_pct: Decimal | None = None
    max_net_exposure_pct: Decimal | None = None
    action: RiskAction = RiskAction.REJECT

    def __post_init__(self) -> None:
        """Refuse what is no limit.

        :raises InvalidConfigError: naming the setting.
        """
        _check_limits(self, "max_gross_exposure_pct", "max_net_exposure_pct")
        expect("action", self.action, RiskAction, "a RiskAction")


class DrawdownLimitRule(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Limits the loss since the day began and since the highest equity, in per cent of either, marked continuously.

    A breach latches `action`: the daily one until the day turns, the total one until an operator enables trading.
    """

    max_daily_drawdown_pct: Decimal | None = None
    max_total_drawdown_pct: Decimal | None = None
    action: RiskAction = RiskAction.REDUCE_ONLY

    def __post_init__(self) -> None:
        """Refuse what is no limit, or an action that would not last.

        :raises InvalidConfigError: naming the setting.
        """
        _check_limits(self, "max_daily_drawdown_pct", "max_total_drawdown_pct")
        expect("action", self.action, RiskAction, "a RiskAction")
        if self.action is RiskAction.REJECT:
            raise InvalidConfigError("action", self.action, "a drawdown is no single order's; give reduce_only or more")


class NamedRule(msgspec.Struct, frozen=True, tag_field="rule", tag="named"):
    """A rule that a plugin offers under `name`, built with `params` (JSON values) when a gate is opened."""

    name: str
    params: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        """Refuse what names no rule.

        :raises InvalidConfigError: naming the field.
        """
        expect("name", self.name, str, "the name of a rule")
        setting = f"params of {self.name!r}"
        expect(setting, self.params, dict, "a dict of parameters, for example {'max_shares': '100'}")
        if not all(isinstance(name, str) for name in cast("dict[object, object]", self.params)):
            raise InvalidConfigError(setting, self.params, "give a dict whose keys are names")


class RuleObject(msgspec.Struct, frozen=True, tag_field="rule", tag="object"):
    """Stands in JSON for a rule that was handed over as an object, and must be handed over again."""

    name: str


class RiskConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that limits what leaves.

    `rules` are registered names, :class:`NamedRule`, or objects of the user's own classes; they are asked in this
    order, after the three limits. `trading_enabled=False` starts halted. The day turns at `day_boundary` (wall-clock
    time in `day_zone`, an IANA name). A mark older than `max_price_age` is no price where a value is needed; `None`
    lets any age pass.
    """

    position_limit: PositionLimitRule | None = None
    exposure_limit: ExposureLimitRule | None = None
    drawdown_limit: DrawdownLimitRule | None = None
    trading_enabled: bool = True
    rules: tuple[Any, ...] = ()
    day_boundary: time = time(0)
    day_zone: str = "UTC"
    max_price_age: timedelta | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be used, before the first order meets it.

        :raises InvalidConfigError: naming the setting.
        """
        expect("position_limit", self.position_limit, PositionLimitRule | None, "a PositionLimitRule, or None")
        expect("exposure_limit", self.exposure_limit, ExposureLimitRule | None, "an ExposureLimitRule, or None")
        expect("drawdown_limit", self.drawdown_limit, DrawdownLimitRule | None, "a DrawdownLimitRule, or None")
        expect("trading_enabled", self.trading_enabled, bool, "True or False")
        expect("rules", self.rules, tuple | list, "a tuple of names, NamedRule or objects with check()")
        force_setattr(self, "rules", tuple([_rule(rule) for rule in self.rules]))
        expect("day_boundary", self.day_boundary, time, "a datetime.time")
        if self.day_boundary.tzinfo:
            raise InvalidConfigError("day_boundary", self.day_boundary, "give its zone as day_zone")
        try:
            ZoneInfo(self.day_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError, TypeError, AttributeError):
            problem = "no such time zone; give an IANA name such as 'America/New_York'"
            raise InvalidConfigError("day_zone", self.day_zone, problem) from None
        expect("max_price_age", self.max_price_age, timedelta | None, "a timedelta, or None")
        if self.max_price_age is not None and self.max_price_age < timedelta(0):
            raise InvalidConfigError("max_price_age", self.max_price_age, "give a timedelta of zero or more")


def _rule(rule: object) -> object:
    """Return a rule as it is kept: a mere name becomes a :class:`NamedRule`, stored ones what they were."""
    if isinstance(rule, str):
        return NamedRule(rule)
    if isinstance(rule, dict):
        try:
            return msgspec.convert(rule, NamedRule | RuleObject)
        except msgspec.ValidationError as error:
            raise InvalidConfigError("rules", "a dict", f"it is no stored rule ({error})") from None
    if isinstance(rule, type):
        raise InvalidConfigError("rules", rule, f"it is a class; hand over an object, {rule.__name__}(...)")
    parts = ("check", "watch", "for_account")
    if isinstance(rule, NamedRule | RuleObject) or any(callable(getattr(rule, part, None)) for part in parts):
        return rule
    raise InvalidConfigError("rules", rule, "give a registered name, a NamedRule, or an object with check() or watch()")
