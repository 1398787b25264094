"""Small engines: sound ones, and many with one flaw each. `CAUGHT` says which cases catch which flaw.

A flaw's name is its class; what it does wrong stands in its docstring. The sets are exact: a case that stops failing an
engine here, or begins to, has changed what it asks for.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, ClassVar

from tests.kit.caught import CAUGHT
from tests.kit.native_flaws import NATIVE_FLAWS, Native
from tests.kit.small import Small
from tests.kit.small_flaws import SMALL_FLAWS

from seatrial.contracts.engine import Capability as Cap
from seatrial.testing import Status, all_cases, try_case

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CASES", "FLAWS", "SOUND", "Modest", "caught_by", "outcomes", "table_problems"]

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made there: checkpoints are synced to disk; where there is a disk of memory, that costs nothing


class Modest(Small):
    """A sound engine that does little: market orders on quotes, at once."""

    claims: ClassVar[frozenset[Cap]] = frozenset({Cap.QUOTES, Cap.CASH_ACCOUNT, Cap.MARKET, Cap.GTC, Cap.SCRIPTS})


Engine = type[Small] | type[Native]
SOUND: tuple[Engine, ...] = (Native, Small, Modest)
FLAWS: dict[str, Engine] = {
    **{kind.__name__: kind for kind in SMALL_FLAWS},
    **{kind.__name__: kind for kind in NATIVE_FLAWS},
}
CASES = frozenset(case.case for case in all_cases())


def outcomes(engine: Engine) -> dict[str, Status]:
    """Put an engine to every case; return what became of each."""
    with TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        return {
            case.case: try_case(case, engine, engine.claims, Path(folder) / case.case).status for case in all_cases()
        }


def caught_by(flaw: str) -> frozenset[str]:
    """Return the cases that the table says catch a flaw: `LAT 01 05; BAD 18`, or `but` those that do not."""
    text = CAUGHT[flaw]
    found = {
        f"{family}-{number}"
        for part in text.removeprefix("but ").split(";")
        for family, *numbers in [part.split()]
        for number in numbers
    }
    return CASES - found if text.startswith("but ") else frozenset(found)


def table_problems(found: Mapping[str, frozenset[str]]) -> list[str]:
    """Return a line for each flaw that other cases catch than the table says, and for each case that catches none."""
    lines = [
        f"{flaw}: {', '.join(sorted(caught_by(flaw) ^ cases))} differ"
        for flaw, cases in found.items()
        if caught_by(flaw) != cases
    ]
    idle = CASES - frozenset[str]().union(*found.values())
    return [*lines, *[f"{case} catches nothing" for case in sorted(idle)]]
