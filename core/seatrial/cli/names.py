"""Names in a session file that plugins must know: engines, rules, latency and fee models, observers.

What is named is built once to see that it takes its parameters, so that a run does not stop on its first order.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from seatrial.cli.problems import SessionError, closest
from seatrial.contracts.latency import Leg, Named
from seatrial.contracts.risk import NamedRule
from seatrial.contracts.venue import NamedFees
from seatrial.errors import PluginError, UnknownPluginNameError

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.contracts.engine import Engine
    from seatrial.contracts.scenario import Scenario
    from seatrial.plugins import Plugins

__all__ = ["check_names", "find_engine"]


def check_names(scenario: Scenario, file: str, plugins: Plugins) -> None:
    """Refuse a scenario that names what nobody offers, or gives it parameters it does not take.

    :raises SessionError: naming the key, and what is on offer.
    """
    execution = scenario.execution
    rules: tuple[object, ...] = () if execution.risk is None else execution.risk.rules
    for number, rule in enumerate(rules, start=1):
        if isinstance(rule, NamedRule):
            _build(file, f"risk.rules #{number}", partial(plugins.risk_rule, rule.name, rule.params))
    for leg in Leg:
        model = getattr(execution.latency, leg)
        if isinstance(model, Named):
            _build(file, f"latency.{leg}", partial(plugins.latency_model, model.name, model.params))
    fees = execution.venue.fees
    if isinstance(fees, NamedFees):
        _build(file, "costs.model", partial(plugins.fee_model, fees.name, fees.params))
    for name in execution.observers:
        if name not in plugins.observers():
            _build(file, "session.observers", partial(plugins.observer, name))


def find_engine(name: str, file: str, plugins: Plugins) -> Engine:
    """Return an engine, loaded; `file` is the session file that names it, empty for the command line.

    :raises SessionError: when nobody offers it.
    :raises SeatrialError: when it is not installed, with the line that installs it.
    """
    try:
        return plugins.engine(name)
    except UnknownPluginNameError as error:
        key = "session.engine" if file else "--engine"
        raise SessionError(file, key, f"{error}{_hint(error)}") from None


def _build(file: str, key: str, build: Callable[[], object]) -> None:
    try:
        build()
    except UnknownPluginNameError as error:
        raise SessionError(file, key, f"{error}{_hint(error)}") from None
    except PluginError as error:
        raise SessionError(file, key, str(error)) from error


def _hint(error: UnknownPluginNameError) -> str:
    return closest(error.name, error.known) or "; install what offers it, `seatrial plugins` lists what is installed"
