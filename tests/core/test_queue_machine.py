"""The latency queue against a sorted list, through any sequence of pushes, pops and cancels."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from seatrial.gate.queue import NEVER, LatencyQueue, Token

DUES = st.integers(0, 6) | st.sampled_from([0, 1_700_000_000_000_000_000, NEVER - 1])
SOUND = settings(deadline=None, derandomize=True, max_examples=60, stateful_step_count=40)
BROKEN = settings(SOUND, max_examples=200, phases=[Phase.generate], report_multiple_bugs=False)


class QueueMachine(RuleBasedStateMachine):
    """Push, pop and cancel, on the queue and on a list that is sorted anew each time."""

    tokens = Bundle("tokens")
    queue_type: ClassVar[type[LatencyQueue[int]]] = LatencyQueue

    def __init__(self) -> None:
        super().__init__()
        self.queue = self.queue_type()
        self.waiting: list[tuple[int, int]] = []
        self.pushed = 0

    def _push(self, due: int) -> tuple[Token, int]:
        item = self.pushed
        self.pushed += 1
        self.waiting.append((due, item))
        self.waiting.sort()  # items count up, so equal times stay in the order of their pushes
        return self.queue.push(due, item), item

    @rule(target=tokens, due=DUES)
    def push(self, due: int) -> tuple[Token, int]:
        return self._push(due)

    @rule(target=tokens, due=DUES, count=st.integers(50, 90))
    def push_many(self, due: int, count: int) -> object:
        return multiple(*[self._push((due + 7 * n) % 11) for n in range(count)])

    @precondition(lambda self: self.waiting)
    @rule()
    def pop(self) -> None:
        assert self.queue.pop() == self.waiting.pop(0)

    @precondition(lambda self: not self.waiting)
    @rule()
    def pop_empty(self) -> None:
        with pytest.raises(IndexError):
            self.queue.pop()

    @rule(token=tokens)
    def cancel(self, token: tuple[Token, int]) -> None:
        self._cancel(token)

    @rule(chosen=st.lists(tokens, max_size=4))
    def cancel_some(self, chosen: list[tuple[Token, int]]) -> None:
        for token in chosen:
            self._cancel(token)

    def _cancel(self, token: tuple[Token, int]) -> None:
        entry, item = token
        left = [one for one in self.waiting if one[1] != item]
        assert self.queue.cancel(entry) is (len(left) < len(self.waiting))
        self.waiting = left

    @precondition(lambda self: self.waiting)
    @rule()
    def pop_all(self) -> None:
        popped = [self.queue.pop() for _ in range(len(self.queue))]
        assert popped == self.waiting
        self.waiting = []

    @invariant()
    def agrees_with_the_list(self) -> None:
        assert len(self.queue) == len(self.waiting)
        assert self.queue.head == (self.waiting[0][0] if self.waiting else NEVER)
        assert self.queue.items() == self.waiting


class _Unstable(LatencyQueue[int]):
    """A queue that gives the later push of equal times first."""

    __slots__ = ()

    def push(self, due: int, item: int) -> Token:
        self._sequence -= 2  # one more is added on the way: each push gets a smaller number than the last
        return super().push(due, item)


class _Forgetful(LatencyQueue[int]):
    """A queue that says of every cancel that it came in time."""

    __slots__ = ()

    def cancel(self, token: Token) -> bool:
        super().cancel(token)
        return True


class _Lazy(LatencyQueue[int]):
    """A queue that counts what was cancelled as still waiting."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self._heap)


TestQueue = QueueMachine.TestCase
TestQueue.settings = SOUND


@pytest.mark.no_cover
@pytest.mark.parametrize("twin", [_Unstable, _Forgetful, _Lazy])
def test_machine_catches_a_broken_queue(twin: type[LatencyQueue[int]]) -> None:
    """Ties in the wrong order, a cancel that lies and a wrong length are each found."""
    machine = type("BrokenMachine", (QueueMachine,), {"queue_type": twin})

    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=BROKEN)


def test_cancelling_most_of_a_long_queue_keeps_the_rest_in_order() -> None:
    """Thousands of cancels, which make the queue rebuild itself, lose and reorder nothing."""
    queue: LatencyQueue[int] = LatencyQueue()
    tokens = [queue.push(n * 7919 % 100, n) for n in range(5_000)]
    kept = sorted((n * 7919 % 100, n) for n in range(5_000) if n % 10 == 3)

    for n, token in enumerate(tokens):
        if n % 10 != 3:
            assert queue.cancel(token)

    assert len(queue) == len(kept)
    assert [queue.pop() for _ in range(len(queue))] == kept
    assert queue.head == NEVER
