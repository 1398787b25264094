"""The page that tells where the engines agree; `python -m tests.parity.page` writes it."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from tests.parity.aspects import ASPECTS
from tests.parity.cases import CASES, PROFILES
from tests.parity.engines import ENGINES, ParityEngine, missing
from tests.parity.findings import findings
from tests.parity.tapes import TAPES
from tests.parity.wording import difference_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.parity.findings import Finding
    from tests.parity.rules import Rule
    from tests.parity.tapes import ParityTape

__all__ = ["PAGE", "Part", "assembled", "part_of", "problems", "total_rows"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "parity.md"
HEAD = Path(__file__).with_name("page_head.md")


class Part(msgspec.Struct, frozen=True):
    """What one tape brings to the page: the rows of its summary, a line for each engine, and its section."""

    rows: tuple[str, ...]
    section: str


def part_of(tape: ParityTape) -> tuple[Part, list[Finding]]:
    """Run everything on a tape; return its part of the page, and what was found."""
    found = list(findings(tape))
    section = [f"## {tape.name}: {tape.about}", _overview(found), *_details(tape, found)]
    rows = [_summary_row(tape, engine, found) for engine in ENGINES if engine not in missing()]
    return Part(tuple(rows), "\n\n".join(section)), found


def assembled(parts: Mapping[str, Part]) -> str:
    """Return docs/parity.md from its parts, by tape: the head with the summary, the rules, the sections."""
    rows = [row for part in parts.values() for row in part.rows]
    places = {
        "tapes": str(len(TAPES)),
        "profiles": str(len(PROFILES)),
        "summary": "\n".join((*_head("Tape", "Engine", *_COUNTED, "Rules"), *rows, *total_rows(rows))),
        "strategies": _table(("Strategy", "What it sends"), dict.fromkeys((one.strategy, one.about) for one in CASES)),
        "count": str(len({case.strategy for case in CASES})),
        "left_out": "".join(f" {engine.title} is not installed and was left out." for engine in missing()),
    }
    head = HEAD.read_text("utf-8").rstrip()
    for name, value in places.items():
        head = head.replace(f"{{{name}}}", value)
    rules = [_rule(rule, engine) for engine in ENGINES if engine not in missing() for rule in engine.rules]
    return "\n\n".join((head, "## The rules", *rules, *(part.section for part in parts.values()))) + "\n"


def problems(found: Iterable[Finding]) -> list[str]:
    """Return a line for each difference that no rule knows."""
    return [
        f"{one.case.tape.name}, {one.case.strategy}, {one.profile}, {one.engine.title}: no rule for "
        f"{difference_in_words(difference, one.case, one.engine.title)}"
        for one in found
        for difference in one.unexplained
    ]


# -- the summary ---------------------------------------------------------------------------------------------------

_COUNTED = ("Comparisons", "Equal as it stands", "Equal in its way")


def _summary_row(tape: ParityTape, engine: ParityEngine, found: Iterable[Finding]) -> str:
    own = [one for one in found if one.engine is engine]
    counts = len(own), sum(not one.aspects for one in own), sum(not one.left for one in own)
    rules = Counter(rule_id for one in own for rule_id in one.rules)
    told = [f"{_link(rule.rule_id)} {rules[rule.rule_id]}" for rule in engine.rules if rules[rule.rule_id]]
    return _row((tape.name, engine.title, *map(str, counts), ", ".join(told)))


def total_rows(rows: Iterable[str]) -> list[str]:
    """Return a line for each engine: what the lines of its tapes come to."""
    totals: dict[str, list[int]] = {}
    for row in rows:
        _, _, title, *counts = [cell.strip() for cell in row.split("|")][: 3 + len(_COUNTED)]
        before = totals.setdefault(title, [0] * len(_COUNTED))
        totals[title] = [total + int(count) for total, count in zip(before, counts, strict=True)]
    return [_row(("**all**", title, *[f"**{count}**" for count in counts], "")) for title, counts in totals.items()]


def _rule(rule: Rule, engine: ParityEngine) -> str:
    return f"### {rule.rule_id}\n\n**{rule.title}** ({engine.title}). {rule.text}\n\n*Checked:* {rule.proof}"


# -- the section of a tape -----------------------------------------------------------------------------------------


def _overview(found: Iterable[Finding]) -> str:
    """Return a row for each strategy and engine: `=`, or the rules by which the engine differs."""
    cells: dict[tuple[str, str], list[str]] = {}
    for one in found:
        marks = ("=",) if not one.aspects else ()
        cells.setdefault((one.case.strategy, one.engine.title), []).append(" ".join((*marks, *map(_link, one.rules))))
    return _table(("Strategy", "Engine", *PROFILES), [(*names, *row) for names, row in cells.items()])


def _details(tape: ParityTape, found: Iterable[Finding]) -> list[str]:
    """Return the differences on a tape: the aspects, the first one of each comparison, and what is left of them."""
    rows: list[tuple[str, ...]] = []
    for one in found:
        if one.first is not None:
            marks = ["≠" if aspect in one.aspects else "=" for aspect in ASPECTS]
            first = difference_in_words(one.first, one.case, one.engine.title)
            left = f"≠ {', '.join(one.left)}" if one.left else "="
            rows.append((one.case.strategy, one.engine.title, one.profile, *marks, first, left))
    head = ("Strategy", "Engine", "Profile", *ASPECTS, "First difference", "In its way")
    return [f"### Differences on {tape.name}", _table(head, rows)] if rows else []


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join((*_head(*head), *map(_row, rows)))


def _head(*names: str) -> tuple[str, str]:
    return _row(names), _row(["---"] * len(names))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _link(rule_id: str) -> str:
    return f"[{rule_id}](#{rule_id.lower()})"


if __name__ == "__main__":
    made = {tape.name: part_of(tape) for tape in TAPES}
    PAGE.write_text(assembled({name: part for name, (part, _) in made.items()}), "utf-8")
    unexplained = [line for _, results in made.values() for line in problems(results)]
    notes = [f"{engine.title} is not installed and was left out" for engine in missing()]
    sys.stderr.writelines(f"{line}\n" for line in (*notes, *unexplained))
    sys.exit(1 if unexplained else 0)
