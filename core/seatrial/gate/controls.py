"""The trading state of a gate: what an operator set, and what rules have latched; the stricter holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from seatrial.contracts._expect import check_text
from seatrial.contracts.rejection import Rejection, RejectionReason
from seatrial.contracts.risk import Latch, RiskAction, RiskViolation
from seatrial.contracts.terms import TradingState
from seatrial.errors import InvalidConfigError
from seatrial.gate.validator import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HALTING", "SWEEPING", "Controls", "ControlsState", "check_operator"]

_ACTIVE = TradingState.ACTIVE
_REDUCE_ONLY = TradingState.REDUCE_ONLY
_HALTED = TradingState.HALTED
_LADDER = list(RiskAction)
HALTING = frozenset({RiskAction.HALT, RiskAction.FLATTEN})
"""The actions after which nothing leaves but cancels."""
SWEEPING = frozenset({RiskAction.CANCEL_ALL, RiskAction.HALT, RiskAction.FLATTEN})
"""The actions that cancel what works."""


class ControlsState(msgspec.Struct, frozen=True):
    """What an operator set and what rules latched, as stored."""

    operator: TradingState
    latches: dict[str, RiskViolation]


class Controls:
    """What a gate lets out at present, and who decided so."""

    __slots__ = ("flattens", "latches", "operator", "state")

    def __init__(self) -> None:
        """Let everything out."""
        self.state = _ACTIVE
        """The stricter of the operator's word and the latches."""
        self.operator = _ACTIVE
        self.flattens = False
        """Whether positions are to be closed."""
        self.latches: dict[str, RiskViolation] = {}
        """What rules have latched, by rule."""

    def switch(self, state: TradingState) -> None:
        """Take an operator's word; to enable trading releases every latch."""
        self.operator = state
        if state is _ACTIVE:
            self.latches.clear()
        self._settle()

    def latch(self, rule: str, violation: RiskViolation) -> bool:
        """Latch a rule's action; return whether it is new, or harder or longer than what the rule had latched."""
        held = self.latches.get(rule)
        if held is not None:
            harder = _LADDER.index(violation.action) - _LADDER.index(held.action)
            if harder < 0 or (harder == 0 and (held.until is violation.until or held.until is Latch.OPERATOR)):
                return False
            if held.until is Latch.OPERATOR:  # what an operator has to release, no midnight does
                violation = msgspec.structs.replace(violation, until=Latch.OPERATOR)
        self.latches[rule] = violation
        self._settle()
        return True

    def turn_day(self) -> tuple[str, ...]:
        """Release what was latched for the day; return whose latches those were."""
        if not self.latches:
            return ()
        over = tuple([rule for rule, violation in self.latches.items() if violation.until is Latch.DAY])
        for rule in over:
            del self.latches[rule]
        self._settle()
        return over

    def refusal(self) -> Rejection:
        """Say why an order may not leave in the present state, which is not ACTIVE, and which rule's doing that is."""
        latched: Mapping[str, RiskViolation] = self.latches
        if self.operator is not self.state:
            for rule, violation in latched.items():
                if self.state is not _HALTED or violation.action in HALTING:
                    message = f"{self.state}: {violation.message}"
                    return refusal(violation.reason, message, rule=rule, value=violation.value, limit=violation.limit)
        if self.state is _HALTED:
            message = "trading is halted; enable_trading(by, reason) lets orders out again"
            return refusal(RejectionReason.RISK_TRADING_DISABLED, message, rule="kill_switch")
        message = "only orders that provably reduce a position may leave; enable_trading(by, reason) lets all out again"
        return refusal(RejectionReason.RISK_REDUCE_ONLY, message)

    def snapshot(self) -> ControlsState:
        """Return who decided what."""
        return ControlsState(self.operator, dict(self.latches))

    def restore(self, state: ControlsState) -> None:
        """Become what `state` says."""
        self.operator = state.operator
        self.latches = dict(state.latches)
        self._settle()

    def _settle(self) -> None:
        actions = [violation.action for violation in self.latches.values()]
        self.flattens = RiskAction.FLATTEN in actions
        if self.operator is _HALTED or any(action in HALTING for action in actions):
            self.state = _HALTED
        else:
            self.state = _REDUCE_ONLY if actions else self.operator


def check_operator(by: object, reason: object) -> None:
    """Refuse to switch trading for nobody or for no reason.

    :raises InvalidConfigError: when either is missing, or is text that UTF-8 cannot hold.
    """
    for setting, value in (("by", by), ("reason", reason)):
        if not isinstance(value, str) or not value.strip():
            raise InvalidConfigError(setting, value, "say who switches trading, and why")
        check_text(setting, value)
