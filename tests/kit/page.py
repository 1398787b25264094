"""The page of the contract and the schema of its cases; `python -m tests.kit.page` writes both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.testing.case import CONTRACT, FAMILIES, all_cases, schema

if TYPE_CHECKING:
    from seatrial.testing.case import Case

__all__ = ["PAGE", "SCHEMA", "contract_page"]

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs" / "conformance.md"
SCHEMA = PROJECT / "core" / "seatrial" / "testing" / "case_files" / "schema.json"
HEAD = Path(__file__).with_name("page_head.md")


def contract_page() -> str:
    """Return docs/conformance.md: what stands before the cases, then each family's table."""
    head = HEAD.read_text("utf-8")
    cases = all_cases()
    parts = [head.replace("{contract}", CONTRACT).replace("{count}", str(len(cases))).rstrip()]
    for family, about in FAMILIES.items():
        own = [case for case in cases if case.family == family]
        parts.append(f"## {family}: {about}")
        parts.append(
            "\n".join(("| Case | What has to hold | Because | Needs |", "| --- | --- | --- | --- |", *map(_row, own)))
        )
    return "\n\n".join(parts) + "\n"


def _row(case: Case) -> str:
    return f"| {case.case} | {_cell(case.statement)} | {_cell(case.because)} | {', '.join(_needs(case))} |"


def _needs(case: Case) -> list[str]:
    ticks = ["quotes or trades"] if case.ticks else []
    return [*ticks, *[need.value for need in case.needs if need != "scripts"]]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(contract_page(), "utf-8")
    SCHEMA.write_bytes(schema())
