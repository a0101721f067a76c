"""The activities over an in-memory World; messages between workflows go through the real Temporal adapter."""

from collections.abc import Callable
from typing import Any

from temporalio import activity
from temporalio.client import Client

from fairlead.adapters import temporal
from fairlead.contracts import activities, names
from fairlead.contracts.steps import (
    Append,
    AppendAll,
    Reconciled,
    ReconcileInput,
)
from tests.fakes.deployments import FakeDeployments, FakeSeals, FakeTargets
from tests.fakes.gates import FakeGates
from tests.fakes.lanes import FakeLanes
from tests.fakes.world import World


def control_activities(world: World, client: Client) -> list[Callable[..., Any]]:
    """What runs on the control queue."""
    instances = (
        FakeHistory(world),
        FakeGates(world),
        FakeLanes(world, client),
        FakeDeployments(world),
        FakeSeals(world),
        FakeReconcile(world, client),
    )
    return [method for instance in instances for method in _methods(instance)]


def target_activities(world: World) -> list[Callable[..., Any]]:
    """What runs on the queue of targets."""
    return _methods(FakeTargets(world))


def _methods(instance: object) -> list[Callable[..., Any]]:
    kind = type(instance)
    return [
        getattr(instance, name) for name in dir(kind) if hasattr(getattr(kind, name), "__temporal_activity_definition")
    ]


class FakeHistory(activities.HistoryActivities):
    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn
    def append(self, event: Append) -> None:
        self._world.append(event)

    @activity.defn
    def append_all(self, request: AppendAll) -> None:
        for event in request.events:
            self._world.append(event)


class FakeReconcile(activities.ReconcileActivities):
    """Starts what has a row and no workflow; leaves orphans alone."""

    def __init__(self, world: World, client: Client) -> None:
        self._world = world
        self._client = client

    @activity.defn
    async def start_missing(self, request: ReconcileInput) -> Reconciled:
        started = [
            promotion.promotion
            for promotion in self._world.promotions.values()
            if not await temporal.is_running(self._client, names.promotion_workflow(promotion.promotion))
            and await temporal.start_promotion(self._client, promotion)
        ]
        return Reconciled(started=tuple(started))

    @activity.defn
    async def end_orphans(self, request: ReconcileInput) -> Reconciled:
        return Reconciled()
