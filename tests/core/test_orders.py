"""The order contract: what an order may be, and the only ways it may move on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial import Liquidity, Order, OrderExecution, OrderSide, OrderStatus, OrderType, RejectionReason, TimeInForce
from seatrial.contracts.events import (
    CancelRefused,
    CancelRequested,
    ModifyRefused,
    ModifyRequested,
    OrderAccepted,
    OrderCancelled,
    OrderChange,
    OrderDenied,
    OrderEvent,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderSubmitted,
    OrderTriggered,
)
from seatrial.contracts.orders import TERMINAL, TRANSITIONS
from seatrial.contracts.rejection import RefusedBy, Rejection
from seatrial.errors import InvalidOrderError, InvalidTimeError, InvalidTransition

D = Decimal
T0 = 1_700_000_000_000_000_000
HUNDRED = D(100)
NOTHING = D(0)
REFUSAL = Rejection(
    RejectionReason.INSUFFICIENT_FUNDS, "110 is needed, 100 is free", RefusedBy.VENUE, None, D(110), D(100)
)
TOO_LATE = Rejection(RejectionReason.TOO_LATE_TO_CANCEL, "O-1 has ended at the venue", RefusedBy.VENUE)
S = OrderStatus

BASE: dict[str, Any] = {
    "order_id": "O-1",
    "symbol": "ACME",
    "side": OrderSide.BUY,
    "order_type": OrderType.MARKET,
    "quantity": D(10),
    "created_at": T0,
}
PRICES: dict[OrderType, dict[str, Any]] = {
    OrderType.MARKET: {},
    OrderType.LIMIT: {"limit_price": D(100)},
    OrderType.STOP: {"stop_price": D(90)},
    OrderType.STOP_LIMIT: {"stop_price": D(90), "limit_price": D(89)},
    OrderType.TRAILING_STOP: {"trail_amount": D(2)},
    OrderType.TRAILING_STOP_LIMIT: {"trail_percent": D(2), "limit_offset": D(0)},
    OrderType.MARKET_ON_CLOSE: {},
    OrderType.MARKET_IF_TOUCHED: {"stop_price": D(90)},
    OrderType.LIMIT_IF_TOUCHED: {"stop_price": D(90), "limit_price": D(91)},
    OrderType.MARKET_TO_LIMIT: {},
    OrderType.NATIVE: {"native_type": "iceberg"},
}


def make(**fields: Any) -> Order:
    """Return a new order: a market buy of 10 unless told otherwise."""
    return Order(**{**BASE, **fields})


def of_type(kind: OrderType, **fields: Any) -> Order:
    """Return a valid order of a type."""
    return make(order_type=kind, **{**PRICES[kind], **fields})


def fill(
    quantity: Decimal, price: Decimal = HUNDRED, commission: Decimal = NOTHING, order_id: str = "O-1"
) -> OrderExecution:
    """Return a fill of an order."""
    return OrderExecution(
        order_id, T0, T0, "E", quantity, price, commission, is_partial=False, liquidity=Liquidity.TAKER
    )


def event_of(kind: type, order_id: str = "O-1") -> OrderEvent:
    """Return a plain event of a kind."""
    head = (order_id, T0 + 5, T0 + 7)
    bodies: dict[type, tuple[Any, ...]] = {
        OrderDenied: (REFUSAL,),
        OrderRejected: (REFUSAL,),
        CancelRefused: (TOO_LATE,),
        ModifyRefused: (TOO_LATE,),
        OrderTriggered: (D(90),),
        ModifyRequested: (OrderChange(quantity=D(9)),),
        OrderReplaced: (OrderChange(quantity=D(9)),),
        OrderExecution: ("E", D(1), D(100), D(0), True, Liquidity.TAKER),
    }
    event: OrderEvent = kind(*head, *bodies.get(kind, ()))
    return event


def walk(order: Order, events: Sequence[OrderEvent]) -> Order:
    """Return the order after all the events."""
    for event in events:
        order = order.apply(event)
    return order


# -- construction ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", OrderType)
def test_every_type_can_be_built(kind: OrderType) -> None:
    """Each order type has a valid form, starts as NEW and has everything to fill."""
    order = of_type(kind)

    assert order.order_type is kind
    assert order.status is S.NEW
    assert order.stage is S.NEW
    assert order.remaining_quantity == order.quantity == D(10)
    assert (order.filled_quantity, order.avg_fill_price, order.total_commission) == (D(0), None, D(0))
    assert (order.executions, order.events) == ((), ())
    assert not order.is_complete
    assert not order.in_flight
    assert (order.submitted_at, order.rejected_at, order.cancelled_at) == (None, None, None)
    assert (order.rejection_reason, order.rejection_message) == (None, None)


LIMIT = {"order_type": OrderType.LIMIT, "limit_price": D(100)}
TRAIL = {"order_type": OrderType.TRAILING_STOP}
TRAIL_LIMIT = {"order_type": OrderType.TRAILING_STOP_LIMIT, "trail_amount": D(2)}
INVALID: list[tuple[str, dict[str, Any], str, str]] = [
    ("empty id", {"order_id": ""}, "order_id", "non-empty"),
    ("int id", {"order_id": 7}, "order_id", "str"),
    ("unprintable id", {"order_id": "O\n1"}, "order_id", "printable"),
    ("empty symbol", {"symbol": ""}, "symbol", "non-empty"),
    ("symbol None", {"symbol": None}, "symbol", "str"),
    ("empty strategy", {"strategy_id": ""}, "strategy_id", "non-empty"),
    ("side as text", {"side": "buy"}, "side", "OrderSide"),
    ("type as text", {"order_type": "market"}, "order_type", "OrderType"),
    ("tif as text", {"time_in_force": "gtc"}, "time_in_force", "TimeInForce"),
    ("zero quantity", {"quantity": D(0)}, "quantity", "above zero"),
    ("negative quantity", {"quantity": D(-5)}, "quantity", "side"),
    ("negative int", {"quantity": -5}, "quantity", "above zero"),
    ("NaN quantity", {"quantity": D("NaN")}, "quantity", "NaN"),
    ("signalling NaN quantity", {"quantity": D("sNaN")}, "quantity", "NaN"),
    ("infinite quantity", {"quantity": D("Infinity")}, "quantity", "Infinity"),
    ("float quantity", {"quantity": 10.0}, "quantity", "give a Decimal"),
    ("text quantity", {"quantity": "10"}, "quantity", "give a Decimal"),
    ("bool quantity", {"quantity": True}, "quantity", "give a Decimal"),
    ("missing quantity", {"quantity": None}, "quantity", "give a Decimal"),
    ("float limit", {**LIMIT, "limit_price": 100.0}, "limit_price", "give a Decimal"),
    ("text limit", {**LIMIT, "limit_price": "100"}, "limit_price", "give a Decimal"),
    ("zero limit", {**LIMIT, "limit_price": D(0)}, "limit_price", "above zero"),
    ("negative limit", {**LIMIT, "limit_price": D(-1)}, "limit_price", "above zero"),
    ("NaN limit", {**LIMIT, "limit_price": D("NaN")}, "limit_price", "NaN"),
    ("infinite limit", {**LIMIT, "limit_price": D("inf")}, "limit_price", "Infinity"),
    ("limit without price", {"order_type": OrderType.LIMIT}, "limit_price", "needs one"),
    ("limit with a stop", {**LIMIT, "stop_price": D(90)}, "stop_price", "has none"),
    ("limit with a trail", {**LIMIT, "trail_amount": D(1)}, "trail_amount", "has none"),
    ("market with a limit", {"limit_price": D(100)}, "limit_price", "has none"),
    ("market with a stop", {"stop_price": D(100)}, "stop_price", "has none"),
    ("market with an offset", {"limit_offset": D(1)}, "limit_offset", "has none"),
    ("close with a limit", {"order_type": OrderType.MARKET_ON_CLOSE, "limit_price": D(1)}, "limit_price", "has none"),
    (
        "to limit with a limit",
        {"order_type": OrderType.MARKET_TO_LIMIT, "limit_price": D(1)},
        "limit_price",
        "has none",
    ),
    ("stop without price", {"order_type": OrderType.STOP}, "stop_price", "needs one"),
    (
        "stop with a limit",
        {"order_type": OrderType.STOP, "stop_price": D(1), "limit_price": D(1)},
        "limit_price",
        "none",
    ),
    ("stop limit without stop", {"order_type": OrderType.STOP_LIMIT, "limit_price": D(1)}, "stop_price", "needs one"),
    ("stop limit without limit", {"order_type": OrderType.STOP_LIMIT, "stop_price": D(1)}, "limit_price", "needs one"),
    ("touched without price", {"order_type": OrderType.MARKET_IF_TOUCHED}, "stop_price", "needs one"),
    ("limit touched, no stop", {"order_type": OrderType.LIMIT_IF_TOUCHED, "limit_price": D(1)}, "stop_price", "needs"),
    ("limit touched, no limit", {"order_type": OrderType.LIMIT_IF_TOUCHED, "stop_price": D(1)}, "limit_price", "needs"),
    ("no trail", TRAIL, "trail_amount", "either"),
    ("both trails", {**TRAIL, "trail_amount": D(1), "trail_percent": D(1)}, "trail_amount", "either"),
    ("zero trail", {**TRAIL, "trail_amount": D(0)}, "trail_amount", "above zero"),
    ("negative trail", {**TRAIL, "trail_percent": D(-1)}, "trail_percent", "above zero"),
    ("trail of all", {**TRAIL, "trail_percent": D(100)}, "trail_percent", "below 100"),
    ("trailing stop with a limit", {**TRAIL, "trail_amount": D(1), "limit_price": D(1)}, "limit_price", "has none"),
    ("trail limit without offset", TRAIL_LIMIT, "limit_offset", "give either"),
    ("trail limit, limit alone", {**TRAIL_LIMIT, "limit_price": D(9)}, "limit_offset", "give either"),
    (
        "trail limit, limit and offset",
        {**TRAIL_LIMIT, "limit_price": D(9), "limit_offset": D(1)},
        "limit_offset",
        "give either",
    ),
    (
        "trail limit, everything",
        {**TRAIL_LIMIT, "limit_price": D(9), "stop_price": D(9), "limit_offset": D(1)},
        "limit_offset",
        "give either",
    ),
    ("trail limit, negative offset", {**TRAIL_LIMIT, "limit_offset": D(-1)}, "limit_offset", "-1"),
    ("native without name", {"order_type": OrderType.NATIVE}, "native_type", "names the engine's own type"),
    ("name without native", {"native_type": "iceberg"}, "native_type", "no other"),
    ("own parent", {"parent_id": "O-1"}, "parent_id", "itself"),
    ("gtd without time", {"time_in_force": TimeInForce.GTD}, "expire_at", "needs one"),
    ("time without gtd", {"expire_at": T0}, "expire_at", "no other takes one"),
    ("day with a time", {"time_in_force": TimeInForce.DAY, "expire_at": T0}, "expire_at", "no other takes one"),
    ("post-only market", {"post_only": True}, "post_only", "resting limit"),
    ("post-only ioc", {**LIMIT, "post_only": True, "time_in_force": TimeInForce.IOC}, "post_only", "resting limit"),
    ("post-only fok", {**LIMIT, "post_only": True, "time_in_force": TimeInForce.FOK}, "post_only", "resting limit"),
    *[
        (f"{tif} {kind}", {"order_type": kind, **PRICES[kind], "time_in_force": tif}, "time_in_force", "cannot be")
        for kind in (OrderType.MARKET_ON_CLOSE, OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT)
        for tif in (TimeInForce.IOC, TimeInForce.FOK)
    ],
    ("not new", {"status": S.SUBMITTED}, "status", "apply()"),
]


@pytest.mark.parametrize(("fields", "field", "hint"), [row[1:] for row in INVALID], ids=[row[0] for row in INVALID])
def test_invalid_combination_is_refused_by_field(fields: dict[str, Any], field: str, hint: str) -> None:
    """A contradiction raises at once, names the order and the field to change, and says what is wrong."""
    with pytest.raises(InvalidOrderError) as caught:
        make(**fields)

    assert caught.value.field == field
    assert caught.value.order_id == fields.get("order_id", "O-1")
    message = str(caught.value)
    assert field in message
    assert hint in message


@pytest.mark.parametrize("kind", OrderType)
@pytest.mark.parametrize("field", ["limit_price", "stop_price", "trail_amount", "trail_percent", "limit_offset"])
def test_stray_price_is_never_ignored(kind: OrderType, field: str) -> None:
    """A price that an order type has no use for is refused rather than dropped; a native type may carry any."""
    fields = PRICES[kind]
    if field in fields or kind is OrderType.NATIVE:
        assert getattr(of_type(kind, **{field: D(1)}), field) == D(1)
        return
    if kind in {OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT} and field == "stop_price":
        assert of_type(kind, stop_price=D(1)).stop_price == D(1)  # where a trailing stop starts
        return

    with pytest.raises(InvalidOrderError) as caught:
        of_type(kind, **{field: D(1)})
    assert caught.value.field in {field, "trail_amount", "limit_offset"}


@pytest.mark.parametrize("kind", OrderType)
def test_post_only_is_for_orders_that_can_rest_at_a_limit(kind: OrderType) -> None:
    """Post-only goes with limits of every kind, and with no order that can only take."""
    limited = {
        OrderType.LIMIT,
        OrderType.STOP_LIMIT,
        OrderType.LIMIT_IF_TOUCHED,
        OrderType.TRAILING_STOP_LIMIT,
        OrderType.NATIVE,
    }
    if kind in limited:
        assert of_type(kind, post_only=True).post_only
        return

    with pytest.raises(InvalidOrderError, match="takes liquidity") as caught:
        of_type(kind, post_only=True)
    assert caught.value.field == "post_only"


def test_trailing_stop_limit_takes_its_offset_or_two_prices() -> None:
    """The distance of a trailing limit is given, zero included, or follows from stop and limit."""
    given_offset = make(**TRAIL_LIMIT, limit_offset=D("0.5"))
    derived = make(**TRAIL_LIMIT, stop_price=D(98), limit_price=D(97))

    assert given_offset.limit_offset == D("0.5")
    assert (derived.stop_price, derived.limit_price, derived.limit_offset) == (D(98), D(97), None)


# -- the front door ----------------------------------------------------------------------------------------------------


def test_aware_datetimes_become_utc_nanoseconds() -> None:
    """An aware datetime of any zone is stored as UNIX ns UTC, to the microsecond."""
    moment = datetime(2024, 8, 8, 12, 30, 0, 123_456, tzinfo=UTC)
    ns = 1_723_120_200_123_456_000

    east = moment.astimezone(timezone(timedelta(hours=5, minutes=30)))
    order = make(created_at=east, time_in_force=TimeInForce.GTD, expire_at=moment)

    assert (order.created_at, order.expire_at) == (ns, ns)
    assert type(order.created_at) is int


def test_orders_of_one_size_share_it() -> None:
    """Equal quantities are kept once, but never with digits that the order was not given, nor as another type."""
    odd = type("Odd", (Decimal,), {})
    sizes = ["7654.5", "7654.50", "7654.5", "7654.50"]
    first, other, again, longer = (make(quantity=D(size)).quantity for size in sizes)

    assert [str(quantity) for quantity in (first, other, again, longer)] == sizes
    assert again is first
    assert type(make(quantity=odd("7654.5")).quantity) is odd
    assert type(make(quantity=D("7654.5")).quantity) is Decimal


def test_ints_become_exact_decimals() -> None:
    """An int quantity or price is exact, so it is taken, as a Decimal."""
    order = Order(
        order_id="O-1",
        symbol="ACME",
        side=OrderSide.SELL,
        order_type=OrderType.STOP_LIMIT,
        quantity=10,
        created_at=T0,
        limit_price=99,
        stop_price=100,
        tags=["a", "b"],
    )

    assert [type(value) for value in (order.quantity, order.limit_price, order.stop_price)] == [D, D, D]
    assert (order.quantity, order.limit_price, order.stop_price) == (D(10), D(99), D(100))
    assert order.tags == ("a", "b")


@pytest.mark.parametrize("field", ["created_at", "expire_at"])
@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (datetime(2024, 8, 8, 12, 30), "time zone"),  # noqa: DTZ001 - the naive one is the point
        (1.7e18, "float"),
        ("2024-08-08T12:30:00Z", "str"),
        (True, "bool"),
        (-1, "1970-2262"),
        (2**63, "1970-2262"),
        (datetime(1969, 12, 31, tzinfo=UTC), "1970-2262"),
    ],
)
def test_unusable_times_are_refused(field: str, value: object, hint: str) -> None:
    """A naive datetime, a float or a time off the time line raises and says what to give."""
    with pytest.raises(InvalidTimeError, match=hint) as caught:
        make(**{"time_in_force": TimeInForce.GTD, "expire_at": T0, field: value})

    assert caught.value.value == value
    assert "give" in str(caught.value)


def test_order_cannot_be_changed_in_place() -> None:
    """No field can be set, and applying an event leaves the order before it as it was."""
    order = make()
    with pytest.raises(AttributeError):
        order.quantity = D(1)  # type: ignore[misc]
    with pytest.raises(AttributeError):
        order.status = S.FILLED  # type: ignore[misc]

    before = msgspec.json.encode(order)
    after = order.apply(event_of(OrderSubmitted))

    assert msgspec.json.encode(order) == before
    assert after is not order
    assert (order.status, after.status) == (S.NEW, S.PENDING_SUBMIT)
    assert isinstance(after.events, tuple)


# -- the transition table ----------------------------------------------------------------------------------------------

SUBMIT, ACCEPT = event_of(OrderSubmitted), event_of(OrderAccepted)
ALL_KINDS: tuple[type, ...] = get_args(OrderEvent)
PATHS: dict[OrderStatus, tuple[OrderEvent, ...]] = {
    S.NEW: (),
    S.PENDING_SUBMIT: (SUBMIT,),
    S.SUBMITTED: (SUBMIT, ACCEPT),
    S.PARTIALLY_FILLED: (SUBMIT, ACCEPT, fill(D(4))),
    S.FILLED: (SUBMIT, ACCEPT, fill(D(10))),
    S.CANCELLED: (SUBMIT, ACCEPT, event_of(OrderCancelled)),
    S.REJECTED: (SUBMIT, event_of(OrderRejected)),
    S.EXPIRED: (SUBMIT, ACCEPT, event_of(OrderExpired)),
}
_ANYWHERE_OPEN: dict[type, OrderStatus] = {
    CancelRequested: S.PENDING_CANCEL,
    ModifyRequested: S.PENDING_REPLACE,
    OrderCancelled: S.CANCELLED,
    OrderExpired: S.EXPIRED,
}
EXPECTED: dict[OrderStatus, dict[type, OrderStatus]] = {
    S.NEW: {OrderSubmitted: S.PENDING_SUBMIT, OrderDenied: S.REJECTED},
    S.PENDING_SUBMIT: {
        **_ANYWHERE_OPEN,
        CancelRefused: S.PENDING_SUBMIT,
        ModifyRefused: S.PENDING_SUBMIT,
        OrderAccepted: S.SUBMITTED,
        OrderRejected: S.REJECTED,
    },
    S.SUBMITTED: {
        **_ANYWHERE_OPEN,
        CancelRefused: S.SUBMITTED,
        ModifyRefused: S.SUBMITTED,
        OrderRejected: S.REJECTED,
        OrderTriggered: S.SUBMITTED,
        OrderExecution: S.PARTIALLY_FILLED,
        OrderReplaced: S.SUBMITTED,
    },
    S.PARTIALLY_FILLED: {
        **_ANYWHERE_OPEN,
        CancelRefused: S.PARTIALLY_FILLED,
        ModifyRefused: S.PARTIALLY_FILLED,
        OrderTriggered: S.PARTIALLY_FILLED,
        OrderExecution: S.PARTIALLY_FILLED,
        OrderReplaced: S.PARTIALLY_FILLED,
    },
    S.FILLED: {CancelRefused: S.FILLED, ModifyRefused: S.FILLED},
    S.CANCELLED: {CancelRefused: S.CANCELLED, ModifyRefused: S.CANCELLED},
    S.REJECTED: {CancelRefused: S.REJECTED, ModifyRefused: S.REJECTED},
    S.EXPIRED: {CancelRefused: S.EXPIRED, ModifyRefused: S.EXPIRED},
}
REQUEST_OF: dict[type, type] = {
    CancelRefused: CancelRequested,
    ModifyRefused: ModifyRequested,
    OrderReplaced: ModifyRequested,
}


def test_expectations_cover_the_whole_table() -> None:
    """The table and the expectations below name the same stages and the same events."""
    assert set(TRANSITIONS) == set(EXPECTED) == set(S) - {S.PENDING_CANCEL, S.PENDING_REPLACE}
    assert {stage: set(row) for stage, row in TRANSITIONS.items()} == {
        stage: set(row) for stage, row in EXPECTED.items()
    }
    assert set().union(*EXPECTED.values()) == set(ALL_KINDS)


@pytest.mark.parametrize("kind", ALL_KINDS)
@pytest.mark.parametrize("stage", EXPECTED)
def test_every_stage_takes_its_events_and_no_others(stage: OrderStatus, kind: type) -> None:
    """Each of the stage-event pairs moves the order as the table says, or raises with the allowed names."""
    order = walk(make(), PATHS[stage])
    assert order.stage is stage
    request = REQUEST_OF.get(kind)
    if request is not None and kind in EXPECTED[stage] and stage not in TERMINAL:
        order = order.apply(event_of(request))
        assert order.stage is stage

    event = event_of(kind)
    following = EXPECTED[stage].get(kind)
    if following is not None:
        after = order.apply(event)
        assert after.status is following
        assert after.events == (*order.events, event)
        return

    with pytest.raises(InvalidTransition) as caught:
        order.apply(event)
    allowed = tuple(sorted(one.__name__ for one in EXPECTED[stage]))
    assert caught.value.allowed == allowed
    assert caught.value.order is order
    assert caught.value.event is event
    message = str(caught.value)
    assert "O-1" in message
    assert kind.__name__ in message
    assert all(name in message for name in allowed)
    assert str(order.status) in message


@pytest.mark.parametrize("kind", ALL_KINDS)
@pytest.mark.parametrize("stage", EXPECTED)
def test_foreign_event_is_refused_everywhere(stage: OrderStatus, kind: type) -> None:
    """No stage takes another order's event, whatever it is."""
    order = walk(make(), PATHS[stage])
    with pytest.raises(InvalidTransition):
        order.apply(event_of(kind, order_id="O-2"))


@pytest.mark.parametrize("kind", [CancelRefused, ModifyRefused, OrderReplaced])
@pytest.mark.parametrize("stage", [S.SUBMITTED, S.PARTIALLY_FILLED])
def test_answer_without_a_question_is_refused_while_the_order_lives(stage: OrderStatus, kind: type) -> None:
    """A working order takes an answer only to a request it has made."""
    order = walk(make(), PATHS[stage])
    with pytest.raises(InvalidTransition):
        order.apply(event_of(kind))


def test_venue_may_change_an_order_unasked() -> None:
    """A replacement that nobody requested changes the terms and answers no pending modify."""
    order = walk(make(), [SUBMIT, ACCEPT, event_of(ModifyRequested)])
    unasked = OrderReplaced("O-1", T0, T0, OrderChange(quantity=D(6)), requested=False)

    after = order.apply(unasked)

    assert (after.quantity, after.status, after.pending_modifies) == (D(6), S.PENDING_REPLACE, 1)


# -- fills -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quantity", [D("10.00000001"), D(11), D(0), D(-1)])
def test_fill_beyond_the_rest_is_refused(quantity: Decimal) -> None:
    """A fill larger than what remains, or of nothing, raises and changes nothing."""
    order = walk(make(), [SUBMIT, ACCEPT])
    with pytest.raises(InvalidTransition):
        order.apply(fill(quantity))
    assert order.filled_quantity == 0


def test_overfill_is_refused_after_partial_fills() -> None:
    """What was filled before counts: 6 and 5 do not fit into 10, 6 and 4 do."""
    order = walk(make(), [SUBMIT, ACCEPT, fill(D(6))])
    with pytest.raises(InvalidTransition):
        order.apply(fill(D(5)))

    assert order.apply(fill(D(4))).status is S.FILLED


def test_modified_quantity_bounds_later_fills() -> None:
    """After a modify to 12, a filled 6 leaves 6 more; one above is an overfill."""
    change = OrderChange(quantity=D(12))
    asked, done = ModifyRequested("O-1", T0, T0, change), OrderReplaced("O-1", T0, T0, change)
    order = walk(make(), [SUBMIT, ACCEPT, fill(D(6)), asked, done])

    assert (order.quantity, order.remaining_quantity, order.status) == (D(12), D(6), S.PARTIALLY_FILLED)
    with pytest.raises(InvalidTransition):
        order.apply(fill(D(7)))
    assert order.apply(fill(D(6))).status is S.FILLED


FILLS = st.lists(
    st.tuples(
        st.decimals("0.001", "50", places=3),
        st.decimals("0.01", "5000", places=2),
        st.decimals("-1", "9", places=4),
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(fills=FILLS)
def test_average_and_commission_agree_with_a_recomputation(fills: list[tuple[Decimal, Decimal, Decimal]]) -> None:
    """After every fill the running sums equal those taken anew from all executions."""
    total = sum((quantity for quantity, _, _ in fills), D(0))
    order = walk(make(quantity=total), [SUBMIT, ACCEPT])
    for quantity, price, commission in fills:
        order = order.apply(fill(quantity, price, commission))
        executions = order.executions
        filled = sum((one.quantity for one in executions), D(0))
        value = sum((one.quantity * one.price for one in executions), D(0))
        assert order.filled_quantity == filled
        assert order.remaining_quantity == total - filled
        assert order.avg_fill_price == value / filled
        assert order.total_commission == sum((one.commission for one in executions), D(0))
        assert order.status is (S.FILLED if filled == total else S.PARTIALLY_FILLED)
    assert order.is_complete


def test_executions_keep_their_order_and_identity() -> None:
    """`executions` are the fill events themselves, oldest first, among whatever else happened."""
    first, second = fill(D(3)), fill(D(2), D(101))
    order = walk(make(), [SUBMIT, ACCEPT, first, event_of(CancelRequested), event_of(CancelRefused), second])

    assert order.executions == (first, second)
    assert [type(event) for event in order.events if type(event) is not OrderExecution] == [
        OrderSubmitted,
        OrderAccepted,
        CancelRequested,
        CancelRefused,
    ]


# -- pending requests --------------------------------------------------------------------------------------------------

CANCEL, KEPT = event_of(CancelRequested), event_of(CancelRefused)
CHANGE, UNCHANGED, CHANGED = event_of(ModifyRequested), event_of(ModifyRefused), event_of(OrderReplaced)
OVERLAYS: list[tuple[str, list[OrderEvent], OrderStatus]] = [
    ("cancel in flight", [CANCEL], S.PENDING_CANCEL),
    ("modify in flight", [CHANGE], S.PENDING_REPLACE),
    ("cancel covers modify", [CHANGE, CANCEL], S.PENDING_CANCEL),
    ("modify does not cover cancel", [CANCEL, CHANGE], S.PENDING_CANCEL),
    ("refused cancel uncovers modify", [CHANGE, CANCEL, KEPT], S.PENDING_REPLACE),
    ("refused modify stays under cancel", [CHANGE, CANCEL, UNCHANGED], S.PENDING_CANCEL),
    ("replaced stays under cancel", [ACCEPT, CHANGE, CANCEL, CHANGED], S.PENDING_CANCEL),
    ("accept under cancel", [CANCEL, ACCEPT], S.PENDING_CANCEL),
    ("accept under modify", [CHANGE, ACCEPT], S.PENDING_REPLACE),
    ("refused before accept", [CANCEL, KEPT], S.PENDING_SUBMIT),
    ("modify refused before accept", [CHANGE, UNCHANGED], S.PENDING_SUBMIT),
    ("refused after accept", [CANCEL, ACCEPT, KEPT], S.SUBMITTED),
    ("part under cancel", [ACCEPT, CANCEL, fill(D(1))], S.PENDING_CANCEL),
    ("part, then refused cancel", [ACCEPT, CANCEL, fill(D(1)), KEPT], S.PARTIALLY_FILLED),
    ("part under modify", [ACCEPT, CHANGE, fill(D(1))], S.PENDING_REPLACE),
    ("part, then replaced", [ACCEPT, CHANGE, fill(D(1)), CHANGED], S.PARTIALLY_FILLED),
    ("two modifies, one answered", [ACCEPT, CHANGE, CHANGE, CHANGED], S.PENDING_REPLACE),
    ("two modifies, both answered", [ACCEPT, CHANGE, CHANGE, CHANGED, UNCHANGED], S.SUBMITTED),
    ("two cancels, one refused", [ACCEPT, CANCEL, CANCEL, KEPT], S.PENDING_CANCEL),
    ("filled under cancel", [ACCEPT, CANCEL, fill(D(10))], S.FILLED),
    ("filled under cancel, then refused", [ACCEPT, CANCEL, fill(D(10)), KEPT], S.FILLED),
    ("cancelled under modify", [ACCEPT, CHANGE, CANCEL, event_of(OrderCancelled), UNCHANGED], S.CANCELLED),
    ("expired under cancel", [ACCEPT, CANCEL, event_of(OrderExpired), KEPT], S.EXPIRED),
    ("rejected under cancel", [CANCEL, event_of(OrderRejected), KEPT], S.REJECTED),
]


@pytest.mark.parametrize(("events", "status"), [row[1:] for row in OVERLAYS], ids=[row[0] for row in OVERLAYS])
def test_pending_requests_cover_the_stage_beneath(events: list[OrderEvent], status: OrderStatus) -> None:
    """Status is terminal, else pending cancel, else pending replace, else derived from accept and fills."""
    order = walk(make(), [SUBMIT, *events])

    assert order.status is status
    pending = {S.PENDING_SUBMIT, S.PENDING_CANCEL, S.PENDING_REPLACE}
    assert order.in_flight is (status in pending)
    assert order.is_complete is (status in TERMINAL)


@pytest.mark.parametrize(("request_event", "answer"), [(CANCEL, KEPT), (CHANGE, UNCHANGED)])
def test_refused_request_leaves_the_rejection_alone(request_event: OrderEvent, answer: OrderEvent) -> None:
    """A refused cancel or modify is in the history and nowhere else: the order itself was not refused."""
    order = walk(make(), [SUBMIT, ACCEPT, request_event, answer])

    assert (order.rejection, order.rejection_reason, order.rejection_message) == (None, None, None)
    assert (order.rejected_at, order.cancelled_at) == (None, None)
    assert order.events[-1] is answer


def test_late_refusal_keeps_an_earlier_rejection() -> None:
    """An order rejected by the venue keeps that reason when its cancel is then refused."""
    order = walk(make(), [SUBMIT, CANCEL, event_of(OrderRejected), KEPT])

    assert order.rejection == REFUSAL
    assert order.rejection_reason is RejectionReason.INSUFFICIENT_FUNDS
    assert order.rejection_message == "110 is needed, 100 is free"


# -- what the history tells --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "times"),
    [
        ([SUBMIT, ACCEPT], (T0 + 5, None, None)),
        ([event_of(OrderDenied)], (None, T0 + 5, None)),
        ([SUBMIT, event_of(OrderRejected)], (None, T0 + 5, None)),
        ([SUBMIT, ACCEPT, event_of(OrderCancelled)], (T0 + 5, None, T0 + 5)),
        ([SUBMIT, ACCEPT, event_of(OrderExpired)], (T0 + 5, None, None)),
    ],
)
def test_times_are_those_at_the_venue(events: list[OrderEvent], times: tuple[int | None, ...]) -> None:
    """`submitted_at`, `rejected_at` and `cancelled_at` are when it happened, not when it was reported."""
    order = walk(make(), events)
    assert (order.submitted_at, order.rejected_at, order.cancelled_at) == times


def test_unasked_cancel_keeps_its_reason() -> None:
    """A venue that ends an order by itself says why, and the order keeps it without counting as rejected."""
    why = Rejection(RejectionReason.NOT_FILLED, "5 could not be filled at once", RefusedBy.VENUE)
    order = walk(make(), [SUBMIT, ACCEPT, OrderCancelled("O-1", T0, T0, why)])

    assert (order.status, order.rejection_reason, order.rejected_at) == (S.CANCELLED, RejectionReason.NOT_FILLED, None)


CHANGES: list[tuple[OrderType, OrderChange]] = [
    (OrderType.LIMIT, OrderChange(quantity=D(7))),
    (OrderType.LIMIT, OrderChange(limit_price=D("99.5"))),
    (OrderType.STOP_LIMIT, OrderChange(stop_price=D(91), limit_price=D("90.5"))),
    (OrderType.TRAILING_STOP, OrderChange(trail_amount=D(3))),
    (OrderType.TRAILING_STOP_LIMIT, OrderChange(trail_percent=D(4))),
]


@pytest.mark.parametrize(("kind", "change"), CHANGES)
def test_replaced_order_has_the_new_terms(kind: OrderType, change: OrderChange) -> None:
    """A reported replacement sets exactly the fields of its change; before, the old terms hold."""
    order = walk(of_type(kind), [SUBMIT, ACCEPT, ModifyRequested("O-1", T0, T0, change)])
    changed = {field: value for field, value in msgspec.structs.asdict(change).items() if value is not None}
    for field in changed:
        assert getattr(order, field) == {**BASE, **PRICES[kind]}[field]

    after = order.apply(OrderReplaced("O-1", T0, T0, change))

    differing = {
        field
        for field in ("quantity", "limit_price", "stop_price", "trail_amount", "trail_percent", "limit_offset")
        if getattr(after, field) != getattr(order, field)
    }
    assert differing == set(changed)
    assert {field: getattr(after, field) for field in changed} == changed


@pytest.mark.parametrize(
    ("kind", "change", "field"),
    [
        (OrderType.LIMIT, OrderChange(), "change"),
        (OrderType.LIMIT, OrderChange(quantity=D(0)), "quantity"),
        (OrderType.LIMIT, OrderChange(limit_price=D(-1)), "limit_price"),
        (OrderType.LIMIT, OrderChange(stop_price=D(90)), "stop_price"),
        (OrderType.MARKET, OrderChange(limit_price=D(90)), "limit_price"),
        (OrderType.TRAILING_STOP, OrderChange(trail_percent=D(1)), "trail_amount"),
    ],
)
def test_contradictory_amendment_is_refused(kind: OrderType, change: OrderChange, field: str) -> None:
    """New terms are checked like a new order's, before anything is sent."""
    order = walk(of_type(kind), [SUBMIT, ACCEPT])
    with pytest.raises(InvalidOrderError) as caught:
        order.amended(change)
    assert caught.value.field == field


# -- properties --------------------------------------------------------------------------------------------------------

BUILDERS: list[Callable[[Decimal], OrderEvent]] = [
    *[lambda _, kind=kind: event_of(kind) for kind in ALL_KINDS if kind is not OrderExecution],
    fill,
]


@settings(deadline=None, derandomize=True, max_examples=150)
@given(
    steps=st.lists(st.tuples(st.sampled_from(BUILDERS), st.sampled_from([D(1), D(3), D("9.5"), D(20)])), max_size=14)
)
def test_any_events_at_all_keep_the_invariants(steps: list[tuple[Callable[[Decimal], OrderEvent], Decimal]]) -> None:
    """Whatever events come in whatever order, each is refused or leaves an order that agrees with its history."""
    order = make()
    for build, quantity in steps:
        event = build(quantity)
        try:
            after = order.apply(event)
        except InvalidTransition:
            continue
        assert after.events == (*order.events, event)
        if order.is_complete:
            assert after.status is order.status
        order = after
        assert 0 <= order.filled_quantity <= order.quantity
        assert order.filled_quantity == sum((one.quantity for one in order.executions), D(0))
        assert order.filled_value == sum((one.quantity * one.price for one in order.executions), D(0))
        assert (order.status is S.FILLED) <= (order.remaining_quantity == 0)
        assert order.pending_cancels >= 0
        assert order.pending_modifies >= 0
        assert order.is_complete is (order.status in TERMINAL)
        if order.status is S.PENDING_CANCEL:
            assert order.pending_cancels
        if order.status is S.PENDING_REPLACE:
            assert order.pending_modifies
            assert not order.pending_cancels
