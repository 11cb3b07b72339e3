"""Moving: status, rank, version, key, permission; and taking a move back."""

import pytest

from kanban.db import db
from kanban.errors import Conflict, Forbidden, Invalid, NotFound
from kanban.models import Event, LiveChange, Order, Status
from kanban.transactions import transaction
from tests.cast import Cast


def test_a_move_changes_status_heads_version_and_history(cast: Cast) -> None:
    order = cast.place()
    moved = cast.move(order, "ready")
    assert cast.column("ready") == ["К-0001"]
    assert cast.head("design") == (0, 0) and cast.head("ready") == (1, 38_700_000)
    assert moved.order.version == 2
    assert moved.event and moved.event.before["status"]["name"] == "Разработка проекта"
    assert moved.event.after["status"]["name"] == "Проект готов"


def test_before_a_card_at_the_end_and_at_the_top(cast: Cast) -> None:
    a, b, c, d = (cast.place() for _ in range(4))
    cast.move(a, "ready")
    cast.move(b, "ready", before=str(a.id))
    cast.move(c, "ready", before="end")
    cast.move(d, "ready", before="")
    assert cast.column("ready") == ["К-0004", "К-0002", "К-0001", "К-0003"]


def test_before_a_card_that_has_left_goes_to_the_end(cast: Cast) -> None:
    a, b = cast.place(), cast.place()
    cast.move(a, "ready")
    cast.move(b, "ready", before="999999999999999999")
    assert cast.column("ready") == ["К-0001", "К-0002"]


def test_within_a_column_only_the_rank_changes(cast: Cast) -> None:
    a, b = cast.place(), cast.place()
    events = db.session.query(Event).count()
    moved = cast.move(a, "design", before=str(b.id), version=1)
    assert moved.event is None and moved.order.version == 1
    assert cast.column("design") == ["К-0001", "К-0002"]
    assert db.session.query(Event).count() == events
    with pytest.raises(Conflict):  # it is where it was to go, but by somebody else's hand
        cast.move(a, "design", before="", version=77)


def test_many_drops_at_one_place_keep_the_order(cast: Cast) -> None:
    first, second = cast.place(), cast.place()
    for _ in range(120):
        cast.move(first, "design", before=str(second.id))
        cast.move(second, "design", before=str(first.id))
    assert cast.column("design") == ["К-0002", "К-0001"]


def test_a_stale_move_is_refused_with_who_was_first(cast: Cast) -> None:
    order = cast.place()
    cast.move(order, "ready", cast.designer)
    with pytest.raises(Conflict, match=r"Марина Лисицына.*Проект готов") as refused:
        cast.move(order, "prepaid", version=1)
    assert refused.value.order is not None and refused.value.order.status_id == cast.statuses["ready"]
    assert cast.column("prepaid") == []


def test_a_repeated_key_gets_the_first_answer(cast: Cast) -> None:
    order = cast.place()
    first = cast.move(order, "ready", key="k1")
    again = cast.move(order, "ready", key="k1", version=1)
    assert first.event and again.event and first.event.id == again.event.id
    assert again.outcome.messages == first.outcome.messages == 1
    assert db.session.query(Event).filter_by(kind="order.moved").count() == 1


def test_a_key_of_somebody_else_is_refused(cast: Cast) -> None:
    order = cast.place()
    cast.move(order, "ready", key="k1")
    with pytest.raises(Conflict):
        cast.move(order, "prepaid", cast.manager, key="k1")


def test_roles_that_may_move_into_a_status(cast: Cast) -> None:
    with transaction() as session:
        status = session.get_one(Status, cast.statuses["paid"], options=[])
        session.execute(Status.moving.property.secondary.insert().values(status_id=status.id, role_id=cast.roles["accountant"]))
    order = cast.place()
    with pytest.raises(Forbidden, match="Бухгалтер"):
        cast.move(order, "paid", cast.manager)
    cast.move(order, "paid", cast.accountant)
    cast.move(order, "ready", cast.manager)
    cast.move(order, "paid", cast.owner)
    assert cast.column("paid") == ["К-0001"]


def test_a_viewer_moves_nothing(cast: Cast) -> None:
    order = cast.place()
    with pytest.raises(Forbidden):
        cast.move(order, "ready", cast.viewer)


def test_a_status_of_another_board_is_refused(cast: Cast) -> None:
    order = cast.place()
    with pytest.raises(Invalid, match="В производстве"):
        cast.move(order, "making")


def test_unknown_order_and_unknown_status(cast: Cast) -> None:
    order = cast.place()
    with pytest.raises(NotFound):
        cast.move(987654, "ready", version=1)
    cast.statuses["nowhere"] = 987654
    with pytest.raises(Invalid):
        cast.move(order, "nowhere")


def test_a_move_publishes_card_order_and_both_heads(cast: Cast) -> None:
    order = cast.place()
    cast.move(order, "ready")
    change = db.session.query(LiveChange).order_by(LiveChange.id.desc()).first()
    assert change is not None
    assert set(change.topics) == {
        f"card-{order.id}",
        f"order-{order.id}",
        f"head-{cast.statuses['design']}",
        f"head-{cast.statuses['ready']}",
    }


def test_a_linked_order_is_out_of_date_too(cast: Cast) -> None:
    order = cast.place()
    work = cast.produce(order)
    cast.move(work, "assembly")
    change = db.session.query(LiveChange).order_by(LiveChange.id.desc()).first()
    assert change is not None and f"card-{order.id}" in change.topics


def test_a_column_that_is_over_takes_newcomers_at_its_top_and_keeps_its_order(cast: Cast) -> None:
    a, b = cast.place(), cast.place()
    cast.move(a, "closed")
    cast.move(b, "closed", before="end")
    assert cast.column("closed") == ["К-0002", "К-0001"]
    cast.move(a, "closed", before=str(b.id))
    assert cast.column("closed") == ["К-0002", "К-0001"]


def test_undo_brings_back_status_place_and_age_and_cancels_the_messages(cast: Cast) -> None:
    a, _b = cast.place(), cast.place()
    entered = a.entered_at
    moved = cast.move(a, "prepaid")
    assert moved.event and moved.outcome.messages == 2
    undoing = cast.undo(a, moved.event.id)
    assert undoing.undone.cancelled.count == 2 and undoing.undone.gone.count == 0
    assert cast.column("design") == ["К-0002", "К-0001"]
    assert undoing.order.entered_at == entered
    assert {message.state for message in cast.messages(event_id=moved.event.id)} == {"cancelled"}
    assert cast.messages(event_id=undoing.event.id) == []
    assert undoing.event.undoes_id == moved.event.id


def test_undo_after_a_message_has_gone_is_an_ordinary_move(cast: Cast) -> None:
    order = cast.place()
    moved = cast.move(order, "prepaid")
    assert moved.event
    with transaction() as session:
        message = cast.messages(event_id=moved.event.id)[0]
        session.merge(message).state = "sent"
    undoing = cast.undo(order, moved.event.id)
    assert undoing.undone.gone.count == 1
    assert undoing.outcome.messages == 2  # the manager and the designer are told of the return
    assert len(cast.messages(event_id=undoing.event.id)) == 2


def test_undo_after_a_later_event_is_refused(cast: Cast) -> None:
    order = cast.place()
    first = cast.move(order, "ready")
    cast.move(order, "prepaid")
    assert first.event
    with pytest.raises(Conflict):
        cast.undo(order, first.event.id)


def test_undo_twice_is_refused(cast: Cast) -> None:
    order = cast.place()
    moved = cast.move(order, "ready")
    assert moved.event
    undoing = cast.undo(order, moved.event.id)
    with pytest.raises(Conflict):
        cast.undo(order, moved.event.id)
    with pytest.raises(Conflict):
        cast.undo(order, undoing.event.id)


def test_the_event_of_another_order_is_refused(cast: Cast) -> None:
    a, b = cast.place(), cast.place()
    moved = cast.move(a, "ready")
    assert moved.event
    with pytest.raises(Invalid):
        cast.undo(b, moved.event.id)


def test_heads_stay_true_after_everything(cast: Cast) -> None:
    placed = [cast.place(total=n * 100) for n in range(1, 8)]
    for step, order in enumerate(placed):
        cast.move(order, ("ready", "prepaid", "paid")[step % 3])
    for status in ("design", "ready", "prepaid", "paid"):
        rows = db.session.query(Order.total).filter_by(status_id=cast.statuses[status]).all()
        assert cast.head(status) == (len(rows), sum(total for (total,) in rows))
