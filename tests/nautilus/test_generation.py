"""Which NautilusTrader is there: none, 1.x, or one this release does not run with."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import seatrial_nautilus
from seatrial.errors import EngineNotInstalledError

if TYPE_CHECKING:
    from pathlib import Path


def test_without_nautilustrader_the_line_that_installs_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package imports; the first name that needs the engine says what to do."""
    monkeypatch.setitem(sys.modules, "nautilus_trader", None)

    with pytest.raises(EngineNotInstalledError, match=r"pip install 'seatrial\[nautilus\]'"):
        _ = seatrial_nautilus.attach


def test_a_nautilustrader_of_another_generation_is_refused_by_name(tmp_path: Path) -> None:
    """2.0 is told by a module that 1.x has not; the error names the version that runs."""
    folder = tmp_path / "nautilus_trader" / "live"
    folder.mkdir(parents=True)
    for path in (folder.parent / "__init__.py", folder / "__init__.py", folder / "clients.py"):
        path.touch()
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import seatrial_nautilus; seatrial_nautilus.attach"

    result = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)

    assert "InvalidConfigError" in result.stderr
    assert "nautilus_trader>=1.221,<2" in result.stderr


def test_importing_the_adapter_imports_no_engine() -> None:
    """`import seatrial_nautilus` is as cheap as any module of ours."""
    program = "import sys, seatrial_nautilus; sys.exit('nautilus_trader' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """A misspelled name is no reason to load an engine."""
    with pytest.raises(AttributeError):
        _ = seatrial_nautilus.attached  # pyright: ignore[reportAttributeAccessIssue]
