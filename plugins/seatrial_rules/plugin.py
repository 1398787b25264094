"""Offers the built-in rules."""

from __future__ import annotations

from seatrial.contracts.plugin import RiskRuleSpec
from seatrial.hookspecs import hookimpl
from seatrial_rules.limits import ExposureLimit, PositionLimit
from seatrial_rules.losses import DrawdownLimit
from seatrial_rules.switch import KillSwitch

__all__ = ["seatrial_risk_rules"]

_RULES = (
    RiskRuleSpec(name="position_limit", build=PositionLimit, summary="units and value of one symbol, worst case"),
    RiskRuleSpec(name="exposure_limit", build=ExposureLimit, summary="gross and net value in % of equity, worst case"),
    RiskRuleSpec(name="drawdown_limit", build=DrawdownLimit, summary="loss of the day and from the peak in %, latched"),
    RiskRuleSpec(name="kill_switch", build=KillSwitch, summary="halts all but cancels until an operator enables"),
)


@hookimpl
def seatrial_risk_rules() -> tuple[RiskRuleSpec, ...]:
    """Return the rules by name."""
    return _RULES
