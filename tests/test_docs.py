"""The examples in docstrings, pages and scripts do what they show."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
SOURCE_ROOT = PROJECT / "core"
MODULES = [
    ".".join(path.relative_to(SOURCE_ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted(SOURCE_ROOT.rglob("*.py"))
    if path.name != "__main__.py"
]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("**/*.md"))]
EXAMPLES = sorted((PROJECT / "docs" / "examples").glob("*.py"))
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def page_failures(text: str, name: str) -> list[str]:
    """Run a page's Python blocks, in order and in one namespace; return a line for each failure.

    A block with a prompt is compared with the output it shows; any other block only has to run.
    """
    namespace: dict[str, object] = {"__name__": "__page__"}
    failures: list[str] = []
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start(1))
        where = f"{name}:{line + 1}"
        if ">>> " in match[1]:
            test = doctest.DocTestParser().get_doctest(match[1], namespace, where, name, line)
            runner = doctest.DocTestRunner(verbose=False)
            report: list[str] = []
            runner.run(test, out=report.append, clear_globs=False)
            namespace.update(test.globs)
            failures += report
        else:
            try:
                exec(compile("\n" * line + match[1], name, "exec"), namespace)  # noqa: S102 our own pages
            except Exception as error:  # noqa: BLE001 whatever a reader would meet
                failures.append(f"{where}: {error!r}")
    return failures


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_hold(name: str) -> None:
    """Each example in a module's docstrings prints what the docstring shows."""
    report: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    for test in doctest.DocTestFinder().find(importlib.import_module(name), name):
        runner.run(test, out=report.append)

    assert report == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_page_examples_hold(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each Python block of a page runs, from an empty folder, and prints what the page shows."""
    monkeypatch.chdir(tmp_path)

    assert page_failures(page.read_text("utf-8"), page.name) == []


def test_every_example_script_is_run_by_a_test() -> None:
    """None lies about of which nobody would notice that it no longer runs."""
    tests = "".join(path.read_text("utf-8") for path in PROJECT.glob("tests/*/test_*.py"))

    assert [script.name for script in EXAMPLES if f'"{script.name}"' not in tests] == []


def test_checker_notices_wrong_examples() -> None:
    """A block that shows the wrong output, and one that raises, are both reported."""
    good = "```python\nx = 1\n```\n\n```python\n>>> x + 1\n2\n```\n"

    assert page_failures(good, "good.md") == []
    assert len(page_failures(good.replace("\n2\n", "\n3\n"), "bad.md")) == 1
    assert page_failures("```python\n1 / 0\n```\n", "bad.md") == ["bad.md:2: ZeroDivisionError('division by zero')"]
