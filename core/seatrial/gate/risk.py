"""The risk layer of one gate: its rules, what they may see, and the account's day.

Rules see the account with the order under check among what works, so they compare one number with one limit. An order
that provably reduces a position is never stopped by a rule that exempts such orders, whatever the rule answers.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn, cast

import msgspec

from seatrial.clock import NANOS_PER_SECOND, duration_ns
from seatrial.contracts.account import Mark
from seatrial.contracts.rejection import Rejection, RejectionReason
from seatrial.contracts.risk import Latch, RiskAction, RiskViolation
from seatrial.contracts.terms import OrderSide
from seatrial.errors import InvalidConfigError
from seatrial.gate.day import last_turn, next_turn
from seatrial.gate.keeping import load_state, save_state
from seatrial.gate.rules import headroom_of, mistake, objection, open_rules
from seatrial.gate.validator import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from seatrial.contracts.account import AccountView
    from seatrial.contracts.events import Event
    from seatrial.contracts.orders import Order
    from seatrial.contracts.risk import RiskConfig
    from seatrial.contracts.terms import TradingState
    from seatrial.gate.controls import Controls
    from seatrial.gate.exposure import Exposure
    from seatrial.gate.rules import OpenRule, Use
    from seatrial.gate.stake import Stake, Stakes
    from seatrial.plugins import Plugins

__all__ = ["Risk", "RiskState", "Trip"]

_ZERO = Decimal(0)
_BUY = OrderSide.BUY

Trip = tuple[str, RiskViolation]
"""A rule's name and the violation that asks for more than a refusal."""


class RiskState(msgspec.Struct, frozen=True):
    """The account's day and the rules' own states, as stored."""

    day_start: Decimal
    peak: Decimal
    judged: Decimal
    rules: dict[str, msgspec.Raw]


class _View:
    """What rules see: everything can be read, nothing set.

    What every rule wants is held, and renewed before the rules are asked; all else is looked up.
    """

    __slots__ = (
        *("__weakref__", "_account", "_controls", "_exposure", "_stakes"),
        *("day_start_equity", "equity", "peak_equity"),
    )

    _account: AccountView
    _controls: Controls
    _exposure: Exposure
    _stakes: Stakes
    day_start_equity: Decimal
    equity: Decimal
    peak_equity: Decimal

    def __init__(self, account: AccountView, exposure: Exposure, controls: Controls) -> None:
        _set(self, "_account", account)
        _set(self, "_exposure", exposure)
        _set(self, "_stakes", exposure.stakes)
        _set(self, "_controls", controls)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        message = f"a rule may read the account, not change it (it tried to set {name})"
        raise AttributeError(message)

    def __delattr__(self, name: str) -> NoReturn:
        message = f"a rule may read the account, not change it (it tried to delete {name})"
        raise AttributeError(message)

    def __setstate__(self, state: tuple[None, dict[str, object]]) -> None:
        """Take up what was pickled, as where an optimisation returns whole strategies from another process."""
        for name, value in state[1].items():
            _set(self, name, value)

    @property
    def cash(self) -> Decimal:
        return self._account.cash

    @property
    def positions(self) -> Mapping[str, Decimal]:
        return self._account.positions

    @property
    def trading_state(self) -> TradingState:
        return self._controls.state

    def position(self, symbol: str) -> Decimal:
        return self._account.position(symbol)

    def mark(self, symbol: str) -> Mark | None:
        stake = self._stakes.get(symbol)
        return None if stake is None or stake.mark is None else Mark(stake.mark, stake.marked_at)

    def working(self, symbol: str, side: OrderSide) -> Decimal:
        stake = self._stakes[symbol]
        return stake.buys.quantity if side is _BUY else stake.sells.quantity

    def worst_position(self, symbol: str) -> Decimal:
        stake, position = self._stakes[symbol], self._account.position(symbol)
        long, short = position + stake.buys.quantity, stake.sells.quantity - position
        return long if long > short else short  # noqa: FURB136 - max() costs a call for every order

    def worst_value(self, symbol: str) -> Decimal | None:
        stake = self._stakes[symbol]
        ends = stake.ends or stake.measure(self._account.position(symbol))
        return ends and ends[0]

    def gross_exposure(self) -> Decimal | None:
        exposure = self._exposure
        if exposure.stale or exposure.gross is None:
            exposure.settle()
        return exposure.gross

    def net_exposure(self) -> Decimal | None:
        exposure = self._exposure
        if exposure.stale or exposure.net is None:
            exposure.settle()
        return exposure.net


class _Uncounted:
    """Stands for marks and what works where no rule is said to need them, so that nobody keeps them."""

    @property
    def stakes(self) -> _Uncounted:
        return self

    def __getitem__(self, symbol: str) -> NoReturn:
        self.__getattr__(symbol)

    def __getattr__(self, name: str) -> NoReturn:
        message = "it asks for a mark or for what works, which it is said not to need; leave out needs_exposure = False"
        raise AttributeError(message)


_set = object.__setattr__
_set_equity, _set_peak, _set_day_start = (
    vars(_View)[name].__set__ for name in ("equity", "peak_equity", "day_start_equity")
)


class Risk:
    """Asks the rules about orders and about the account, and keeps the account's day and peak."""

    __slots__ = (
        "_account",
        "_alarms",
        "_any_needs_price",
        "_checks",
        "_config",
        "_exposure",
        "_judged",
        "_max_age",
        "_view",
        "_watchers",
        "hearers",
        "patient",
        "rules",
        "tells_fill",
    )

    def __init__(
        self,
        config: RiskConfig,
        account: AccountView,
        exposure: Exposure,
        controls: Controls,
        plugins: Plugins | None = None,
    ) -> None:
        """Open the rules of `config`; see :func:`~seatrial.gate.rules.open_rules` for what that may raise."""
        self._config = config
        self._account = account
        self._exposure = exposure
        self._max_age = None if config.max_price_age is None else duration_ns(config.max_price_age)
        self.rules = open_rules(config, plugins)
        counted = not self.rules or any(rule.needs_exposure for rule in self.rules)
        self._view = _View(account, exposure if counted else cast("Exposure", _Uncounted()), controls)
        self._checks = tuple([(rule, rule.check) for rule in self.rules if rule.check is not None])
        self._any_needs_price = any(rule.needs_price or rule.needs_all_prices for rule in self.rules)
        if self._max_age is not None and any(rule.needs_all_prices for rule in self.rules):
            exposure.note_ages()
        self._watchers = tuple([(rule, rule.watch) for rule in self.rules if rule.watch is not None])
        self._alarms = tuple([watch for rule, watch in self._watchers if rule.watches == "nothing"])
        self.patient = self._max_age is None and all(rule.watches != "account" for rule, _ in self._watchers)
        """Whether no rule watches more than equity and itself, so that marks and time may wait for the next order."""
        self.tells_fill: Callable[[int], bool] = _all_told
        """Whether a fill is still to be told by a time: what equity is until then, nobody has held."""
        self.hearers = tuple([(rule, rule.hear) for rule in self.rules if rule.hear is not None])
        """The rules that are told what happens."""
        self._judged = account.equity  # when the rules last looked
        self._measure_from(account.equity, account.equity)

    @property
    def day_start(self) -> Decimal:
        """The last equity before the day began, deposits since then included."""
        return self._view.day_start_equity

    @property
    def peak(self) -> Decimal:
        """The highest equity so far, deposits included."""
        return self._view.peak_equity

    def _measure_from(self, day_start: Decimal, peak: Decimal) -> None:
        _set_equity(self._view, self._account.equity)
        _set_day_start(self._view, day_start)
        _set_peak(self._view, peak)

    # -- orders ----------------------------------------------------------------------------------------------------

    def refuse(self, order: Order, now: int, *, shrinks: bool = False) -> tuple[Rejection, Trip] | None:
        """Ask every rule about a counted order; return the first refusal with the violation behind it, or `None`.

        `shrinks` says of a modify that it only makes the order smaller: it counts as reducing.
        """
        view = self._view
        _set_equity(view, self._account.equity)
        problem = None
        if self._any_needs_price:
            stake = self._exposure.stakes[order.symbol]
            if stake.mark is None or self._max_age is not None:
                problem = self._priceless(order, stake, now)
        for rule, check in self._checks:
            try:
                if problem is None or not _concerns(problem[0], rule, order):
                    answer: object = check(order, view, now)
                    if answer is None:
                        continue
                    violation = objection(answer)
                else:
                    violation = problem[1]
            except Exception as error:  # noqa: BLE001 - whatever a stranger raises, the order stays here
                violation = mistake(error)
            if rule.exempts_reducing and (shrinks or self._exposure.reduces(order)):
                continue
            rejection = refusal(
                violation.reason, violation.message, rule=rule.name, value=violation.value, limit=violation.limit
            )
            return rejection, (rule.name, violation)
        return None

    def _priceless(self, order: Order, stake: Stake, now: int) -> tuple[str, RiskViolation] | None:
        """Return a symbol whose worst case cannot be valued, and why; the order's own comes first."""
        symbol = order.symbol
        if stake.ends is None and stake.measure(self._account.position(symbol)) is None:
            message = f"no price of {symbol} is known yet; feed market data before the order"
            return symbol, RiskViolation(message, reason=RejectionReason.RISK_PRICE_MISSING)
        max_age = self._max_age
        if max_age is None:
            return None
        marked_at = stake.marked_at
        at_mark = self._account.position(symbol) or stake.buys.at_mark or stake.sells.at_mark
        if not at_mark or now - marked_at <= max_age:  # without a mark, nothing is valued at it
            oldest = self._exposure.oldest()
            if oldest is None or now - oldest[1] <= max_age:
                return None
            symbol, marked_at = oldest
        age, limit = Decimal(now - marked_at) / NANOS_PER_SECOND, Decimal(max_age) / NANOS_PER_SECOND
        message = f"the price of {symbol} is {age} s old, {limit} s are allowed"
        return symbol, RiskViolation(message, age, limit, RejectionReason.RISK_PRICE_STALE)

    # -- the account -----------------------------------------------------------------------------------------------

    def watch(self, now: int, only: str | None = None) -> list[Trip]:
        """Ask every watcher, or `only` one, about the account; return what they want latched."""
        view, equity = self._view, self._account.equity
        self._judged = equity
        _set_equity(view, equity)
        if equity > view.peak_equity and not self.tells_fill(now):
            _set_peak(view, equity)
        trips: list[Trip] = []
        watchers = self._watchers if only is None else [one for one in self._watchers if one[0].name == only]
        for rule, watch in watchers:
            try:
                answer: object = watch(view, now)
                if answer is None:
                    continue
                violation = objection(answer)
            except Exception as error:  # noqa: BLE001 - as above
                violation = mistake(error)
            trips.append((rule.name, lasting(violation)))
        return trips

    def is_alarmed(self, now: int) -> bool:
        """Return whether a rule objects that watches nothing but itself."""
        for alarm in self._alarms:
            try:
                if alarm(self._view, now) is not None:
                    return True
            except Exception:  # noqa: BLE001 - as above; it is told when the rules are asked
                return True
        return False

    def hear(self, event: Event, order: Order | None) -> list[Trip]:
        """Tell the rules that asked for it what happened; return what went wrong there."""
        trips: list[Trip] = []
        for rule, hear in self.hearers:
            try:
                hear(event, order)
            except Exception as error:  # noqa: BLE001 - as above
                trips.append((rule.name, lasting(mistake(error))))
        return trips

    def headroom(self) -> list[Use]:
        """Return how much of their limits the rules have used at most: rule, what, used, limit."""
        return headroom_of(self.rules)[0]

    # -- the day ---------------------------------------------------------------------------------------------------

    def next_turn(self, after: int) -> int:
        """Return when the day turns next, in UNIX ns UTC."""
        return next_turn(after, self._config.day_boundary, self._config.day_zone)

    def last_turn(self, until: int) -> int:
        """Return when the day last turned by `until`, in UNIX ns UTC."""
        return last_turn(until, self._config.day_boundary, self._config.day_zone)

    def turn_day(self, *, judging: bool) -> None:
        """Begin a day at the present equity, or within a bar at that before it: nobody knows yet what its fills are."""
        _set_day_start(self._view, self._account.equity if judging else self._judged)

    def enabled(self, by: str, reason: str, released: Iterable[RiskViolation]) -> list[Trip]:
        """Tell the rules that an operator enabled trading; a drawdown so released is accepted, and measured no more.

        One that was latched for the day is the day's loss alone: the peak stays what it was.
        """
        accepted = {one.until for one in released if one.reason is RejectionReason.RISK_DRAWDOWN_LIMIT}
        if accepted:
            equity = self._account.equity
            self._measure_from(equity, equity if Latch.OPERATOR in accepted else self.peak)
        trips: list[Trip] = []
        for rule in self.rules:
            try:
                if rule.enabled is not None:
                    rule.enabled(self._view, by, reason)
            except Exception as error:  # noqa: BLE001 - as above
                trips.append((rule.name, lasting(mistake(error))))
        return trips

    def shift(self, amount: Decimal) -> None:
        """Take a deposit, withdrawal or fund flow out of what counts as profit or loss."""
        self._judged += amount
        self._measure_from(self.day_start + amount, self.peak + amount)

    # -- state -----------------------------------------------------------------------------------------------------

    def snapshot(self) -> RiskState:
        """Return the day and the states of the rules that have one."""
        kept = [(rule.name, save_state("rules", rule.name, rule.rule)) for rule in self.rules]
        return RiskState(
            self.day_start, self.peak, self._judged, {name: state for name, state in kept if state is not None}
        )

    def restore(self, state: RiskState) -> None:
        """Become what `state` says.

        :raises InvalidConfigError: when a rule of the state is not configured, or takes no state.
        """
        self._judged = state.judged
        self._measure_from(state.day_start, state.peak)
        rules = {rule.name: rule for rule in self.rules}
        for name, saved in state.rules.items():
            if name not in rules:
                raise InvalidConfigError("rules", name, "the checkpoint has a state of it; configure the rule again")
            load_state("rules", name, rules[name].rule, saved)


def _all_told(until: int) -> bool:  # noqa: ARG001 - as the wire's, which knows better
    return False


def _concerns(priceless: str, rule: OpenRule, order: Order) -> bool:
    """Return whether a rule cannot judge an order while one symbol has no price."""
    return rule.needs_all_prices or (rule.needs_price and priceless == order.symbol)


def lasting(violation: RiskViolation) -> RiskViolation:
    """Return a violation that no order can answer for with an action that lasts."""
    if violation.action is not RiskAction.REJECT:
        return violation
    return msgspec.structs.replace(violation, action=RiskAction.REDUCE_ONLY)
