"""What Temporal says, as errors of ours: over the real dev server, with small workflows that answer as ours do."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import RetryPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from api.temporal import TemporalOrchestrator
from fairlead.adapters import temporal
from fairlead.contracts import names
from fairlead.contracts.messages import CancelRequest, LaneInput, PromotionInput, RestraintAnswer, RestraintRequest
from fairlead.contracts.votes import VoteAnswer
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict, FairleadError, NotAllowed, NotFound, Unavailable
from tests.activities.shop import NOW, at

pytestmark = pytest.mark.temporal

DIGEST = "sha256:" + "0" * 64
REQUEST = PromotionInput(
    promotion="p1",
    project="shop",
    environment="prod",
    release="1.0.0",
    release_digest=DIGEST,
    requester="ana",
    requested_at=NOW,
    expires_at=at(3600),
)


@workflow.defn(name=names.PROMOTION)
class PlayedPromotion:
    """Answers a vote as its envelope asks."""

    def __init__(self) -> None:
        self.over = False
        self.hints = 0

    @workflow.run
    async def run(self, _: PromotionInput) -> int:
        await workflow.wait_condition(lambda: self.over)
        return self.hints

    @workflow.update(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def vote(self, envelope: dict[str, Any]) -> VoteAnswer:
        if code := envelope.get("refuse"):
            raise ApplicationError(
                "words", {"code": code, "detail": "no", "fields": {"a": 1}}, type=code, non_retryable=True
            )
        self.over = bool(envelope.get("close"))
        if envelope.get("close") or envelope.get("hang"):
            await workflow.wait_condition(lambda: False)
        return VoteAnswer(accepted=not envelope.get("deny"), digest=DIGEST, actor="ben", code=envelope.get("deny"))

    @vote.validator
    def validate(self, envelope: dict[str, Any]) -> None:
        if envelope.get("invalid"):
            raise ApplicationError("no vote", {"detail": "no vote"}, type="vote_malformed", non_retryable=True)

    @workflow.update
    async def cancel(self, request: CancelRequest) -> VoteAnswer:
        self.over = True
        return VoteAnswer(accepted=True, digest=DIGEST, actor=request.actor)

    @workflow.signal(name=names.SIGNAL_REEVALUATE)
    def reevaluate(self) -> None:
        self.hints += 1


@workflow.defn(name=names.LANE)
class PlayedLane:
    """Counts freezes."""

    def __init__(self) -> None:
        self.made = 0

    @workflow.run
    async def run(self, _: LaneInput) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def freeze(self, request: RestraintRequest) -> RestraintAnswer:
        self.made += 1
        return RestraintAnswer(restraints=(f"{request.actor}-{self.made}",))

    @workflow.update
    async def thaw(self, request: RestraintRequest) -> RestraintAnswer:
        raise ApplicationError("gone", {"detail": "gone"}, type=Code.FREEZE_NOT_FOUND, non_retryable=True)


@pytest.fixture
async def client(temporal: Client) -> Client:
    """A client of the fresh namespace without our plugin, which would bring the real workflows."""
    address = temporal.service_client.config.target_host
    return await Client.connect(address, namespace=temporal.namespace, data_converter=pydantic_data_converter)


@pytest.fixture
async def orchestrator(client: Client) -> AsyncIterator[TemporalOrchestrator]:
    """The real orchestrator, with a worker."""
    played = [PlayedPromotion, PlayedLane]
    async with Worker(
        client, task_queue=names.QUEUE_CONTROL, workflows=played, workflow_runner=UnsandboxedWorkflowRunner()
    ):
        yield TemporalOrchestrator(client)


async def started(orchestrator: TemporalOrchestrator) -> TemporalOrchestrator:
    await orchestrator.start_promotion(REQUEST)
    return orchestrator


async def test_starting_twice_is_starting_once(orchestrator: TemporalOrchestrator, client: Client):
    await started(orchestrator)
    first = await client.get_workflow_handle("promotion/p1").describe()
    await started(orchestrator)
    assert (await client.get_workflow_handle("promotion/p1").describe()).run_id == first.run_id
    assert first.search_attributes["FairleadEnvironment"] == ["prod"]


async def test_a_promotion_that_is_over_does_not_start_again(orchestrator: TemporalOrchestrator, client: Client):
    await (await started(orchestrator)).cancel("p1", CancelRequest(actor="ana"), "u1")
    await client.get_workflow_handle("promotion/p1").result()
    await orchestrator.start_promotion(REQUEST)
    assert (await client.get_workflow_handle("promotion/p1").describe()).status == WorkflowExecutionStatus.COMPLETED


async def test_an_accepted_vote_is_answered(orchestrator: TemporalOrchestrator):
    answer = await (await started(orchestrator)).vote("p1", {}, "u1")
    assert (answer.accepted, answer.actor) == (True, "ben")


REFUSALS = {
    "by the handler": ({"refuse": "vote_by_requester"}, NotAllowed, "vote_by_requester"),
    "by the handler, a conflict": ({"refuse": "votes_not_open"}, Conflict, "votes_not_open"),
    "by the handler's answer": ({"deny": "vote_unsigned"}, BadInput, "vote_unsigned"),
    "by a failure of its own": ({"refuse": "internal_error"}, FairleadError, "internal_error"),
    "by the validator": ({"invalid": True}, BadInput, "vote_malformed"),
    "with a code that is not ours": ({"refuse": "ValueError"}, FairleadError, "internal_error"),
    "by an end before the answer": ({"close": True}, Conflict, "promotion_closed"),
}


@pytest.mark.parametrize(("envelope", "kind", "code"), REFUSALS.values(), ids=REFUSALS)
async def test_a_refusal_comes_back_as_what_it_was(orchestrator: TemporalOrchestrator, envelope, kind, code):
    await started(orchestrator)
    with pytest.raises(FairleadError) as caught:
        await orchestrator.vote("p1", envelope, "u1")
    assert (type(caught.value), caught.value.code) == (kind, code)


async def test_fields_of_a_refusal_come_along(orchestrator: TemporalOrchestrator):
    await started(orchestrator)
    with pytest.raises(Conflict) as caught:
        await orchestrator.vote("p1", {"refuse": "vote_stale"}, "u1")
    assert (caught.value.detail, caught.value.fields) == ("no", {"a": 1})


async def test_a_promotion_without_a_workflow_is_closed(orchestrator: TemporalOrchestrator):
    with pytest.raises(Conflict) as caught:
        await orchestrator.vote("nobody", {}, "u1")
    assert caught.value.code == Code.PROMOTION_CLOSED
    await orchestrator.poke("nobody")


async def test_a_hint_reaches_the_promotion(orchestrator: TemporalOrchestrator, client: Client):
    await (await started(orchestrator)).poke("p1")
    await orchestrator.cancel("p1", CancelRequest(actor="ana"), "u1")
    assert await client.get_workflow_handle("promotion/p1").result() == 1


async def test_a_lane_starts_with_its_first_update_and_answers_a_repeated_one_alike(orchestrator: TemporalOrchestrator):
    request = RestraintRequest(request="r1", actor="ana", reason="x")
    answers = [await orchestrator.restrain("freeze", "shop", "prod", request, id) for id in ("u1", "u1", "u2")]
    assert [answer.restraints for answer in answers] == [("ana-1",), ("ana-1",), ("ana-2",)]


async def test_what_a_lane_refuses_comes_back(orchestrator: TemporalOrchestrator):
    with pytest.raises(NotFound) as caught:
        await orchestrator.restrain("thaw", "shop", "prod", RestraintRequest(request="r1", actor="ana"), "u1")
    assert caught.value.code == Code.FREEZE_NOT_FOUND


async def test_without_a_worker_an_update_is_unavailable_and_may_still_happen(client: Client):
    orchestrator = TemporalOrchestrator(client, timeout=timedelta(milliseconds=300))
    await started(orchestrator)
    with pytest.raises(Unavailable) as caught:
        await orchestrator.vote("p1", {}, "u1")
    assert "Idempotency-Key" in (caught.value.hint or "")


async def test_an_update_that_was_accepted_and_is_never_answered_is_unavailable(orchestrator, client: Client):
    await started(orchestrator)
    with pytest.raises(Unavailable):
        await TemporalOrchestrator(client, timeout=timedelta(seconds=1)).vote("p1", {"hang": True}, "u1")
    await orchestrator.cancel("p1", CancelRequest(actor="ana"), "u2")


async def test_a_lane_without_a_worker_is_unavailable(client: Client):
    orchestrator = TemporalOrchestrator(client, timeout=timedelta(milliseconds=300))
    with pytest.raises(Unavailable):
        await orchestrator.restrain("freeze", "shop", "prod", RestraintRequest(request="r1", actor="ana"), "u1")


async def test_a_lane_that_is_waited_for_longer_than_anybody_wants_to_is_unavailable(client: Client, monkeypatch):
    orchestrator = TemporalOrchestrator(client)
    monkeypatch.setattr(orchestrator, "_patience", 0.2)
    with pytest.raises(Unavailable):
        await orchestrator.restrain("freeze", "shop", "prod", RestraintRequest(request="r1", actor="ana"), "u1")


async def test_a_server_that_was_never_reached_is_unavailable():
    nobody = TemporalOrchestrator(
        await Client.connect("127.0.0.1:1", lazy=True, data_converter=pydantic_data_converter)
    )
    for call in (nobody.check(), nobody.start_promotion(REQUEST), nobody.vote("p1", {}, "u1"), nobody.retries("w")):
        with pytest.raises(Unavailable) as caught:
            await call
        assert caught.value.code == Code.TEMPORAL_UNAVAILABLE
    await asyncio.wait_for(nobody.poke("p1"), 10)


async def test_a_server_that_answers_is_there(client: Client):
    await TemporalOrchestrator(client).check()


async def test_a_poller_is_counted_and_a_queue_that_nobody_serves_has_none(client: Client) -> None:
    queue = "asked-by-nobody-before"
    assert await temporal.pollers(client, queue) == 0
    async with Worker(client, task_queue=queue, activities=[_nothing]):
        async with asyncio.timeout(30):
            while await temporal.pollers(client, queue) == 0:
                await asyncio.sleep(0.05)


@activity.defn
async def _nothing() -> None:
    """Work for nobody."""


@workflow.defn
class Persistent:
    """Has one step, which never succeeds."""

    @workflow.run
    async def run(self, fails_with: str) -> None:
        await workflow.execute_activity(
            fail,
            fails_with,
            start_to_close_timeout=timedelta(milliseconds=200),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=10)),
        )


@activity.defn
async def fail(how: str) -> None:
    if how == "timed_out":
        await asyncio.sleep(60)
    raise ApplicationError("x" * 20_000 if how == "too_large" else "words", type=Code.TARGET_FULL)


@pytest.mark.parametrize(
    ("how", "code"),
    [("plainly", Code.TARGET_FULL), ("too_large", Code.TARGET_FULL), ("timed_out", Code.TIMED_OUT)],
)
async def test_what_a_step_failed_with_is_told_while_it_is_tried_again(client: Client, how: str, code: Code):
    orchestrator = TemporalOrchestrator(client)
    worker = Worker(
        client,
        task_queue="persistent",
        workflows=[Persistent],
        activities=[fail],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker, asyncio.timeout(60):
        handle = await client.start_workflow(Persistent.run, how, id=f"persistent-{how}", task_queue="persistent")
        while not (found := await orchestrator.retries(handle.id)):
            await asyncio.sleep(0.05)
        await handle.terminate()
    assert [(retry.step, retry.code) for retry in found] == [("fail", code)]
    assert found[0].attempt > 1


async def test_of_a_workflow_that_is_not_there_nothing_is_tried_again(client: Client):
    assert await TemporalOrchestrator(client).retries("no such workflow") == ()
