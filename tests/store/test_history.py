"""Events: appended once, in order, projected by the published machines."""

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from fairlead.contracts.names import EVENTS_CHANNEL
from fairlead.contracts.steps import Append
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, NotFound
from fairlead.domain.states import DeploymentState, PromotionState, TaskState
from fairlead.store import deployments, history, promotions
from fairlead.store.database import Database, libpq_url
from tests.fixtures.postgres import FreshDatabase
from tests.store import seeds
from tests.store.seeds import NOW, at
from tests.store.together import together

PROMOTION, DEPLOYMENT = "promotion/p1", "deployment/p1"


def event(sequence: int, subject: str = PROMOTION, type: str = "noted", **more) -> Append:
    return Append(subject=subject, sequence=sequence, type=type, time=more.pop("time", NOW), **more)


def refused(s: Session, append: Append) -> Code:
    with pytest.raises(Conflict) as caught:
        history.append(s, append)
    return caught.value.code


def test_what_is_appended_is_read_back(s: Session):
    seeds.promotion(s)
    kept = history.append(s, event(1, actor="ana", code="held", data={"a": [1, None]}, state="evaluating"))
    assert history.event(s, PROMOTION, 1) == kept
    assert (kept.sequence, kept.actor, kept.code, kept.state) == (1, "ana", "held", "evaluating")
    assert kept.data == {"a": [1, None]}
    assert kept.time == NOW


def test_pages_follow_the_sequence(s: Session):
    for n in range(5):
        history.append(s, event(n, subject="edge/p1"))
    assert [e.sequence for e in history.events(s, "edge/p1")] == [0, 1, 2, 3, 4]
    assert [e.sequence for e in history.events(s, "edge/p1", after=1, limit=2)] == [2, 3]


@pytest.mark.parametrize(
    "other",
    [
        event(1, type="other"),
        event(1, time=at(1)),
        event(1, actor="ben"),
        event(1, code="held"),
        event(1, data={"a": 1}),
        event(1, state="evaluating"),
    ],
    ids=["type", "time", "actor", "code", "data", "state"],
)
def test_another_content_in_the_same_place_is_refused(s: Session, other: Append):
    seeds.promotion(s)
    history.append(s, event(1))
    assert refused(s, other) == Code.HISTORY_CONFLICT


@pytest.mark.parametrize("sequence", [2, 3, 100])
def test_a_gap_is_refused(s: Session, sequence: int):
    seeds.promotion(s)
    assert refused(s, event(sequence)) == Code.HISTORY_CONFLICT


def test_a_deployments_event_0_is_that_it_was_queued(s: Session):
    seeds.deployment(s, number=7)
    first = history.event(s, DEPLOYMENT, 0)
    assert (first.type, first.state, first.time, first.data["number"]) == ("queued", "queued", NOW, 7)
    assert refused(s, event(2, DEPLOYMENT)) == Code.HISTORY_CONFLICT
    assert history.append(s, event(1, DEPLOYMENT)).sequence == 1


def test_nothing_follows_the_end_of_a_promotion(s: Session):
    seeds.promotion(s)
    ended = event(1, type="ended", state="rejected")
    history.append(s, ended)
    assert refused(s, event(2)) == Code.HISTORY_CONFLICT
    assert history.append(s, ended).sequence == 1


def test_nothing_follows_the_end_of_a_deployment(s: Session):
    seeds.deployment(s)
    history.append(s, event(1, DEPLOYMENT, type="ended", state="cancelled"))
    assert refused(s, event(2, DEPLOYMENT)) == Code.HISTORY_CONFLICT


def test_an_edge_that_is_not_published_is_refused(s: Session):
    seeds.promotion(s)
    assert refused(s, event(1, state="deploying")) == Code.BAD_TRANSITION


@pytest.mark.parametrize("subject", ["promotion/none", "deployment/none"])
def test_a_subject_that_is_not_there_is_not_found(s: Session, subject: str):
    with pytest.raises(NotFound):
        history.append(s, event(0, subject))


def test_a_refused_event_leaves_no_trace(database: Database):
    with database.session() as s:
        seeds.promotion(s)
    with pytest.raises(Conflict), database.session() as s:
        history.append(s, event(1, state="succeeded"))
    with database.session() as s:
        assert len(history.events(s, PROMOTION)) == 1
        assert promotions.get(s, "p1").state == PromotionState.REQUESTED


def test_evaluated_projects_plan_verdicts_and_when_to_look_again(s: Session):
    seeds.promotion(s)
    data = {"plan": seeds.DIGEST, "verdicts": [{"gate": "freeze"}], "next_evaluation_at": "2030-01-01T13:00:00Z"}
    history.append(s, event(1, type="evaluated", state="evaluating", data=data))
    kept = promotions.get(s, "p1")
    assert (kept.plan, kept.verdicts, kept.next_evaluation_at) == (seeds.DIGEST, ({"gate": "freeze"},), at(3600))
    assert (kept.state, kept.sequence) == (PromotionState.EVALUATING, 1)


def test_votes_opened_projects_their_time(s: Session):
    seeds.promotion(s)
    history.append(s, event(1, type="votes_opened", data={"opened": NOW.isoformat(), "expires": at(60).isoformat()}))
    kept = promotions.get(s, "p1")
    assert (kept.votes_opened, kept.votes_expire) == (NOW, at(60))


def test_ended_projects_outcome_code_and_detail(s: Session):
    seeds.promotion(s)
    data = {"outcome": seeds.DIGEST, "code": "held", "detail": "why"}
    history.append(s, event(1, type="ended", time=at(9), state="failed", data=data))
    kept = promotions.get(s, "p1")
    assert (kept.outcome, kept.code, kept.detail, kept.ended_at) == (seeds.DIGEST, "held", "why", at(9))


def test_task_projects_state_code_and_detail(s: Session):
    seeds.deployment(s)
    seeds.task(s, "p1", "t1", "running")
    seeds.task(s, "p1", "t1", "failed", code="unhealthy", detail="500")
    kept = deployments.task(s, "p1", "t1")
    assert (kept.state, kept.code, kept.detail) == (TaskState.FAILED, "unhealthy", "500")
    assert deployments.task(s, "p1", "t2").state == TaskState.PENDING


def test_a_task_that_ended_does_not_move_again(s: Session):
    seeds.deployment(s)
    seeds.task(s, "p1", "t1", "skipped")
    with pytest.raises(Conflict):
        seeds.task(s, "p1", "t1", "running")


def test_a_task_that_is_not_there_is_not_found(s: Session):
    seeds.deployment(s)
    with pytest.raises(NotFound):
        seeds.task(s, "p1", "t9", "running")


def test_success_projects_when_it_was_verified(s: Session):
    seeds.deployment(s)
    seeds.succeed(s, "p1", at(5))
    kept = deployments.get(s, "p1")
    assert (kept.state, kept.verified_at, kept.ended_at) == (DeploymentState.SUCCEEDED, at(5), at(5))


def test_failure_is_no_verification(s: Session):
    seeds.deployment(s)
    seeds.step(s, "p1", "ended", time=at(5), state="failed", code="unhealthy", detail="500")
    kept = deployments.get(s, "p1")
    assert (kept.verified_at, kept.ended_at, kept.code, kept.detail) == (None, at(5), "unhealthy", "500")


def test_append_next_counts_by_itself(s: Session):
    made = [history.append_next(s, subject="environment/shop/prod", type="frozen", time=NOW) for _ in range(3)]
    assert [e.sequence for e in made] == [0, 1, 2]


def test_append_next_never_gives_a_number_twice(database: Database):
    made = together(database, lambda s, n: history.append_next(s, subject="project/shop", type="t", time=NOW).sequence)
    assert sorted(made) == list(range(20))


def test_two_who_append_the_same_both_succeed(database: Database):
    made = together(database, lambda s, n: history.append(s, event(n // 2, "edge/p1")).id)
    assert len(set(made)) == 10


def test_two_who_append_different_things_to_one_place_cannot_both_succeed(database: Database):
    with database.session() as s:
        seeds.promotion(s)

    def attempt(s: Session, n: int) -> bool:
        try:
            return bool(history.append(s, event(n // 2 + 1, data={"from": n})))
        except Conflict:
            return False

    assert sum(together(database, attempt)) == 10


def test_listeners_hear_the_subject_once_it_is_committed(database: Database, postgres: FreshDatabase):
    with psycopg.connect(libpq_url(postgres.app_url), autocommit=True) as listener:
        listener.execute(f"LISTEN {EVENTS_CHANNEL}")
        with database.session() as s:
            history.append(s, event(0, "edge/p1"))
            assert list(listener.notifies(timeout=0)) == []
        heard = next(listener.notifies(timeout=10))
    assert heard.payload == "edge/p1"


ORDERS = st.lists(st.integers(0, 9), max_size=20)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(repeats=ORDERS, rerun=st.integers(1, 10))
def test_appending_any_of_it_again_changes_nothing(postgres: FreshDatabase, repeats: list[int], rerun: int):
    """A workflow that replays, an activity that is retried: history stays what it was after the first time."""
    subject = f"edge/{'-'.join(map(str, repeats))}/{rerun}"
    script = [event(n, subject, data={"n": n}) for n in range(10)]
    with postgres.db.session() as s:
        first = [history.append(s, each) for each in script]
        again = [history.append(s, script[n]) for n in [*repeats, *range(rerun)]]
        assert again == [first[n] for n in [*repeats, *range(rerun)]]
        assert history.events(s, subject) == first
