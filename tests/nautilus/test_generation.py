"""Which NautilusTrader is there: none, 1.x, or one this release does not run with."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

import seatrial_nautilus
from seatrial.errors import EngineNotInstalledError, InvalidConfigError

if TYPE_CHECKING:
    from pathlib import Path


def test_without_nautilustrader_the_line_that_installs_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package imports; the first name that needs the engine says what to do."""
    monkeypatch.setitem(sys.modules, "nautilus_trader", None)

    with pytest.raises(EngineNotInstalledError, match=r"pip install 'seatrial\[nautilus\]'"):
        _ = seatrial_nautilus.attach


def test_a_backtest_on_2_is_refused_by_name(tmp_path: Path) -> None:
    """2.0 is told by a module that 1.x has not; the error says why, and names the version that runs."""
    folder = tmp_path / "nautilus_trader" / "live"
    folder.mkdir(parents=True)
    for path in (folder.parent / "__init__.py", folder / "__init__.py", folder / "clients.py"):
        path.touch()
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import seatrial_nautilus; seatrial_nautilus.attach"

    result = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)

    assert "InvalidConfigError" in result.stderr
    assert "attach needs NautilusTrader 1.x: 2.0's backtest takes no execution client" in result.stderr
    assert "nautilus_trader>=1.221,<2" in result.stderr


@pytest.mark.skipif(find_spec("nautilus_trader.live.clients") is not None, reason="NautilusTrader 2.0 is installed")
def test_a_name_of_2_is_refused_on_1() -> None:
    """What 2.0 alone needs says so on 1.x."""
    with pytest.raises(InvalidConfigError, match=r"SeatrialFeed is for NautilusTrader 2\.0"):
        _ = seatrial_nautilus.SeatrialFeed


def test_importing_the_adapter_imports_no_engine() -> None:
    """`import seatrial_nautilus` is as cheap as any module of ours."""
    program = "import sys, seatrial_nautilus; sys.exit('nautilus_trader' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """A misspelled name is no reason to load an engine."""
    with pytest.raises(AttributeError):
        _ = seatrial_nautilus.attached  # pyright: ignore[reportAttributeAccessIssue]
