"""The sweep."""

import pytest

from fairlead.contracts import names
from fairlead.domain.states import PromotionState
from tests.fakes.world import World
from tests.workflows.bench import Bench, a_promotion
from workflows.reconcile import ReconcileWorkflow

pytestmark = pytest.mark.temporal


async def test_a_row_without_a_workflow_is_started_once(bench: Bench, world: World) -> None:
    world.request(a_promotion())
    sweep = await bench.client.execute_workflow(ReconcileWorkflow.run, id="first", task_queue=names.QUEUE_CONTROL)
    assert sweep.started == ("p1",)
    assert (await bench.result(bench.promotion())).state is PromotionState.SUCCEEDED
    again = await bench.client.execute_workflow(ReconcileWorkflow.run, id="second", task_queue=names.QUEUE_CONTROL)
    assert again.started == ()
