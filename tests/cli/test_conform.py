"""`seatrial conform`: an installed engine is put to every case, and the report is the same as pytest's."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec.structs import replace

from seatrial import EngineSpec
from seatrial.engine.claims import NATIVE
from seatrial.engine.native import NativeEngine
from seatrial.hookspecs import hookimpl
from seatrial.plugins import Plugins
from seatrial.testing import all_cases

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from seatrial import RunRecord, Scenario


class Unlucky(NativeEngine):
    """Forgets fees."""

    def run(self, scenario: Scenario, **settings: Any) -> RunRecord:
        record = super().run(scenario, **settings)
        return replace(record, account=replace(record.account, equity=record.account.equity + 1))


class Fleet:
    """Offers it."""

    @hookimpl
    def seatrial_engines(self) -> tuple[EngineSpec, ...]:
        claims = frozenset(NATIVE.capabilities)
        return (EngineSpec(name="unlucky", version="1", capabilities=claims, load=Unlucky),)


@pytest.fixture(name="unlucky")
def _unlucky(monkeypatch: pytest.MonkeyPatch) -> None:
    plugins = Plugins()
    plugins.register(Fleet(), "fleet")
    monkeypatch.setattr(import_module("seatrial.cli.conform"), "installed_plugins", lambda: plugins)


def test_native_engine_conforms(here: Path, seatrial: Callable[..., Result]) -> None:
    """It passes every case, and both files are written."""
    result = seatrial("conform", "native", "--report", "report.json", "--html", "report.html")

    assert result.exit_code == 0
    first, second = result.stdout.splitlines()
    assert first == f"seatrial 1.0 | native {NATIVE.version} | {len(all_cases()) - 1} passed, 1 not claimed"
    assert second == "not claimed: an engine beneath (1 case)"
    report = msgspec.json.decode((here / "report.json").read_bytes())
    assert list(report)[-1] == "complete"
    assert report["complete"] is True
    assert "<h1>Conformance report</h1>" in (here / "report.html").read_text("utf-8")


@pytest.mark.usefixtures("unlucky", "here")
def test_failed_case_is_told_and_gives_another_exit_code(seatrial: Callable[..., Result]) -> None:
    """Each with its statement and the difference, as text and as JSON."""
    result = seatrial("conform", "unlucky")
    as_json = seatrial("conform", "unlucky", "--json")

    assert (result.exit_code, as_json.exit_code) == (1, 1)
    assert "\nACC-15 failed: A position is valued at the middle of the quote.\n" in result.stdout
    assert "\n  account: equity: expected 100003, got 100004.00\n" in result.stdout
    [engine] = msgspec.json.decode(as_json.stdout)["engines"]
    assert engine["counts"]["failed"] > 0


@pytest.mark.usefixtures("here")
def test_unknown_engine_is_a_mistake(seatrial: Callable[..., Result]) -> None:
    """It names what is on offer."""
    result = seatrial("conform", "nativ")

    assert result.exit_code == 2
    assert "native" in result.stderr
