"""What a session that runs a NautilusTrader strategy may set, and the venue that comes of it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from nautilus_trader.backtest.models import FillModel
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Currency, Money

from seatrial.contracts.venue import AccountType as CoreAccount
from seatrial.contracts.venue import Convention, FeeSchedule, LimitFill, PriceImprovement, VenueConfig
from seatrial.errors import InvalidConfigError
from seatrial.venue.fees import open_fees
from seatrial_nautilus.v1.own_fees import SessionFees

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seatrial.contracts.scenario import Scenario
    from seatrial.plugins import Plugins

__all__ = ["OwnSettings", "check_scenario", "read_settings", "venue_options"]

_EXCHANGE = (
    "bar_execution",
    "bar_adaptive_high_low_ordering",
    "trade_execution",
    "reject_stop_orders",
    "support_gtd_orders",
    "support_contingent_orders",
    "use_position_ids",
    "use_reduce_only",
)
_AS_SET = VenueConfig()


class OwnSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`engine_params`, checked: the names and meanings are NautilusTrader's, but for two.

    `venue` is where the tape's symbols trade, SIM unless given; `bar_spec`, such as `5-MINUTE`, is what its bars are
    called.
    """

    venue: str | None = None
    bar_spec: str | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] | None = None
    oms_type: Literal["NETTING", "HEDGING"] = "NETTING"
    prob_fill_on_limit: float = 1.0
    prob_slippage: float = 0.0
    bar_execution: bool = True
    bar_adaptive_high_low_ordering: bool = False
    trade_execution: bool = True
    reject_stop_orders: bool = True
    support_gtd_orders: bool = True
    support_contingent_orders: bool = True
    use_position_ids: bool = True
    use_reduce_only: bool = True


def read_settings(params: Mapping[str, Any]) -> OwnSettings:
    """Return what `engine_params` ask for.

    :raises InvalidConfigError: naming what nobody knows, or a value that is none.
    """
    known = OwnSettings.__struct_fields__
    for key in params:
        if key not in known:
            near = get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"a NautilusTrader strategy takes {', '.join(known)}"
            raise InvalidConfigError("engine_params", key, hint)
    try:
        settings = msgspec.convert(dict(params), OwnSettings)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at `$.")
        key = place.rstrip("`")
        raise InvalidConfigError(f"engine_params.{key}", params.get(key), problem) from None
    for key in ("prob_fill_on_limit", "prob_slippage"):
        if not 0 <= getattr(settings, key) <= 1:
            raise InvalidConfigError(f"engine_params.{key}", getattr(settings, key), "give a probability, 0 to 1")
    venue = settings.venue
    if venue is not None and not (venue.isascii() and venue.isalnum()):
        raise InvalidConfigError("engine_params.venue", venue, "give a name of letters and digits")
    return settings


def check_scenario(scenario: Scenario, settings: OwnSettings) -> None:
    """Refuse what a NautilusTrader strategy cannot be run with.

    :raises InvalidConfigError: naming the setting.
    """
    execution, venue = scenario.execution, scenario.execution.venue
    chance = settings.prob_fill_on_limit
    refused: Mapping[str, tuple[object, bool, str]] = {
        "script": (len(scenario.script), bool(scenario.script), "it runs beside a neutral strategy only"),
        "checkpoint_every": (
            execution.checkpoint_every,
            execution.checkpoint_every != "never",
            "a NautilusTrader strategy leaves no checkpoints; leave it out",
        ),
        "resume_from": (
            scenario.resume_from,
            scenario.resume_from is not None,
            "a NautilusTrader strategy's run cannot be resumed; run it anew",
        ),
        "convention": (venue.convention, venue.convention is Convention.NEXT, "NautilusTrader's is standing"),
        "slippage_bps": (
            venue.slippage_bps,
            venue.slippage_bps != 0,
            "NautilusTrader's prices slip by ticks; give engine_params.prob_slippage",
        ),
        "participation": (
            venue.participation,
            venue.participation is not None,
            "NautilusTrader takes the sizes of the tape; leave it out",
        ),
        "price_improvement": (
            venue.price_improvement,
            venue.price_improvement is PriceImprovement.ALWAYS,
            "a resting limit fills at its price on NautilusTrader; leave it out",
        ),
        "bar_theta": (
            venue.bar_theta,
            venue.bar_theta != _AS_SET.bar_theta,
            "on NautilusTrader an order meets the bar that stands; leave it out",
        ),
        "limit_fill": (
            venue.limit_fill,
            venue.limit_fill is not None and chance != 1,
            f"engine_params.prob_fill_on_limit={chance} says it otherwise; leave one of the two out",
        ),
    }
    for setting, (value, is_set, problem) in refused.items():
        if is_set:
            raise InvalidConfigError(setting, value, problem)


def venue_options(
    scenario: Scenario, settings: OwnSettings, venue: Any, instruments: Iterable[Any], plugins: Plugins
) -> dict[str, Any]:
    """Return the keyword arguments of `add_venue` for the `venue` on which `instruments` trade.

    :raises InvalidConfigError: for instruments of several currencies, or cash that no amount of theirs is.
    """
    execution, config = scenario.execution, scenario.execution.venue
    listed = list(instruments)
    currency = _currency(listed)
    cash = Money(execution.initial_cash, currency)
    if cash.as_decimal() != execution.initial_cash:
        problem = f"{currency.code} has {currency.precision} decimals; round it"
        raise InvalidConfigError("initial_cash", execution.initial_cash, problem)
    is_margin = config.account_type is CoreAccount.MARGIN
    # NautilusTrader trades currency pairs for cash on an account of several currencies only
    has_pairs = any(isinstance(one, CurrencyPair) for one in listed)
    options: dict[str, Any] = {
        "venue": Venue(venue),
        "oms_type": OmsType[settings.oms_type],
        "account_type": AccountType.MARGIN if is_margin else AccountType.CASH,
        "starting_balances": [cash],
        "base_currency": None if has_pairs and not is_margin else currency,
        "default_leverage": config.leverage,
        **{name: getattr(settings, name) for name in _EXCHANGE},
    }
    if config.fees != FeeSchedule():
        options["fee_model"] = SessionFees(open_fees(config.fees, plugins), currency)
    chance = 0.0 if config.limit_fill is LimitFill.THROUGH else settings.prob_fill_on_limit
    if chance != 1 or settings.prob_slippage:
        options["fill_model"] = FillModel(
            prob_fill_on_limit=chance, prob_slippage=settings.prob_slippage, random_seed=execution.seed
        )
    return options


def _currency(instruments: list[Any]) -> Any:
    codes = sorted({one.get_cost_currency().code for one in instruments})
    if len(codes) != 1:
        raise InvalidConfigError("instruments", ", ".join(codes), "all instruments of an account have one currency")
    return Currency.from_str(codes[0])
