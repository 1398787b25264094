"""Backtrader's own deprecations are no faults of ours: here, and only for what it does itself, they pass."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

with warnings.catch_warnings():
    # Its sources hold escapes that Python deprecates, which shows when they are compiled for the first time.
    warnings.filterwarnings("ignore", "invalid escape sequence")
    import backtrader  # noqa: F401

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let Backtrader ask for the time as Python 3.12 deprecates it, in the tests of this folder."""
    mark = pytest.mark.filterwarnings(r"ignore:datetime\.datetime\.utc:DeprecationWarning:backtrader")
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(mark)
