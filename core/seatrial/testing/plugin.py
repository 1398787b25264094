"""A pytest plugin that adds the report; the suite works without it. Opt in with `-p seatrial.testing.plugin`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace

from seatrial.testing.report import as_html, as_json, as_lines, report_on
from seatrial.testing.trial import Outcome, Status

if TYPE_CHECKING:
    from seatrial.testing.report import EngineReport

__all__ = ["pytest_addoption", "pytest_configure"]

_OUTCOME = "seatrial_outcome"  # as the suite has it; to import that here would be before its assertions are rewritten
_NAME = "seatrial-report"


class _Told(msgspec.Struct, frozen=True):
    """What the suite tells of one case."""

    suite: str
    claims: tuple[str, ...]
    link: str | None
    outcome: Outcome


class _Reporter:
    """Collects what suites tell, and reports it at the end."""

    def __init__(self) -> None:
        self._suites: dict[str, dict[str, _Told]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a case that was tried."""
        if report.when != "call":
            return
        for name, value in report.user_properties:
            if name == _OUTCOME:
                told = msgspec.json.decode(str(value), type=_Told)
                outcome = replace(told.outcome, **_seen(report, told))
                self._suites.setdefault(told.suite, {})[outcome.case] = replace(told, outcome=outcome)

    def reports(self) -> list[EngineReport]:
        """Return a report on each suite, in the order in which they ran."""
        found: list[EngineReport] = []
        for suite, told in self._suites.items():
            links = {case: one.link for case, one in told.items() if one.link is not None}
            claims = {claim for one in told.values() for claim in one.claims}
            found.append(report_on(suite, [one.outcome for one in told.values()], claims, links))
        return found

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Show each report, and write the files that were asked for."""
        found = self.reports()
        if not found:
            return
        terminalreporter.section("seatrial conformance")
        for report in found:
            for line in as_lines(report):
                terminalreporter.line(line)
        for option, content in (("report", as_json(found)), ("html", as_html(found).encode())):
            path = config.getoption(f"seatrial_{option}")
            if isinstance(path, Path):
                path.write_bytes(content)


def _seen(report: pytest.TestReport, told: _Told) -> dict[str, object]:
    """Return how pytest saw a case, where that differs from what the trial found."""
    if told.link is None or told.outcome.status is Status.NOT_CLAIMED:
        return {}
    if report.failed:  # strict: it was expected to fail, and passed
        return {"status": Status.FAILED, "problems": (f"it passes; take it out of known_failures ({told.link})",)}
    return {"status": Status.KNOWN_FAILURE}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that name files to write."""
    group = parser.getgroup("seatrial", "seatrial conformance")
    group.addoption("--seatrial-report", type=Path, metavar="FILE", help="write the conformance report as JSON")
    group.addoption("--seatrial-html", type=Path, metavar="FILE", help="write the conformance report as one HTML page")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to collect."""
    config.pluginmanager.register(_Reporter(), _NAME)
