"""The suite an engine's author inherits: pytest runs every case of the contract against the engine.

A case that needs what is not claimed is skipped; that it is refused is a case of its own. A known failure must fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import pytest

from seatrial.contracts.engine import Capability
from seatrial.errors import InvalidConfigError
from seatrial.testing.case import all_cases
from seatrial.testing.trial import Status, try_case

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seatrial.contracts.engine import Engine
    from seatrial.testing.case import Case

__all__ = ["OUTCOME", "EngineSuite"]

OUTCOME = "seatrial_outcome"
"""The test property under which a case's outcome travels to the report."""


class EngineSuite:
    """Inherit it under a name that begins with Test, say what is claimed, build an engine; pytest does the rest.

    `known_failures` maps a case's id to a link: where the failure is followed up. Such a case is expected to fail, and
    an error once it passes.
    """

    capabilities: ClassVar[frozenset[Capability]]
    known_failures: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse known failures that name no case, and claims that are no capabilities.

        :raises InvalidConfigError: naming them.
        """
        super().__init_subclass__(**kwargs)
        strange = sorted(set(cls.known_failures) - {case.case for case in all_cases()})
        if strange:
            raise InvalidConfigError("known_failures", ", ".join(strange), f"{cls.__name__} names no such case")
        if "make_engine" in vars(cls) and not hasattr(cls, "capabilities"):
            raise InvalidConfigError("capabilities", None, f"{cls.__name__} builds an engine; say what it claims")
        claims = getattr(cls, "capabilities", frozenset[Capability]())
        wrong = [claim for claim in claims if not isinstance(claim, Capability)]  # pyright: ignore[reportUnnecessaryIsInstance] - authors may write anything
        if wrong:
            raise InvalidConfigError("capabilities", wrong[0], f"{cls.__name__} claims what is no Capability")

    def make_engine(self) -> Engine:
        """Return a new engine.

        :raises NotImplementedError: until an author overrides it.
        """
        raise NotImplementedError(f"{type(self).__name__} has to override make_engine")

    @pytest.mark.parametrize("case", all_cases(), ids=[case.case for case in all_cases()])
    def test_case(self, case: Case, request: pytest.FixtureRequest, tmp_path: Path) -> None:
        """The engine does what the case states."""
        __tracebackhide__ = True
        link = self.known_failures.get(case.case)
        if link is not None:
            request.applymarker(pytest.mark.xfail(reason=link, strict=True))
        outcome = try_case(case, self.make_engine, self.capabilities, tmp_path)
        told = {"suite": type(self).__name__, "claims": sorted(self.capabilities), "link": link, "outcome": outcome}
        request.node.user_properties.append((OUTCOME, msgspec.json.encode(told).decode()))
        if outcome.status is Status.NOT_CLAIMED:
            pytest.skip(f"not claimed: {', '.join(outcome.missing)}")
        problems = outcome.problems
        assert not problems, "\n".join((f"{case.case}: {case.statement}", case.because, *problems))  # noqa: S101 - pytest's own way to fail
