"""`import seatrial` is light: it brings in no engine and no library that only some users need."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("backtrader", "nautilus_trader", "numpy", "pandas", "pyarrow", "rich")


def heavy_modules_after(statement: str) -> set[str]:
    """Return which heavy packages a new interpreter has loaded after running `statement`."""
    program = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    result = subprocess.run([sys.executable, "-I", "-c", program], check=True, capture_output=True, text=True)
    loaded = set(result.stdout.split())
    return {name for name in HEAVY if name in loaded}


def test_import_loads_nothing_heavy() -> None:
    """A new interpreter that imports seatrial has loaded none of the heavy packages."""
    assert heavy_modules_after("import seatrial") == set()


def test_checker_notices_a_heavy_import() -> None:
    """A program that does load a heavy package is caught."""
    assert heavy_modules_after("import seatrial, rich.console") == {"rich"}
