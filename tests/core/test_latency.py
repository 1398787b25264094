"""Latency: the profiles' numbers, the distributions' bounds, and draws that depend on their key alone."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import mean, median, pstdev
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial import (
    LATENCY_FAST,
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    LATENCY_SLOW,
    Constant,
    Empirical,
    ExecutionSimulator,
    LatencyConfig,
    Lognormal,
    Order,
    OrderSide,
    OrderType,
    Uniform,
)
from seatrial.contracts.events import OrderAccepted, OrderExecution
from seatrial.contracts.latency import Leg
from seatrial.errors import InvalidConfigError
from seatrial.gate.draws import Draws

D = Decimal
MS = 1_000_000
T0 = 1_700_000_000_000_000_000
LAST_BITS = 2**64 - 1
ALL_BITS = st.integers(0, LAST_BITS)
QUICK = settings(deadline=None, derandomize=True, max_examples=100)
JITTER = LatencyConfig(
    submit=Uniform(0, 40 * MS), ack=Uniform(0, MS), fill=Uniform(10 * MS, 10**9), cancel=Uniform(0, 9 * MS)
)


# -- profiles and legs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "submit", "fill", "cancel"),
    [
        (LATENCY_INSTANT, 0, Constant(0), 0),
        (LATENCY_FAST, 10, Uniform(50 * MS, 100 * MS), 20),
        (LATENCY_NORMAL, 50, Uniform(100 * MS, 200 * MS), 50),
        (LATENCY_SLOW, 100, Uniform(500 * MS, 1000 * MS), 100),
    ],
)
def test_profiles_have_their_numbers(
    profile: LatencyConfig, submit: int, fill: Constant | Uniform, cancel: int
) -> None:
    """Submit, fill and cancel are the profile's; an ack takes no time and a modify travels like a submit."""
    assert profile.leg(Leg.SUBMIT) == Constant(submit * MS)
    assert profile.leg(Leg.FILL) == fill
    assert profile.leg(Leg.CANCEL) == Constant(cancel * MS)
    assert profile.leg(Leg.ACK) == Constant(0)
    assert profile.leg(Leg.MODIFY) == profile.leg(Leg.SUBMIT)


def test_default_is_no_delay_anywhere() -> None:
    """A configuration that sets nothing delays nothing."""
    assert [LatencyConfig().leg(leg) for leg in Leg] == [Constant(0)] * 5


@pytest.mark.parametrize("leg", Leg)
def test_leg_given_by_name_takes_precedence(leg: Leg) -> None:
    """A distribution named for a leg replaces the usual field of that leg, and touches no other leg but modify."""
    usual: dict[str, Any] = {
        "submission_latency": timedelta(milliseconds=1),
        "fill_latency_min": timedelta(milliseconds=2),
        "fill_latency_max": timedelta(milliseconds=3),
        "cancel_latency": timedelta(milliseconds=4),
    }
    own = Lognormal(5 * MS, 0.5)

    config = LatencyConfig(**{**usual, str(leg): own})

    plain = LatencyConfig(**usual)
    follows = {Leg.MODIFY} if leg is Leg.SUBMIT else set()
    assert config.leg(leg) == own
    for other in set(Leg) - {leg}:
        assert config.leg(other) == (own if other in follows else plain.leg(other))


def test_equal_fill_bounds_are_a_constant() -> None:
    """A fill leg with one bound, or two equal ones, never varies."""
    low = timedelta(milliseconds=7)

    assert LatencyConfig(fill_latency_min=low).leg(Leg.FILL) == Constant(7 * MS)
    assert LatencyConfig(fill_latency_min=low, fill_latency_max=low).leg(Leg.FILL) == Constant(7 * MS)


@pytest.mark.parametrize(
    "fields",
    [
        {"submission_latency": timedelta(microseconds=-1)},
        {"cancel_latency": timedelta(microseconds=-1)},
        {"fill_latency_min": timedelta(microseconds=-1)},
        {"fill_latency_min": timedelta(seconds=2), "fill_latency_max": timedelta(seconds=1)},
    ],
)
def test_impossible_legs_are_refused_when_configured(fields: dict[str, Any]) -> None:
    """A negative delay or crossed bounds raise at once, not at the first order."""
    with pytest.raises(InvalidConfigError):
        LatencyConfig(**fields)


# -- distributions -----------------------------------------------------------------------------------------------------


@QUICK
@given(bits=ALL_BITS, delay=st.integers(0, 2**62))
def test_constant_never_varies(bits: int, delay: int) -> None:
    """A constant delay is the same for all bits."""
    assert Constant(delay).sample(bits) == delay


@QUICK
@given(bits=ALL_BITS, low=st.integers(0, 10**12), span=st.integers(0, 10**12))
def test_uniform_stays_within_its_bounds(bits: int, low: int, span: int) -> None:
    """Every draw lies in the closed range."""
    assert low <= Uniform(low, low + span).sample(bits) <= low + span


@pytest.mark.parametrize(("low", "high"), [(0, 0), (0, 1), (3, 7), (50 * MS, 100 * MS), (0, 2**62)])
def test_uniform_hits_both_ends(low: int, high: int) -> None:
    """The lowest bits give the lower bound and the highest the upper one."""
    uniform = Uniform(low, high)

    assert uniform.sample(0) == low
    assert uniform.sample(LAST_BITS) == high


def test_uniform_gives_each_value_the_same_share() -> None:
    """Five values split the bits into five equal parts."""
    edges = [-(-part * 2**64 // 5) for part in range(6)]
    uniform = Uniform(10, 14)

    for part in range(5):
        assert uniform.sample(edges[part]) == 10 + part
        assert uniform.sample(edges[part + 1] - 1) == 10 + part


@QUICK
@given(bits=ALL_BITS, more=ALL_BITS, sigma=st.floats(0, 3))
def test_lognormal_never_falls_below_its_floor_and_grows_with_the_bits(bits: int, more: int, sigma: float) -> None:
    """A draw is at least the floor, and a higher quantile never gives a shorter delay."""
    lognormal = Lognormal(5 * MS, sigma, least_ns=3 * MS)
    low, high = sorted((bits, more))

    assert 3 * MS <= lognormal.sample(low) <= lognormal.sample(high)


def test_lognormal_has_its_median_and_spread() -> None:
    """Half way is median plus floor; one standard deviation up multiplies the median by exp(sigma)."""
    lognormal = Lognormal(5 * MS, 0.5, least_ns=MS)
    one_sigma = round(0.8413447460685429 * 2**64)

    assert lognormal.sample(2**63) == pytest.approx(6 * MS, rel=1e-9)
    assert lognormal.sample(one_sigma) - MS == pytest.approx(5 * MS * math.exp(0.5), rel=1e-6)
    assert Lognormal(5 * MS, 0.0).sample(12345) == 5 * MS


def test_lognormal_is_finite_at_both_ends() -> None:
    """The first and the last bits give a delay, the latter far out in the tail."""
    lognormal = Lognormal(1_000, 1.0)

    assert 0 <= lognormal.sample(0) < 10
    assert 1_000_000 < lognormal.sample(LAST_BITS) < 10**9


def test_empirical_gives_the_quantiles_of_its_sample() -> None:
    """Each measured delay gets an equal share of the bits, smallest first, repeated ones as often as measured."""
    empirical = Empirical.of([40, 10, 20, 20])

    assert empirical.delays_ns == (10, 20, 20, 40)
    quarters = [empirical.sample(part * 2**62) for part in range(4)]
    assert quarters == [10, 20, 20, 40]
    assert empirical.sample(2**62 - 1) == 10
    assert empirical.sample(LAST_BITS) == 40


@QUICK
@given(bits=ALL_BITS, delays=st.lists(st.integers(0, 10**12), min_size=1, max_size=50))
def test_empirical_draws_what_was_measured(bits: int, delays: list[int]) -> None:
    """No draw is a delay that was never seen, and the order of measuring does not matter."""
    assert Empirical.of(delays).sample(bits) in delays
    assert Empirical.of(delays) == Empirical.of(reversed(delays))


@pytest.mark.parametrize(
    ("build", "setting"),
    [
        (lambda: Constant(-1), "delay_ns"),
        (lambda: Uniform(-1, 5), "low_ns"),
        (lambda: Uniform(6, 5), "high_ns"),
        (lambda: Lognormal(-1, 0.5), "median_ns"),
        (lambda: Lognormal(1, 0.5, -1), "least_ns"),
        (lambda: Lognormal(1, -0.1), "sigma"),
        (lambda: Lognormal(1, 10.1), "sigma"),
        (lambda: Lognormal(1, float("nan")), "sigma"),
        (lambda: Empirical(()), "delays_ns"),
        (lambda: Empirical((5, -1)), "delays_ns"),
    ],
)
def test_impossible_distributions_are_refused(build: Any, setting: str) -> None:
    """Negative delays, empty ranges and spreads that are none raise, naming the setting."""
    with pytest.raises(InvalidConfigError) as caught:
        build()
    assert caught.value.setting == setting


# -- measured delays from a file ---------------------------------------------------------------------------------------


def test_file_of_delays_is_read_exactly(tmp_path: Path) -> None:
    """Comments and blank lines are skipped, and decimals are exact in any unit."""
    file = tmp_path / "delays.txt"
    file.write_text("# measured in Chicago\n0.3\n\n  12.000001 # slow one\n0\n1e1\n", encoding="utf-8")

    assert Empirical.from_file(file).delays_ns == (0, 300_000, 10 * MS, 12_000_001)
    assert Empirical.from_file(str(file), unit="s").delays_ns == (0, 300 * MS, 10_000 * MS, 12_000_001_000)
    assert Empirical.from_file(file, unit="ns").delays_ns == (0, 0, 10, 12)


@pytest.mark.parametrize("line", ["soon", "-1", "1,5", "nan", "NaN", "sNaN", "inf", "-inf", "1 2"])
def test_bad_line_is_named_with_file_and_number(tmp_path: Path, line: str) -> None:
    """What is no delay raises with file:line, whatever kind of nonsense it is."""
    file = tmp_path / "delays.txt"
    file.write_text(f"# header\n5\n\n{line}\n", encoding="utf-8")

    with pytest.raises(InvalidConfigError) as caught:
        Empirical.from_file(file)
    assert f"{file}:4" in str(caught.value)
    assert line in str(caught.value)


@pytest.mark.parametrize(("content", "hint"), [(b"", "no delay"), (b"# only\n\n", "no delay"), (b"\xff\xfe1", "read")])
def test_file_without_delays_is_refused(tmp_path: Path, content: bytes, hint: str) -> None:
    """An empty file and one that is no text raise, naming the file."""
    file = tmp_path / "delays.txt"
    file.write_bytes(content)

    with pytest.raises(InvalidConfigError, match=hint) as caught:
        Empirical.from_file(file)
    assert str(file) in str(caught.value)


def test_missing_file_and_unknown_unit_are_refused(tmp_path: Path) -> None:
    """A file that is not there and a unit nobody knows raise, and say what would do."""
    with pytest.raises(InvalidConfigError, match="cannot be read"):
        Empirical.from_file(tmp_path / "none.txt")
    with pytest.raises(InvalidConfigError, match="ns, us, ms, s"):
        Empirical.from_file(tmp_path / "none.txt", unit="minutes")


# -- keyed draws -------------------------------------------------------------------------------------------------------

KEYS = st.tuples(
    st.sampled_from([Leg.SUBMIT, Leg.FILL, Leg.CANCEL]), st.sampled_from(["S-1", "S-2", "T-1"]), st.integers(1, 5)
)


@QUICK
@given(keys=st.lists(KEYS, min_size=1, max_size=20), data=st.data())
def test_draw_depends_on_its_key_alone(keys: list[tuple[Leg, str, int]], data: st.DataObject) -> None:
    """The same keys in any order, repeated or not, give the same delays."""
    first, second = Draws(JITTER, 7, "sim"), Draws(JITTER, 7, "sim")

    drawn = {key: first.delay(*key) for key in keys}

    for key in data.draw(st.permutations(keys)):
        assert second.delay(*key) == drawn[key]
        assert first.delay(*key) == drawn[key]


@pytest.mark.parametrize(
    "other",
    [
        (8, "sim", Leg.FILL, "S-1", 1),
        (-7, "sim", Leg.FILL, "S-1", 1),
        (7, "sim2", Leg.FILL, "S-1", 1),
        (7, "sim", Leg.SUBMIT, "S-1", 1),
        (7, "sim", Leg.FILL, "S-2", 1),
        (7, "sim", Leg.FILL, "T-1", 1),
        (7, "sim", Leg.FILL, "S-1", 2),
        (7, "sim", Leg.FILL, "S-11", 1),
        (7, "sim", Leg.FILL, "S-1", 11),
    ],
)
def test_each_part_of_the_key_matters(other: tuple[int, str, Leg, str, int]) -> None:
    """Another seed, simulator, leg, order or match draws another delay from the same distribution."""
    wide = Uniform(0, 2**62)
    config = LatencyConfig(submit=wide, fill=wide)

    def draw(seed: int, simulator_id: str, leg: Leg, key: str, n: int) -> int:
        return Draws(config, seed, simulator_id).delay(leg, key, n)

    assert draw(*other) != draw(7, "sim", Leg.FILL, "S-1", 1)


def test_neighbouring_parts_of_a_key_do_not_run_together() -> None:
    """Digits moved from one part of a key to the next make another key."""
    wide = Uniform(0, 2**62)
    config = LatencyConfig(fill=wide)
    keys = [(1, "1sim", "S-1", 1), (11, "sim", "S-1", 1), (1, "1sim", "S-", 11), (1, "1simS", "-1", 1)]

    drawn = {Draws(config, seed, sim).delay(Leg.FILL, key, n) for seed, sim, key, n in keys}
    assert len(drawn) == len(keys)


def test_draws_are_the_same_on_every_machine() -> None:
    """Fixed keys give fixed delays; a change here changes every recorded run."""
    draws = Draws(LatencyConfig(fill=Uniform(0, 2**62), submit=Uniform(0, 999)), 42, "paper-001")

    assert [draws.delay(Leg.SUBMIT, f"S-{n}", 1) for n in range(1, 9)] == [238, 730, 82, 55, 852, 763, 384, 728]
    assert [draws.delay(Leg.FILL, "S-1", n) for n in range(1, 4)] == [
        3009459803214844439,
        4574953785349795281,
        3335487632288945383,
    ]


def test_draws_follow_their_distribution() -> None:
    """4,000 keyed draws have the mean, spread and evenness of the distribution they come from."""
    draws = Draws(LatencyConfig(fill=Uniform(0, 1_000_000), submit=Lognormal(5_000, 0.4)), 1, "sim")

    uniform = [draws.delay(Leg.FILL, f"S-{n}", 1) for n in range(4_000)]
    lognormal = [draws.delay(Leg.SUBMIT, f"S-{n}", 1) for n in range(4_000)]

    assert mean(uniform) == pytest.approx(500_000, rel=0.03)
    assert pstdev(uniform) == pytest.approx(1_000_000 / math.sqrt(12), rel=0.03)
    tenths = [sum(part * 100_000 <= one < (part + 1) * 100_000 for one in uniform) for part in range(10)]
    assert all(330 < count < 470 for count in tenths)
    assert median(lognormal) == pytest.approx(5_000, rel=0.03)
    assert pstdev([math.log(one) for one in lognormal]) == pytest.approx(0.4, rel=0.05)


def test_consecutive_matches_are_not_correlated() -> None:
    """One order's next draw says nothing about the one after."""
    draws = Draws(LatencyConfig(fill=Uniform(0, 1_000_000)), 1, "sim")
    values = [draws.delay(Leg.FILL, "S-1", n) - 500_000 for n in range(4_000)]

    products = [first * second for first, second in pairwise(values)]
    assert abs(mean(products)) / pstdev(values) ** 2 < 0.05


# -- through the simulator ---------------------------------------------------------------------------------------------


def run(tick: int, *, seed: int = 3, simulator_id: str = "sim", orders: int = 6) -> list[int]:
    """Submit market buys at once, feed a price every `tick` ns, and return the fill leg's delay of each order."""
    latency = LatencyConfig(fill=Uniform(0, 50 * MS))
    simulator = ExecutionSimulator(initial_cash=D(10**6), latency_config=latency, seed=seed, simulator_id=simulator_id)
    spacing = 100 * MS
    for n in range(orders):
        at = T0 + n * spacing
        order = Order(
            order_id=f"{simulator_id}-{n}",
            symbol="ACME",
            side=OrderSide.BUY,
            order_type=OrderType.MARKET,
            quantity=D(1),
            created_at=at,
        )
        simulator.submit_order(order, at)
        for offset in range(0, spacing, tick):
            simulator.process_market_data(at + offset, {"ACME": D(100)})
    simulator.advance(T0 + (orders + 1) * spacing)
    fills = [event for event in simulator.events if type(event) is OrderExecution]
    assert len(fills) == orders
    return [event.reported_at - event.timestamp for event in fills]


def test_delays_do_not_depend_on_the_tick_rate() -> None:
    """A run with a hundred times the ticks draws the same delays: one draw per match, keyed."""
    assert run(50 * MS) == run(MS // 2)


def test_delays_differ_by_seed_and_simulator() -> None:
    """Another seed, or another simulator id, is another run of delays; the same pair is the same run."""
    base = run(50 * MS)

    assert run(50 * MS) == base
    assert run(50 * MS, seed=4) != base
    assert run(50 * MS, simulator_id="other") != base


def test_draws_are_keyed_by_the_count_of_orders_and_not_by_their_ids() -> None:
    """Two strategies' orders draw by their own count, so one strategy's delays ignore the other's activity."""

    def delays_of_first(*, with_other: bool) -> list[int]:
        simulator = ExecutionSimulator(
            initial_cash=D(10**6), latency_config=LatencyConfig(submit=Constant(0), ack=Uniform(0, 50 * MS)), seed=5
        )
        for n in range(4):
            at = T0 + n * 100 * MS
            for strategy in ("B", "A") if with_other else ("A",):
                order = Order(
                    order_id=f"{strategy}{n}{with_other}",
                    symbol="ACME",
                    side=OrderSide.BUY,
                    order_type=OrderType.LIMIT,
                    quantity=D(1),
                    created_at=at,
                    limit_price=D(1),
                    strategy_id=strategy,
                )
                simulator.submit_order(order, at if strategy == "A" else at - 50 * MS)
        simulator.advance(T0 + 10**9)
        return [
            event.reported_at - event.timestamp
            for event in simulator.events
            if type(event) is OrderAccepted and event.order_id.startswith("A")
        ]

    alone, together = delays_of_first(with_other=False), delays_of_first(with_other=True)

    assert len(alone) == 4
    assert len(set(alone)) > 1
    assert together == alone


def test_global_random_state_is_neither_read_nor_moved() -> None:
    """Python's shared generator has no part in any draw."""
    import random  # noqa: PLC0415 - nobody else in here may use it

    random.seed(1)
    before = random.getstate()
    first = run(50 * MS)
    assert random.getstate() == before
    random.seed(2)
    assert run(50 * MS) == first
