"""The page that tells where the engines agree; `python -m tests.parity.page` writes it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.parity.aspects import ASPECTS
from tests.parity.cases import CASES, PROFILES
from tests.parity.engines import ENGINES, installed
from tests.parity.findings import findings
from tests.parity.tapes import TAPES
from tests.parity.wording import difference_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.parity.engines import ParityEngine
    from tests.parity.findings import Finding
    from tests.parity.rules import Rule
    from tests.parity.tapes import ParityTape

__all__ = ["PAGE", "parity_page"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "parity.md"
HEAD = Path(__file__).with_name("page_head.md")


def parity_page(found: Sequence[Finding]) -> str:
    """Return docs/parity.md: the head with its summary, the rules, and a section for each tape."""
    parts = [_head(found), "## The rules"]
    for engine in _engines(found):
        parts += [_rule(rule, engine) for rule in engine.rules]
    for tape in TAPES:
        own = [one for one in found if one.case.tape is tape]
        parts += [f"## {tape.name}: {tape.about}", _overview(own), *_details(tape, own)]
    return "\n\n".join(parts) + "\n"


def missing() -> list[str]:
    """Return the engines that are not installed, which a page would leave out."""
    there = {engine.name for engine, _ in installed()}
    return [engine.title for engine in ENGINES if engine.name not in there]


def _engines(found: Iterable[Finding]) -> list[ParityEngine]:
    names = dict.fromkeys(one.engine.name for one in found)
    return [engine for engine in ENGINES if engine.name in names]


def _head(found: Sequence[Finding]) -> str:
    strategies = dict.fromkeys((case.strategy, case.about) for case in CASES)
    text = HEAD.read_text("utf-8").rstrip()
    places = {
        "count": str(len(strategies)),
        "tapes": str(len(TAPES)),
        "profiles": str(len(PROFILES)),
        "summary": _summary(found),
        "by_rule": _by_rule(found),
        "strategies": _table(("Strategy", "What it sends"), strategies),
    }
    for name, value in places.items():
        text = text.replace(f"{{{name}}}", value)
    left_out = missing()
    return f"{text}\n\nLeft out, since it is not installed: {', '.join(left_out)}." if left_out else text


def _summary(found: Sequence[Finding]) -> str:
    rows: list[tuple[str, ...]] = []
    for engine in _engines(found):
        own = [one for one in found if one.engine.name == engine.name]
        standing = sum(not one.aspects for one in own)
        in_its_way = sum(not one.left for one in own)
        rows.append((engine.title, str(len(own)), str(standing), str(in_its_way), str(len(own) - in_its_way)))
    return _table(("Engine", "Comparisons", "Equal as it stands", "Equal in its way", "Not equal in its way"), rows)


def _by_rule(found: Sequence[Finding]) -> str:
    rows: list[tuple[str, ...]] = []
    for engine in _engines(found):
        for rule in engine.rules:
            count = sum(rule.rule_id in one.rules for one in found)
            rows.append((_link(rule.rule_id), rule.title, str(count)))
    return _table(("Rule", "", "Comparisons it has a part in"), rows)


def _rule(rule: Rule, engine: ParityEngine) -> str:
    return f"### {rule.rule_id}\n\n**{rule.title}** ({engine.title}). {rule.text}\n\n*Checked:* {rule.proof}"


def _overview(found: Sequence[Finding]) -> str:
    """Return a row for each strategy and engine: `=`, or the rules by which the engine differs."""
    cells: dict[tuple[str, str], list[str]] = {}
    for one in found:
        cells.setdefault((one.case.strategy, one.engine.title), []).append(_cell(one))
    rows = [(strategy, title, *row) for (strategy, title), row in cells.items()]
    return _table(("Strategy", "Engine", *PROFILES), rows)


def _cell(found: Finding) -> str:
    return " ".join(("" if found.aspects else "=", *map(_link, found.rules))).strip()


def _details(tape: ParityTape, found: Sequence[Finding]) -> list[str]:
    """Return the differences on a tape: the aspects, the first one of each comparison, and what is left of them."""
    rows: list[tuple[str, ...]] = []
    for one in found:
        if one.first is not None:
            marks = tuple(["≠" if aspect in one.aspects else "=" for aspect in ASPECTS])
            first = difference_in_words(one.first, one.case, one.engine.title)
            left = "≠ " + ", ".join(one.left) if one.left else "="
            rows.append((one.case.strategy, one.engine.title, one.profile, *marks, first, left))
    if not rows:
        return []
    head = ("Strategy", "Engine", "Profile", *ASPECTS, "First difference", "In its way")
    return [f"### Differences on {tape.name}", _table(head, rows)]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def _link(rule_id: str) -> str:
    return f"[{rule_id}](#{rule_id.lower()})"


if __name__ == "__main__":
    results = list(findings())
    PAGE.write_text(parity_page(results), "utf-8")
    problems = [
        f"{one.case.tape.name}, {one.case.strategy}, {one.profile}, {one.engine.title}: no rule for "
        f"{difference_in_words(difference, one.case, one.engine.title)}"
        for one in results
        for difference in one.unexplained
    ]
    notes = [f"{title} is not installed and was left out" for title in missing()]
    sys.stderr.writelines(f"{line}\n" for line in (*notes, *problems))
    sys.exit(1 if problems else 0)
