"""What blocks a promotion, as a pure function over records."""

from datetime import datetime
from typing import Any

import pytest

from api import why
from api.standing import Standing
from fairlead.contracts.records import EventRecord, PromotionRecord, QueueRecord, RestraintRecord
from fairlead.domain.states import PromotionState
from tests.activities.shop import NOW, at

DIGEST = "sha256:" + "0" * 64


def promotion(state: str, **changes: Any) -> PromotionRecord:
    known = {
        "id": "p1",
        "ordinal": 1,
        "project": "shop",
        "environment": "prod",
        "release": "1.0.0",
        "release_digest": DIGEST,
        "requester": "ana",
        "intent": "promote",
        "state": state,
        "sequence": 1,
        "requested_at": NOW,
        "expires_at": at(86_400),
    }
    return PromotionRecord(**{**known, **changes})


def verdict(gate: str, decision: str = "pending", code: str = "soaking", **changes: Any) -> dict[str, Any]:
    known = {
        "gate": gate,
        "decision": decision,
        "reason_codes": [] if decision == "allow" else [code],
        "message": f"{gate} says {decision}",
        "facts": DIGEST,
        "policy": DIGEST,
        "evaluated_at": at(9).isoformat(),
        "details": {"soak": 600},
    }
    return {**known, **changes}


def evaluated(seconds: float, *verdicts: dict[str, Any]) -> EventRecord:
    return EventRecord(
        id=int(seconds),
        subject="promotion/p1",
        sequence=int(seconds),
        type="evaluated",
        time=at(seconds),
        data={"verdicts": verdicts},
    )


def restraint(kind: str, until: datetime | None = None, id: str = "r1") -> RestraintRecord:
    return RestraintRecord(
        id=id,
        kind=kind,
        project="shop",
        environment="prod",
        reason="incident 42",
        actor="ben",
        since=at(-60),
        until=until,
    )


def place(promotion: str, position: int, status: str = "waiting") -> QueueRecord:
    return QueueRecord(
        promotion=promotion,
        project="shop",
        environment="prod",
        position=position,
        status=status,
        queued_at=at(position),
    )


def codes(standing: Standing) -> list[str]:
    return [blocker.code for blocker in why.blocked_by(standing, NOW)]


WAITS = verdict("previous_environment", next_evaluation_at=at(300).isoformat())
FROZEN = verdict("freeze", code="frozen")

CASES: dict[str, tuple[Standing, list[str]]] = {
    "just requested": (Standing(promotion("requested", requested_at=at(-9))), []),
    "not begun in time": (Standing(promotion("requested", requested_at=at(-10))), ["temporal_unavailable"]),
    "nothing judged yet": (Standing(promotion("evaluating")), []),
    "every gate that does not allow": (
        Standing(
            promotion(
                "awaiting_approval",
                verdicts=(WAITS, verdict("security", "allow"), verdict("approval", code="votes_missing")),
            )
        ),
        ["soaking", "votes_missing"],
    ),
    "an error": (
        Standing(promotion("awaiting_gate", verdicts=(verdict("security", "error", "facts_unavailable"),))),
        ["facts_unavailable"],
    ),
    "each freeze": (
        Standing(
            promotion("awaiting_gate", verdicts=(FROZEN,)),
            restraints=(restraint("freeze", id="a"), restraint("freeze", id="b")),
        ),
        ["frozen", "frozen"],
    ),
    "a freeze that is just over": (Standing(promotion("awaiting_gate", verdicts=(FROZEN,))), ["frozen"]),
    "a hold keeps nothing from being judged": (
        Standing(promotion("awaiting_gate", verdicts=(WAITS,)), restraints=(restraint("hold"),)),
        ["soaking"],
    ),
    "queued under freeze and hold": (
        Standing(promotion("queued"), restraints=(restraint("freeze"), restraint("hold"))),
        ["frozen", "held"],
    ),
    "a hold that is passed": (
        Standing(promotion("queued", through_hold="because"), restraints=(restraint("hold"),)),
        [],
    ),
    "a rollback passes both": (
        Standing(promotion("queued", intent="rollback"), restraints=(restraint("freeze"), restraint("hold"))),
        [],
    ),
    "a freeze that has ended": (Standing(promotion("queued"), restraints=(restraint("freeze", until=at(-1)),)), []),
    "somebody has the place": (
        Standing(
            promotion("queued"), place=place("p1", 2), waiting=(place("p1", 2),), holder=place("p0", 1, "admitted")
        ),
        ["queued_behind"],
    ),
    "somebody came before": (
        Standing(promotion("queued"), waiting=(place("p0", 1), place("p1", 2))),
        ["queued_behind"],
    ),
    "first in the queue": (Standing(promotion("queued"), waiting=(place("p1", 1), place("p2", 2))), []),
    "has the place itself": (
        Standing(promotion("queued"), holder=place("p1", 1, "admitted"), waiting=(place("p2", 2),)),
        [],
    ),
    "being deployed": (Standing(promotion("deploying", verdicts=(WAITS,)), restraints=(restraint("freeze"),)), []),
    "succeeded": (Standing(promotion("succeeded", ended_at=NOW)), []),
    "rejected by a gate": (
        Standing(promotion("rejected", verdicts=(verdict("security", "deny", "vulnerability_blocked"), WAITS))),
        ["vulnerability_blocked"],
    ),
    "ended with a code": (Standing(promotion("failed", code="unhealthy", detail="web is unhealthy")), ["unhealthy"]),
    "ended without one": (Standing(promotion("expired")), ["expired"]),
}


@pytest.mark.parametrize(("standing", "expected"), CASES.values(), ids=CASES)
def test_what_blocks(standing: Standing, expected: list[str]):
    assert codes(standing) == expected


def test_every_state_has_an_answer():
    for state in PromotionState:
        why.blocked_by(Standing(promotion(state)), NOW)


def test_a_verdict_tells_rule_input_and_when_it_may_change():
    [blocker] = why.blocked_by(Standing(promotion("awaiting_gate", verdicts=(WAITS,))), NOW)
    assert (blocker.rule, blocker.until, blocker.details["soak"], blocker.details["facts"]) == (
        "previous_environment",
        at(300),
        600,
        DIGEST,
    )


def test_since_is_the_first_of_the_unbroken_row_of_same_answers():
    other = verdict("previous_environment", code="environment_not_reached")
    events = (evaluated(1, WAITS), evaluated(2, other), evaluated(3, WAITS), evaluated(4, WAITS))
    [blocker] = why.blocked_by(Standing(promotion("awaiting_gate", verdicts=(WAITS,)), events=events), NOW)
    assert blocker.since == at(3)


def test_a_freeze_tells_since_when_and_until_when():
    standing = Standing(
        promotion("awaiting_gate", verdicts=(FROZEN,)), restraints=(restraint("freeze", until=at(3600)),)
    )
    [blocker] = why.blocked_by(standing, NOW)
    assert (blocker.since, blocker.until, blocker.details["reason"]) == (at(-60), at(3600), "incident 42")


def test_the_queue_tells_holder_and_who_is_ahead():
    waiting = (place("p2", 1), place("p1", 2))
    standing = Standing(promotion("queued"), place=place("p1", 2), waiting=waiting, holder=place("p0", 0, "admitted"))
    [blocker] = why.blocked_by(standing, NOW)
    assert blocker.details == {"holder": "p0", "position": 1, "ahead": ["p0", "p2"]}
    assert blocker.since == at(2)
    assert why.position(standing) == 1


def test_the_next_change_is_the_earliest_that_is_known():
    standing = Standing(
        promotion("queued"),
        restraints=(restraint("freeze", at(50), "a"), restraint("hold", at(20), "b"), restraint("hold", id="c")),
    )
    assert why.next_change_at(why.blocked_by(standing, NOW)) == at(20)


def test_refusals_of_workflow_and_edge_come_in_the_order_of_time():
    def refused(seconds: float, subject: str) -> EventRecord:
        return EventRecord(id=0, subject=subject, sequence=0, type="vote_refused", time=at(seconds))

    standing = Standing(
        promotion("queued"), events=(evaluated(1), refused(3, "promotion/p1")), edge=(refused(2, "edge/p1"),)
    )
    assert [event.subject for event in why.refused(standing)] == ["edge/p1", "promotion/p1"]
