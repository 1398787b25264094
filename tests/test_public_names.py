"""Every module says what it is, and every public one lists names that exist."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from types import ModuleType

import pytest

SOURCE_ROOT = Path(__file__).resolve().parents[1] / "core"
MAX_LINES = 400
REASON = "Over 400 lines because"

SOURCES = {
    ".".join(path.relative_to(SOURCE_ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(SOURCE_ROOT.rglob("*.py"))
}
PUBLIC = [name for name in SOURCES if not any(part.startswith("_") for part in name.split("."))]


def name_problems(module: ModuleType) -> list[str]:
    """Return what is wrong with `__all__`; its order is ruff's to check (RUF022)."""
    names = getattr(module, "__all__", None)
    if names is None:
        return ["no __all__"]
    missing = [f"{name} is listed but does not exist" for name in names if not hasattr(module, name)]
    twice = [f"{name} is listed twice" for name in sorted(set(names)) if names.count(name) > 1]
    return missing + twice


def text_problems(source: str) -> list[str]:
    """Return what is wrong with a module's docstring and length."""
    docstring = ast.get_docstring(ast.parse(source))
    if docstring is None:
        return ["no docstring"]
    lines = len(source.splitlines())
    if lines > MAX_LINES and REASON not in " ".join(docstring.split()):
        return [f"{lines} lines, and no reason that begins with {REASON!r}"]
    return []


def test_there_are_modules_to_check() -> None:
    """The package root is among the modules found, so the checks below do check something."""
    assert "seatrial" in PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_public_module_lists_names_that_exist(name: str) -> None:
    """`__all__` is there, without repetitions, and each of its names can be had."""
    assert name_problems(importlib.import_module(name)) == []


@pytest.mark.parametrize("name", SOURCES)
def test_module_says_what_it_is_and_keeps_short(name: str) -> None:
    """A module has a docstring, and one that is long says why."""
    assert text_problems(SOURCES[name].read_text("utf-8")) == []


def test_checker_notices_bad_lists_of_names() -> None:
    """A missing list, a name without an object and a repeated name are each reported."""
    module = ModuleType("twin")

    assert name_problems(module) == ["no __all__"]

    module.__dict__["__all__"] = ["__name__", "__name__", "ghost"]
    assert name_problems(module) == [
        "ghost is listed but does not exist",
        "__name__ is listed twice",
    ]


def test_checker_notices_bad_texts() -> None:
    """A module without a docstring, or too long without a reason, is reported."""
    body = "x = 1\n" * MAX_LINES

    assert text_problems("x = 1\n") == ["no docstring"]
    assert text_problems('"""Long."""\n' + body) != []
    assert text_problems(f'"""Long.\n\nOver 400\nlines because of x.\n"""\n{body}') == []
