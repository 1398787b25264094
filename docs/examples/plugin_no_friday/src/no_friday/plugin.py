"""What this distribution offers to seatrial."""

from collections.abc import Iterable

from no_friday.latency import Retrying
from no_friday.observer import EventLog
from no_friday.rule import NoFriday
from seatrial.contracts.plugin import LatencyModelSpec, ObserverSpec, RiskRuleSpec
from seatrial.hookspecs import hookimpl


@hookimpl
def seatrial_risk_rules() -> Iterable[RiskRuleSpec]:
    """Offer the rule."""
    return [RiskRuleSpec(name="no_friday", build=NoFriday, summary="no opening orders on Fridays")]


@hookimpl
def seatrial_latency_models() -> Iterable[LatencyModelSpec]:
    """Offer the latency model."""
    return [LatencyModelSpec(name="retrying", build=Retrying, summary="a link that loses messages")]


@hookimpl
def seatrial_observers() -> Iterable[ObserverSpec]:
    """Offer the observer."""
    return [ObserverSpec(name="event_log", build=EventLog, summary="every event, to the log `no_friday`")]
