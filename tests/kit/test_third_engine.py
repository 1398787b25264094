"""The engine of docs/examples/engine_basana: its report is what the tutorial publishes, in as few lines as it says."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

from seatrial.testing import all_cases

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLE = DOCS / "examples" / "engine_basana"


def code_lines(source: str) -> int:
    """Return how many lines are neither blank, nor a comment, a docstring or an import."""
    skipped: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        part: ast.stmt | None = node if isinstance(node, ast.Import | ast.ImportFrom) else None
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            part = node.body[0] if ast.get_docstring(node) else None
        if part is not None:
            skipped |= set(range(part.lineno, (part.end_lineno or part.lineno) + 1))
    lines = enumerate(source.splitlines(), 1)
    return sum(1 for number, line in lines if line.strip() and line.strip()[0] != "#" and number not in skipped)


def test_report_is_the_published_one(tmp_path: Path) -> None:
    """Put to every case, it passes what it claims; the summary and what is not claimed stand in the tutorial."""
    for path in EXAMPLE.glob("*.py"):
        shutil.copy(path, tmp_path)
    options = ["-q", "-p", "no:cacheprovider", "-p", "seatrial.testing.plugin", "--seatrial-report=report.json"]

    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=tmp_path, check=False, capture_output=True, text=True
    )

    assert result.returncode == 0, result.stdout
    report = msgspec.json.decode((tmp_path / "report.json").read_bytes())
    [engine] = report["engines"]
    assert report["complete"] is True
    assert len(engine["cases"]) == len(all_cases())
    assert f"\n{engine['summary']}\n" in (DOCS / "tutorial_engine.md").read_text("utf-8")


def test_engine_is_short() -> None:
    """Fewer than 150 lines of code, as the tutorial says."""
    assert 100 < code_lines((EXAMPLE / "basana_engine.py").read_text("utf-8")) < 150


def test_counter_counts_code() -> None:
    """Blank lines, comments, docstrings and imports are none."""
    assert code_lines('"""Doc."""\nimport os\n\n# why\nx = 1\n\n\ndef f():\n    """Doc."""\n    return x\n') == 3
