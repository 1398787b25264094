"""The conformance kit: the contract as cases, and what puts an engine to them.

`EngineSuite` needs pytest (`pip install "seatrial[testing]"`); the cases and `seatrial conform` do without.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from seatrial.errors import PytestMissingError
from seatrial.testing.case import Case, all_cases
from seatrial.testing.trial import Outcome, Status, try_case

if TYPE_CHECKING:
    from seatrial.testing.suite import EngineSuite

__all__ = ["Case", "EngineSuite", "Outcome", "Status", "all_cases", "try_case"]

_SUITE = "seatrial.testing.suite"


def __getattr__(name: str) -> Any:
    """Import the suite when it is first asked for, once pytest has been told to rewrite its assertions."""
    if name != "EngineSuite":
        missing = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(missing)
    if _SUITE not in sys.modules:
        try:
            pytest = import_module("pytest")
        except ImportError as error:
            raise PytestMissingError from error
        pytest.register_assert_rewrite(_SUITE)
    return import_module(_SUITE).EngineSuite
