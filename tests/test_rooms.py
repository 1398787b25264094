"""Imports inside seatrial point one way, never in a circle, and never hide in a function."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SOURCE_ROOT = Path(__file__).resolve().parents[1] / "core"

# Each room may import itself and the rooms before it.
ROOMS = (
    "errors",
    "clock",
    "contracts",
    "hookspecs",
    "plugins",
    "gate",
    "venue",
    "store",
    "data",
    "engine",
    "report",
    "testing",
    "cli",
    "__main__",
)

# Module -> what it may import inside a function, each with the reason in a comment.
LAZY_IMPORTS: dict[str, frozenset[str]] = {
    "seatrial.engine.plugin": frozenset({"seatrial.engine.native"}),  # an engine is loaded on demand
}


def read_sources(root: Path) -> dict[str, str]:
    """Return the source of each module below `root`, by name; a package ends in `.__init__`."""
    return {
        ".".join(path.relative_to(root).with_suffix("").parts): path.read_text("utf-8")
        for path in sorted(root.rglob("*.py"))
    }


def find_violations(sources: Mapping[str, str], lazy_imports: Mapping[str, frozenset[str]]) -> list[str]:
    """Return a line for each import that breaks a rule, and for each needless exception."""
    modules = {name.removesuffix(".__init__") for name in sources}
    found: list[str] = []
    graph: dict[str, set[str]] = {}
    lazy_seen: set[tuple[str, str]] = set()
    for key, source in sources.items():
        name = key.removesuffix(".__init__")
        package = name if key.endswith(".__init__") else name.rpartition(".")[0]
        edges = graph.setdefault(name, set())
        for line, target, hidden in _imports(ast.parse(source), package):
            resolved = _longest_module(target, modules)
            if hidden:
                lazy_seen |= {(name, prefix) for prefix in _prefixes(target)}
                allowed = lazy_imports.get(name, frozenset())
                if allowed.isdisjoint(_prefixes(target)):
                    found.append(f"{name}:{line} imports {target} inside a function")
            if resolved is None:
                continue
            if resolved != name:
                edges.add(resolved)
            problem = _room_problem(name, resolved)
            if problem:
                found.append(f"{name}:{line} imports {resolved}: {problem}")
    found += [f"{name}: no room of this name" for name in sorted(modules) if not _known(name)]
    found += [
        f"{name}: its exception for {target} is not needed"
        for name, targets in lazy_imports.items()
        for target in sorted(targets)
        if (name, target) not in lazy_seen
    ]
    return found + [f"import circle: {' -> '.join(circle)}" for circle in _circles(graph)]


def _imports(tree: ast.AST, package: str, *, hidden: bool = False) -> Iterator[tuple[int, str, bool]]:
    """Yield (line, dotted name, whether it hides in a function) for each imported name."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, hidden
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                kept = parents[: len(parents) - node.level + 1]
                base = ".".join([*kept, *([base] if base else [])])
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}", hidden
        else:
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(node, package, hidden=hidden or function)


def _prefixes(target: str) -> set[str]:
    parts = target.split(".")
    return {".".join(parts[: end + 1]) for end in range(len(parts))}


def _longest_module(target: str, modules: set[str]) -> str | None:
    return max(_prefixes(target) & modules, key=len, default=None)


def _known(name: str) -> bool:
    return name == "seatrial" or name.split(".")[1] in ROOMS


def _room_problem(importer: str, imported: str) -> str | None:
    if importer == "seatrial" or not _known(importer) or not _known(imported):
        return None
    if imported == "seatrial":
        return "the package root stands below every room"
    here, there = importer.split(".")[1], imported.split(".")[1]
    if ROOMS.index(there) > ROOMS.index(here):
        return f"{there} stands below {here}"
    return None


def _circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Return one circle for each edge that closes one, found depth first."""
    circles: list[list[str]] = []
    done: set[str] = set()
    path: list[str] = []

    def visit(name: str) -> None:
        path.append(name)
        for target in sorted(graph.get(name, ())):
            if target in path:
                circles.append([*path[path.index(target) :], target])
            elif target not in done:
                visit(target)
        done.add(path.pop())

    for name in sorted(graph):
        if name not in done:
            visit(name)
    return circles


def test_imports_point_one_way() -> None:
    """No module of seatrial breaks the rules of the rooms."""
    sources = read_sources(SOURCE_ROOT)

    assert "seatrial.__init__" in sources
    assert find_violations(sources, LAZY_IMPORTS) == []


def test_checker_accepts_imports_of_rooms_above() -> None:
    """A tree that keeps the rules yields no line."""
    sources = {
        "seatrial.__init__": "from seatrial.gate.gate import Gate",
        "seatrial.errors": "import json",
        "seatrial.gate.__init__": "from seatrial.gate.gate import Gate",
        "seatrial.gate.gate": "from seatrial import errors\nfrom seatrial.errors import Oops",
    }

    assert find_violations(sources, {}) == []


def test_checker_notices_an_import_of_a_room_below() -> None:
    """The gate may not know the venue, by whichever form of import."""
    for statement in (
        "import seatrial.venue.book",
        "from seatrial.venue import book",
        "from seatrial.venue.book import Book",
        "from ..venue.book import Book",
    ):
        sources = {"seatrial.gate.gate": statement, "seatrial.venue.book": ""}

        assert find_violations(sources, {}) == [
            "seatrial.gate.gate:1 imports seatrial.venue.book: venue stands below gate"
        ]


def test_checker_notices_an_import_of_the_package_root() -> None:
    """A room may not import the names the root re-exports."""
    sources = {"seatrial.__init__": "", "seatrial.gate.gate": "from seatrial import Order"}

    assert find_violations(sources, {}) == [
        "seatrial.gate.gate:1 imports seatrial: the package root stands below every room"
    ]


def test_checker_notices_a_circle() -> None:
    """Two modules of one room may not import each other."""
    sources = {
        "seatrial.gate.gate": "import seatrial.gate.queue",
        "seatrial.gate.queue": "import seatrial.gate.gate",
    }

    assert find_violations(sources, {}) == [
        "import circle: seatrial.gate.gate -> seatrial.gate.queue -> seatrial.gate.gate"
    ]


def test_checker_notices_an_import_inside_a_function() -> None:
    """An import hidden in a function needs an exception, and the exception lifts the finding."""
    sources = {"seatrial.data.parquet": "def load():\n    import pyarrow.parquet"}

    assert find_violations(sources, {}) == ["seatrial.data.parquet:2 imports pyarrow.parquet inside a function"]
    assert find_violations(sources, {"seatrial.data.parquet": frozenset({"pyarrow"})}) == []


def test_checker_notices_a_needless_exception() -> None:
    """An exception that no import needs must go."""
    exceptions = {"seatrial.data.csv": frozenset({"pyarrow"})}

    assert find_violations({"seatrial.data.csv": "import csv"}, exceptions) == [
        "seatrial.data.csv: its exception for pyarrow is not needed"
    ]


def test_checker_notices_an_unknown_room() -> None:
    """A module outside every room is reported, so that a new room gets its place in the order."""
    assert find_violations({"seatrial.attic.box": ""}, {}) == ["seatrial.attic.box: no room of this name"]
