"""The sandbox is on in the configuration that workers run with, and every workflow is deterministic under it."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.states import PromotionState
from tests.fakes.world import World
from tests.workflows.bench import APPROVE, Bench, working
from tests.workflows.impure import ImpureWorkflow
from workflows.promotion import PromotionWorkflow

pytestmark = pytest.mark.temporal


@pytest.mark.parametrize("what", ["clock", "uuid", "random", "file"])
async def test_a_workflow_that_is_not_deterministic_is_stopped(sandboxed_temporal: Client, what: str) -> None:
    worker = Worker(
        sandboxed_temporal,
        task_queue="impure",
        workflows=[ImpureWorkflow],
        workflow_failure_exception_types=[Exception],
    )
    async with worker:
        with pytest.raises(WorkflowFailureError) as stopped:
            await sandboxed_temporal.execute_workflow(
                ImpureWorkflow.run, what, id=f"impure-{what}", task_queue="impure"
            )
    assert isinstance(stopped.value.cause, ApplicationError)
    assert stopped.value.cause.type == "RestrictedWorkflowAccessError"


@pytest.fixture
async def forgetful(sandboxed_temporal: Client, world: World) -> AsyncIterator[Bench]:
    """Workers that remember nothing: each workflow task replays all that came before."""
    async with working(sandboxed_temporal, world, cached=0) as bench:
        yield bench


async def test_with_nothing_cached_every_step_replays(forgetful: Bench, world: World) -> None:
    world.approvals = 1
    handle = await forgetful.promote()
    await forgetful.until_event("evaluated")
    await handle.execute_update(PromotionWorkflow.vote, APPROVE)
    assert (await forgetful.result(handle)).state is PromotionState.SUCCEEDED


async def test_with_nothing_cached_a_rollback_replays(forgetful: Bench, world: World) -> None:
    world.fail("settle", "t2", errors=[Refused(Code.UNHEALTHY, "500")])
    assert (await forgetful.failure(await forgetful.promote()))[0] == "rolled_back"


async def test_other_workers_take_up_where_the_first_stopped(sandboxed_temporal: Client, world: World) -> None:
    pause = world.pause("apply", "t2")
    async with working(sandboxed_temporal, world) as first:
        handle = await first.promote()
        await first.until_reached(pause)
    async with working(sandboxed_temporal, world) as second:
        assert (await second.result(handle)).state is PromotionState.SUCCEEDED
    assert world.did("apply", "t1") == 1
