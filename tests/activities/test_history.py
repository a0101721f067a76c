"""Appending to history: one event, or several of which all are recorded or none."""

import pytest

from activities.history import HistoryActivities
from fairlead.contracts import names
from fairlead.contracts.steps import Append, AppendAll
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict
from tests.activities.shop import Shop, at


def events(subject: str, *types: str) -> AppendAll:
    made = (Append(subject=subject, sequence=n, type=type, time=at(n)) for n, type in enumerate(types, start=1))
    return AppendAll(events=tuple(made))


def test_several_events_are_recorded_in_order_and_once(shop: Shop) -> None:
    subject = names.promotion_subject(shop.promote("1.0.0").id)
    together = events(subject, "one", "two", "three")
    for _ in range(2):
        HistoryActivities(shop.db).append_all(together)
    assert [event.type for event in shop.events(subject)][1:] == ["one", "two", "three"]


def test_where_one_conflicts_none_is_recorded(shop: Shop) -> None:
    subject = names.promotion_subject(shop.promote("1.0.0").id)
    gap = AppendAll(
        events=tuple(event for event in events(subject, "one", "two", "three").events if event.sequence != 2)
    )
    with pytest.raises(Conflict) as caught:
        HistoryActivities(shop.db).append_all(gap)
    assert caught.value.code == Code.HISTORY_CONFLICT
    assert [event.type for event in shop.events(subject)][1:] == []
