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


PASSED = (
    # Python 3.12 deprecates how Backtrader asks for the time, and that it pickles counters to optimise,
    r"ignore:datetime\.datetime\.utc:DeprecationWarning:backtrader",
    r"ignore:Pickle, copy, and deepcopy support will be removed from itertools:DeprecationWarning",
    # and warns of a fork while threads run, here those of an earlier optimisation that has ended.
    r"ignore:This process .* is multi-threaded:DeprecationWarning:multiprocessing",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the warnings in `PASSED` pass in the tests of this folder."""
    for item in items:
        if item.path.is_relative_to(HERE):
            for warning in PASSED:
                item.add_marker(pytest.mark.filterwarnings(warning))
