"""The distribution holds what it should and works in an empty environment."""

from __future__ import annotations

import re
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

pytestmark = pytest.mark.packaging

PACKAGES = {"seatrial", "seatrial_backtrader", "seatrial_nautilus", "seatrial_rules"}
DATA_FILES = {
    "seatrial/py.typed",
    "seatrial/data/ibm_daily.csv",
    "seatrial/data/PROVENANCE.md",
    "seatrial/testing/case_files/LIF-01.json",
    "seatrial/testing/case_files/schema.json",
    "seatrial_backtrader/py.typed",
    "seatrial_nautilus/py.typed",
    "seatrial_rules/py.typed",
}


def wheel_problems(names: Iterable[str]) -> list[str]:
    """Return what is missing from, or should not be in, a wheel with these files."""
    files = set(names)
    top = {name.partition("/")[0] for name in files}
    packages = {name for name in top if not name.endswith(".dist-info")}
    return [
        *(f"unexpected {name}" for name in sorted(packages - PACKAGES)),
        *(f"missing {name}" for name in sorted((PACKAGES - packages) | (DATA_FILES - files))),
    ]


def test_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """The wheel has seatrial, its type marker, its sample data and where that comes from, at the places we promise."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    assert wheel_problems(names) == []
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_source_distribution_can_be_tested(dist: Path) -> None:
    """The source distribution brings the tests, the documentation and the licence along."""
    [path] = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {
        "LICENSE",
        "Makefile",
        "README.md",
        "core/seatrial/py.typed",
        "docs/conf.py",
        "pyproject.toml",
        "tests/test_packaging.py",
    } <= names


def test_wheel_works_in_an_empty_environment(run: Callable[..., str], alone: Path, tmp_path: Path) -> None:
    """Installed alone, seatrial imports from the new environment and finds its sample data."""
    program = (
        "import importlib.resources, seatrial\n"
        "assert (importlib.resources.files('seatrial') / 'data' / 'ibm_daily.csv').is_file()\n"
        "print(seatrial.__file__)"
    )
    location = run(alone / "bin" / "python", "-I", "-c", program, cwd=tmp_path).strip()

    assert Path(location).is_relative_to(alone)


def test_engine_author_gets_a_report_from_the_wheel_alone(
    run: Callable[..., str], wheel: Path, alone: Path, tmp_path: Path
) -> None:
    """Installed with its extra, the kit runs the tutorial's ten lines and writes a complete report."""
    page = (Path(__file__).resolve().parents[1] / "docs" / "tutorial_conformance.md").read_text("utf-8")
    [lines] = [block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "EngineSuite" in block]
    (tmp_path / "test_conformance.py").write_text(lines, "utf-8")
    python = shutil.copytree(alone, tmp_path / "env", symlinks=True) / "bin" / "python"
    run(python, "-Im", "pip", "install", "-qq", "--disable-pip-version-check", f"{wheel}[testing]", cwd=tmp_path)

    plugin = ("-p", "seatrial.testing.plugin", "--seatrial-report=report.json")
    told = run(python, "-m", "pytest", "-q", "--strict-markers", *plugin, "test_conformance.py", cwd=tmp_path)

    assert "seatrial conformance" in told
    assert (tmp_path / "report.json").read_text("utf-8").rstrip().endswith('"complete": true\n}')


def test_checker_notices_a_bad_wheel() -> None:
    """A wheel that brings a stray package and lacks data files is reported."""
    names = ["seatrial/__init__.py", "seatrial/py.typed", "tests/x.py", "x-1.dist-info/METADATA"]

    assert wheel_problems(names) == [
        "unexpected tests",
        "missing seatrial/data/PROVENANCE.md",
        "missing seatrial/data/ibm_daily.csv",
        "missing seatrial/testing/case_files/LIF-01.json",
        "missing seatrial/testing/case_files/schema.json",
        "missing seatrial_backtrader",
        "missing seatrial_backtrader/py.typed",
        "missing seatrial_nautilus",
        "missing seatrial_nautilus/py.typed",
        "missing seatrial_rules",
        "missing seatrial_rules/py.typed",
    ]
