"""How a case is put to one engine: which scenarios it runs, or which capabilities it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from seatrial.contracts.engine import Capability
from seatrial.contracts.market import Quote, Trade
from seatrial.contracts.risk import RuleObject
from seatrial.contracts.venue import AccountType
from seatrial.testing.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Collection

    from seatrial.contracts.scenario import Scenario
    from seatrial.testing.case import Case

__all__ = ["missing", "rendered"]

_DATA = (Capability.QUOTES, Capability.TRADES)
_ACCOUNTS = (Capability.CASH_ACCOUNT, Capability.MARGIN_ACCOUNT)


def missing(case: Case, claims: Collection[Capability]) -> tuple[str, ...]:
    """Return what an engine would have to claim to be tried by a case, and does not."""
    needs = [need.value for need in case.needs if need not in claims and need is not case.expected.takes]
    for asked, choices in ((case.ticks, _DATA), (case.any_account, _ACCOUNTS)):
        if asked and not any(choice in claims for choice in choices):
            needs.append(" or ".join(choices))
    return tuple(needs)


def rendered(case: Case, scenario: Scenario, claims: Collection[Capability]) -> dict[str, Scenario]:
    """Return a case's scenario as an engine is to run it, by a word for the data it runs on."""
    scenario = _with_rules(scenario)
    if case.any_account and Capability.CASH_ACCOUNT not in claims and Capability.MARGIN_ACCOUNT in claims:
        venue = replace(scenario.execution.venue, account_type=AccountType.MARGIN)
        scenario = replace(scenario, execution=replace(scenario.execution, venue=venue))
    if not case.ticks:
        return {"": scenario}
    found = {"as quotes": scenario} if Capability.QUOTES in claims or Capability.TRADES not in claims else {}
    return {**found, "as trades": _as_trades(scenario)} if Capability.TRADES in claims else found


def _as_trades(scenario: Scenario) -> Scenario:
    rows = tuple([Trade(row.ts, row.symbol, row.bid) if isinstance(row, Quote) else row for row in scenario.tape.rows])
    return replace(scenario, tape=replace(scenario.tape, rows=rows))


def _with_rules(scenario: Scenario) -> Scenario:
    """Hand over the kit's own rules where a scenario names one as an object."""
    risk = scenario.execution.risk
    if risk is None or not any(isinstance(rule, RuleObject) for rule in risk.rules):
        return scenario
    rules = tuple([RULES[rule.name]() if isinstance(rule, RuleObject) else rule for rule in risk.rules])
    return replace(scenario, execution=replace(scenario.execution, risk=replace(risk, rules=rules)))
