"""The sweep: what is missing is started, what was orphaned is ended and sealed, all else is left alone."""

import asyncio
import json
from copy import deepcopy
from typing import Any

import pytest
from temporalio import workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.reconcile import ReconcileActivities
from fairlead.adapters import schedules
from fairlead.adapters import temporal as adapter
from fairlead.commands import sealing
from fairlead.contracts import names
from fairlead.contracts.records import PromotionRecord
from fairlead.contracts.seals import SealDecision, SealOutcome
from fairlead.contracts.steps import DeploymentRef, JudgeVote, Reconciled, ReconcileInput
from fairlead.domain.codes import Code
from fairlead.domain.states import PromotionState
from fairlead.evidence.trust import read_trust
from fairlead.evidence.verify import verify
from fairlead.store import lanes, ledger
from tests.activities.shop import SHOP, Shop, at


@pytest.fixture
def sweep(shop: Shop, temporal: Client) -> ReconcileActivities:
    """No worker runs: what is started stays as it is."""
    return ReconcileActivities(shop.db, temporal, shop.deployments, decision=shop.decision, agent=shop.agent)


async def start(sweep: ReconcileActivities) -> Reconciled:
    return await ActivityEnvironment().run(sweep.start_missing, ReconcileInput(now=at(100)))


async def end(sweep: ReconcileActivities) -> Reconciled:
    return await ActivityEnvironment().run(sweep.end_orphans, ReconcileInput(now=at(100)))


async def run_nothing(temporal: Client, id: str) -> Any:
    """A workflow that nobody carries out."""
    return await temporal.start_workflow(names.PROMOTION, id=id, task_queue="nobody")


async def terminated(temporal: Client, promotion: PromotionRecord) -> None:
    await (await run_nothing(temporal, names.promotion_workflow(promotion.id))).terminate("by hand")
    await out_of_sight(temporal, promotion)


async def out_of_sight(temporal: Client, promotion: PromotionRecord) -> None:
    """Return when Temporal no longer lists the promotion as running."""
    async with asyncio.timeout(30):
        while names.promotion_workflow(promotion.id) in await adapter.running(temporal, names.PROMOTION):
            await asyncio.sleep(0.02)


async def delete(temporal: Client, workflow: str) -> None:
    """As `temporal workflow delete` does; return when nothing is left of it."""
    execution = WorkflowExecution(workflow_id=workflow)
    request = DeleteWorkflowExecutionRequest(namespace=temporal.namespace, workflow_execution=execution)
    await temporal.workflow_service.delete_workflow_execution(request)
    async with asyncio.timeout(30):
        while await adapter.status(temporal, workflow) is not None:
            await asyncio.sleep(0.02)


def believed(shop: Shop, promotion: str) -> bool:
    with shop.db.session() as s:
        bundle = sealing.export_bundle(s, shop.ledger, promotion)
        trust = sealing.trust_file(s, "shop", decision=shop.decision, ledger=shop.ledger, agents={"worker": shop.agent})
    return verify(json.dumps(bundle).encode(), read_trust(trust)).verified


async def test_a_row_without_a_workflow_is_started_once(
    shop: Shop, sweep: ReconcileActivities, temporal: Client
) -> None:
    promotion = shop.promote("1.0.0")
    assert (await start(sweep)).started == (promotion.id,)
    assert (await start(sweep)).started == ()
    status = await adapter.status(temporal, names.promotion_workflow(promotion.id))
    assert status is WorkflowExecutionStatus.RUNNING


async def test_a_promotion_that_was_closed_is_not_started_again(
    shop: Shop, sweep: ReconcileActivities, temporal: Client
) -> None:
    await terminated(temporal, shop.promote("1.0.0"))
    assert (await start(sweep)).started == ()


async def test_a_lane_that_is_gone_though_somebody_waits_is_started(
    shop: Shop, sweep: ReconcileActivities, temporal: Client
) -> None:
    promotion = shop.promote("1.0.0")
    with shop.db.session() as s:
        lanes.enqueue(s, promotion=promotion.id, project="shop", environment="dev", time=at(0))
    assert (await start(sweep)).lanes == ("lane/shop/dev",)
    assert (await start(sweep)).lanes == ()
    assert await adapter.is_running(temporal, "lane/shop/dev")


async def test_an_orphan_ends_failed_with_evidence_that_is_believed(
    shop: Shop, sweep: ReconcileActivities, temporal: Client
) -> None:
    promotion = shop.promote("1.0.0")
    await terminated(temporal, promotion)
    assert (await end(sweep)).ended == (promotion.id,)
    assert (await end(sweep)).ended == ()
    row = shop.row(promotion.id)
    assert (row.state, row.code) == (PromotionState.FAILED, Code.TERMINATED)
    assert row.outcome is not None
    assert believed(shop, promotion.id)


async def test_an_orphan_leaves_its_queue(shop: Shop, sweep: ReconcileActivities, temporal: Client) -> None:
    promotion = shop.promote("1.0.0")
    with shop.db.session() as s:
        lanes.enqueue(s, promotion=promotion.id, project="shop", environment="dev", time=at(0))
    await terminated(temporal, promotion)
    assert (await end(sweep)).ended == (promotion.id,)
    with shop.db.session() as s:
        assert lanes.waiting(s, "shop", "dev") == []


async def test_an_orphan_with_open_votes_ends_with_the_votes_it_had(
    shop: Shop, sweep: ReconcileActivities, temporal: Client
) -> None:
    promotion = shop.promote("1.0.0", "prod")
    plan = shop.open_votes(promotion)
    envelope = shop.vote("ben", promotion, plan)
    shop.gates.judge_vote(
        JudgeVote(
            promotion=promotion.id,
            sequence=4,
            received=at(12),
            envelope=envelope,
            via="signal",
            plan=plan,
            opened=at(0),
            expires=at(3600),
        )
    )
    await terminated(temporal, promotion)
    assert (await end(sweep)).ended == (promotion.id,)
    assert believed(shop, promotion.id)
    with shop.db.session() as s:
        assert "votes" in {sealed.kind for sealed in ledger.of_promotion(s, promotion.id)}


async def test_one_that_runs_is_left_alone(shop: Shop, sweep: ReconcileActivities, temporal: Client) -> None:
    promotion = shop.promote("1.0.0")
    await run_nothing(temporal, names.promotion_workflow(promotion.id))
    assert (await end(sweep)).ended == ()
    assert shop.row(promotion.id).state is PromotionState.REQUESTED


async def test_one_that_is_listed_as_running_is_not_asked_for_by_name(
    shop: Shop, sweep: ReconcileActivities, temporal: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, missing = shop.promote("1.0.0"), shop.promote("1.1.0")
    await run_nothing(temporal, names.promotion_workflow(here.id))
    async with asyncio.timeout(30):
        while not await adapter.running(temporal, names.PROMOTION):
            await asyncio.sleep(0.02)
    asked: list[str] = []
    really = adapter.status

    async def status(client: Client, workflow: str) -> WorkflowExecutionStatus | None:
        asked.append(workflow)
        return await really(client, workflow)

    monkeypatch.setattr(adapter, "status", status)
    assert (await start(sweep)).started == (missing.id,)
    assert asked == [names.promotion_workflow(missing.id)]


async def test_one_whose_workflow_was_deleted_ends_and_is_not_begun_anew(
    shop: Shop, sweep: ReconcileActivities, temporal: Client
) -> None:
    promotion = shop.promote("1.0.0", "prod")
    shop.open_votes(promotion)
    workflow = names.promotion_workflow(promotion.id)
    await run_nothing(temporal, workflow)
    await delete(temporal, workflow)
    await out_of_sight(temporal, promotion)
    assert (await start(sweep)).started == ()
    assert (await end(sweep)).ended == (promotion.id,)
    row = shop.row(promotion.id)
    assert (row.state, row.code) == (PromotionState.FAILED, Code.TERMINATED)
    assert believed(shop, promotion.id)


@pytest.mark.parametrize("suffix", ["", ".rollback"])
async def test_an_orphans_deployments_finish_first(
    shop: Shop, sweep: ReconcileActivities, temporal: Client, suffix: str
) -> None:
    promotion = shop.promote("1.0.0")
    await terminated(temporal, promotion)
    deployment = await run_nothing(temporal, names.deployment_workflow(promotion.id + suffix))
    assert (await end(sweep)).ended == ()
    await deployment.terminate()
    assert (await end(sweep)).ended == (promotion.id,)


async def test_an_orphans_open_deployment_is_abandoned(
    shop: Shop, sweep: ReconcileActivities, temporal: Client
) -> None:
    promotion = shop.promote("1.0.0")
    shop.open_deployment(promotion)
    await terminated(temporal, promotion)
    assert (await end(sweep)).ended == (promotion.id,)
    standing = shop.deployments.standing(DeploymentRef(deployment=promotion.id))
    assert (standing.state, standing.code) == ("failed", Code.TERMINATED)
    assert shop.row(promotion.id).state is PromotionState.FAILED
    assert believed(shop, promotion.id)


async def test_an_outcome_that_was_sealed_stands(shop: Shop, sweep: ReconcileActivities, temporal: Client) -> None:
    promotion = shop.promote("1.0.0")
    shop.seals.seal_decision(SealDecision(promotion=promotion.id, time=at(5), result="deny", code="cancelled"))
    outcome = SealOutcome(promotion=promotion.id, time=at(6), state=PromotionState.CANCELLED, code="cancelled")
    (digest,) = shop.seals.seal_outcome(outcome).statements
    await terminated(temporal, promotion)
    assert (await end(sweep)).ended == (promotion.id,)
    row = shop.row(promotion.id)
    assert (row.state, row.code, row.outcome) == (PromotionState.CANCELLED, "cancelled", digest)


@workflow.defn(name=names.PROMOTION)
class Halted:
    """A promotion that found another history than its own."""

    @workflow.run
    async def run(self, input: Any) -> None:
        raise ApplicationError("history has something else here", type="history_conflict", non_retryable=True)


async def test_a_halted_promotion_ends_as_a_history_conflict(
    shop: Shop, sweep: ReconcileActivities, temporal: Client
) -> None:
    promotion = shop.promote("1.0.0")
    client = Client(temporal.service_client, namespace=temporal.namespace, data_converter=pydantic_data_converter)
    played: Any = {"workflows": [Halted], "workflow_runner": UnsandboxedWorkflowRunner(), "build_id": "test"}
    async with Worker(client, task_queue=names.QUEUE_CONTROL, **played):
        await start(sweep)
        with pytest.raises(WorkflowFailureError):
            await client.get_workflow_handle(names.promotion_workflow(promotion.id)).result()
    await out_of_sight(temporal, promotion)
    assert (await end(sweep)).ended == (promotion.id,)
    assert shop.row(promotion.id).code == Code.HISTORY_CONFLICT


async def test_one_that_cannot_be_ended_keeps_no_other_from_it(
    shop: Shop, sweep: ReconcileActivities, temporal: Client
) -> None:
    stuck, other = shop.promote("1.0.0"), shop.promote("1.1.0")
    for promotion in (stuck, other):
        await terminated(temporal, promotion)
    sealed = SealDecision(promotion=stuck.id, time=at(5), result="deny")
    shop.seals.seal_decision(sealed)
    with shop.db.session() as s:  # as if the outcome had been sealed of something that is none
        found = ledger.by_key(s, "shop", f"{stuck.id}/decision")
        assert found is not None
        ledger.seal(
            s,
            project="shop",
            key=f"{stuck.id}/outcome",
            kind="outcome",
            promotion=stuck.id,
            statement=found.statement,
            envelope={"payload": "broken"},
            time=at(6),
        )
    assert (await end(sweep)).ended == (other.id,)


async def watches(sweep: ReconcileActivities, temporal: Client, expected: dict[str, float]) -> None:
    """Sweep until Temporal lists these Schedules: its list lags."""
    async with asyncio.timeout(30):
        while await schedules.watches(temporal) != expected:
            await ActivityEnvironment().run(sweep.keep_watches, ReconcileInput(now=at(100)))
            await asyncio.sleep(0.05)


async def test_there_is_a_schedule_for_every_environment_and_for_no_other(
    shop: Shop, sweep: ReconcileActivities, temporal: Client
) -> None:
    await watches(sweep, temporal, {f"drift/shop/{name}": 300.0 for name in ("dev", "staging", "prod")})
    document = deepcopy(SHOP)
    del document["environments"]["prod"]
    document["environments"]["dev"]["drift"] = {"every": "10s"}
    shop.apply(document)
    await watches(sweep, temporal, {"drift/shop/dev": 10.0, "drift/shop/staging": 300.0})
    assert await ActivityEnvironment().run(sweep.keep_watches, ReconcileInput(now=at(100))) == Reconciled()
