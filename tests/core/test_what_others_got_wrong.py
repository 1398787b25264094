"""The table of what others got wrong is complete, and says the truth about what is tested.

The cases stand in the files beside this one. Each is a check, which takes a factory for what it checks, and a broken
twin of that factory, which has exactly the fault of its clause.
"""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any, NamedTuple

import pytest

HERE = Path(__file__).parent
TABLE = HERE / "what_others_got_wrong.md"
CLAUSES_BY_WHO = {"original": 24, "NautilusTrader": 5, "Backtrader": 4}
ISSUES_TO_COME: frozenset[str] = frozenset()
"""The issues that will bring the checks of clauses without one; there is none left."""


class Clause(NamedTuple):
    id: str
    who: str
    text: str
    state: str


def read_table(text: str) -> list[Clause]:
    """Return the table's rows."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return [Clause(*row) for row in rows[2:]]


def registered_cases() -> list[Any]:
    """Return the cases of every file beside this one."""
    files = sorted(HERE.glob("test_what_others_got_wrong_about_*.py"))
    return [case for file in files for case in runpy.run_path(str(file))["CASES"]]


def table_problems(clauses: list[Clause], cases: list[Any]) -> list[str]:
    """Return what is wrong with the table, or between the table and the cases."""
    found = []
    if [clause.id for clause in clauses] != [f"W{n:02}" for n in range(1, len(clauses) + 1)]:
        found.append("the ids are not W01, W02, ... in order")
    if [clause.who for clause in clauses] != [who for who, count in CLAUSES_BY_WHO.items() for _ in range(count)]:
        found.append(f"the clauses do not number {CLAUSES_BY_WHO}, in this order")
    for clause in clauses:
        number = sum(case.clause == clause.id for case in cases)
        if clause.state == "tested":
            expected = 1
        else:
            expected = 0
            if clause.state not in ISSUES_TO_COME:
                found.append(f"{clause.id} is {clause.state!r}")
        if number != expected:
            found.append(f"{clause.id} is {clause.state!r} and has {number} cases")
        if not re.fullmatch(r"[A-Z].{10,}\.", clause.text):
            found.append(f"{clause.id} is no sentence")
    ids = {clause.id for clause in clauses}
    found += [f"{case.clause} is no clause" for case in cases if case.clause not in ids]
    for part in ("check", "twin"):
        names = [getattr(case, part).__name__ for case in cases]
        found += [f"{name} serves as {part} of several clauses" for name in sorted(set(names)) if names.count(name) > 1]
    return found


def test_table_is_complete_and_true() -> None:
    """Ids run on, nobody's clause is missing, and just the clauses called tested have one check and one twin each."""
    assert table_problems(read_table(TABLE.read_text("utf-8")), registered_cases()) == []


class Case(NamedTuple):
    clause: str
    check: Any
    twin: Any


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("| W02 |", "| W03 |", "the ids are not W01, W02, ... in order"),
        ("| W33 | Backtrader", "| W33 | original", "the clauses do not number"),
        ("tested |\n| W05", "issue 3 |\n| W05", "W04 is 'issue 3' and has 1 cases"),
        ("tested |\n| W04", "some day |\n| W04", "W03 is 'some day'"),
        ("| A restore loses the clock. |", "|  |", "W17 is no sentence"),
    ],
)
def test_checker_notices_a_false_table(before: str, after: str, problem: str) -> None:
    """A gap, a clause of the wrong peer, a wrong or unknown state and an empty clause are each reported."""
    text = TABLE.read_text("utf-8")
    assert text.count(before) == 1

    problems = table_problems(read_table(text.replace(before, after)), registered_cases())

    assert any(line.startswith(problem) for line in problems)


def test_checker_notices_false_cases() -> None:
    """A missing case, a second one for the same clause, one for no clause and a shared twin are each reported."""
    clauses = read_table(TABLE.read_text("utf-8"))
    cases = registered_cases()
    first = cases[0]

    def check_nothing() -> None:
        """Check nothing."""

    assert table_problems(clauses, cases[1:]) == [f"{first.clause} is 'tested' and has 0 cases"]
    assert f"{first.clause} is 'tested' and has 2 cases" in table_problems(clauses, [first, *cases])
    problems = table_problems(clauses, [*cases, Case("W99", check_nothing, first.twin)])
    assert problems == ["W99 is no clause", f"{first.twin.__name__} serves as twin of several clauses"]
