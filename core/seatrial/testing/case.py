"""The contract as cases: a scenario, what has to come of it, and why, each a JSON file that any language can read."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from importlib.resources import files
from inspect import cleandoc
from typing import Any

import msgspec

from seatrial.contracts.engine import Capability, EquityPoint
from seatrial.contracts.scenario import Scenario

__all__ = ["CONTRACT", "FAMILIES", "Case", "Expected", "Property", "Tampering", "Twin", "all_cases", "schema"]

CONTRACT = "1.0"
"""The version of the contract: a new case comes only with a new minor one, a changed case only with a new major one."""

FAMILIES = {
    "LIF": "the life of an order",
    "LAT": "latency",
    "FIL": "partial fills, sides and prices",
    "GRP": "brackets and OCO",
    "RSK": "risk",
    "CKP": "checkpoints",
    "DET": "determinism",
    "ACC": "accounting",
    "BAD": "bad input",
    "CAP": "capabilities: what is claimed is taken, what is not claimed is refused",
}
"""The first letters of a case's id, and what its family is about."""


class Property(StrEnum):
    """What has to hold of a run as a whole."""

    LEDGER = "ledger"
    """Cash and positions are what the account began with and its executions."""
    REPLAY = "replay"
    """Each order is what its terms and its events in the log make of it."""
    CLOCK = "clock"
    """Nothing is known before it happens, what is told is told in order, and no execution is told twice."""
    EXACT = "exact"
    """The record comes back from JSON as it was, without a float anywhere."""
    REPEATABLE = "repeatable"
    """The same engine and a new one give the same record again, to the byte."""
    RESUMABLE = "resumable"
    """From each checkpoint the run goes on to the same events, orders and account."""
    INTERRUPTIBLE = "interruptible"
    """Stopped after any row, the run goes on to the same events, orders and account."""
    STOCK = "stock"
    """Its executions are those of the engine beneath, run without seatrial; an engine that adapts none is not tried."""
    CLAIMS = "claims"
    """The record names its engine and exactly the capabilities it claims."""


class Tampering(StrEnum):
    """What is done to the last checkpoint of a run; to go on from it must then be refused."""

    TORN = "torn"
    """Its second half is lost."""
    CHANGED = "changed"
    """One digit within it is another."""
    NEWER = "newer"
    """It says that it has a format of the future."""
    GONE = "gone"
    """It is not there."""
    RESEEDED = "reseeded"
    """It is whole, but the run that goes on from it has another seed."""


class Twin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A second scenario: `same` and `different` name parts of both records that have to be equal, or not.

    The parts are `events`, `executions`, `orders` and `account`. `orders_of` looks at the orders of one strategy alone.
    """

    scenario: Scenario
    same: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    orders_of: str | None = None


class Expected(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What has to come of a run; only what is given is compared.

    `events` is the whole log and `executions` all fills, in order; `histories` are the events of single orders.
    Triggers may be told or not, and are left out. Of an event, an order or the account only the named fields count;
    numbers are equal if their values are. An order's fields are those of its JSON, and `avg_fill_price`. `equity` are
    points that the curve has. `refused` says that the engine refuses the whole scenario, by a SeatrialError.
    """

    events: tuple[dict[str, Any], ...] | None = None
    histories: dict[str, tuple[dict[str, Any], ...]] = {}
    executions: tuple[dict[str, Any], ...] | None = None
    orders: dict[str, dict[str, Any]] = {}
    account: dict[str, Any] | None = None
    equity: tuple[EquityPoint, ...] = ()
    max_drawdown_pct: str | None = None
    refused: bool = False
    holds: tuple[Property, ...] = ()
    twin: Twin | None = None
    tampering: Tampering | None = None
    takes: Capability | None = None
    """An engine that claims it runs the scenario and takes every order; another one refuses."""


class Case(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One case of the contract.

    `because` derives what is expected from the rules. `needs` is what an engine has to claim to be tried. Of a case on
    `ticks` the quotes have one price for both sides: an engine is tried with them as quotes, and as trades of unknown
    size, whichever it claims. `any_account` takes a cash or a margin account alike.
    """

    case: str
    since: str = "1.0"
    statement: str
    because: str
    needs: tuple[Capability, ...]
    ticks: bool = False
    any_account: bool = False
    scenario: Scenario
    expected: Expected

    @property
    def family(self) -> str:
        """The family's letters."""
        return self.case.partition("-")[0]


@cache
def all_cases() -> tuple[Case, ...]:
    """Return all cases, family by family."""
    folder = files("seatrial") / "testing" / "case_files"
    found = [
        msgspec.json.decode(path.read_bytes(), type=Case)
        for path in folder.iterdir()
        if path.name.endswith(".json") and path.name != "schema.json"
    ]
    order = list(FAMILIES)
    return tuple(sorted(found, key=lambda case: (order.index(case.family), case.case)))


def schema() -> bytes:
    """Return the JSON schema of a case, as `case_files/schema.json` holds it."""
    described = msgspec.json.schema(Case)
    for definition in described["$defs"].values():
        if "description" in definition:  # some versions of msgspec leave it indented
            definition["description"] = cleandoc(definition["description"])
    return msgspec.json.format(msgspec.json.encode(described, order="deterministic"), indent=1) + b"\n"
