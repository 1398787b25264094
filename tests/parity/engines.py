"""The engines that are compared with the native one: a line each."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import msgspec
from tests.parity.backtrader_rules import BACKTRADER_RULES
from tests.parity.nautilus_rules import NAUTILUS_RULES
from tests.parity.rules import Rule, Semantic, Setting

from seatrial.errors import EngineNotInstalledError
from seatrial.plugins import installed_plugins

if TYPE_CHECKING:
    from seatrial.contracts.engine import Engine

__all__ = ["ENGINES", "ParityEngine", "missing"]


class ParityEngine(msgspec.Struct, frozen=True):
    """An engine by the name of its plugin, the name it is called by here, and the rules by which it may differ."""

    name: str
    title: str
    rules: tuple[Rule, ...]

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The rules that the native venue can follow, in the order in which they are taken."""
        return tuple([rule for rule in self.rules if isinstance(rule, Setting)])

    @property
    def semantics(self) -> tuple[Semantic, ...]:
        """The others, the narrowest first."""
        return tuple([rule for rule in self.rules if isinstance(rule, Semantic)])

    def load(self) -> Engine:
        """Return the engine.

        :raises SeatrialError: where it is not installed.
        """
        return installed_plugins().engine(self.name)


ENGINES = (
    ParityEngine("backtrader", "Backtrader", BACKTRADER_RULES),
    ParityEngine("nautilus", "NautilusTrader", NAUTILUS_RULES),
)


@cache
def missing() -> tuple[ParityEngine, ...]:
    """Return the engines that are not installed here."""
    return tuple([engine for engine in ENGINES if not _is_installed(engine)])


def _is_installed(engine: ParityEngine) -> bool:
    try:
        engine.load()
    except EngineNotInstalledError:
        return False
    return True
