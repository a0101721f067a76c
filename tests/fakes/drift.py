"""Looking for drift over an in-memory World: what there is to look at, and what it comes to, is scripted."""

from temporalio import activity
from temporalio.client import Client

from fairlead.adapters import temporal
from fairlead.contracts import activities
from fairlead.contracts.drift import LooksTaken, Watch, Watched
from fairlead.contracts.steps import EnvironmentRef, PromotionRef
from tests.fakes.world import World


class FakeDrift(activities.DriftActivities):
    def __init__(self, world: World, client: Client) -> None:
        self._world = world
        self._client = client

    @activity.defn
    def plan_looks(self, environment: EnvironmentRef) -> Watch:
        return Watch(number=7, targets=self._world.watched_targets)

    @activity.defn
    def judge_looks(self, request: LooksTaken) -> Watched:
        with self._world.lock:
            self._world.looks.append(request)
        return self._world.look_comes_to

    @activity.defn
    async def begin(self, promotion: PromotionRef) -> None:
        await temporal.start_promotion(self._client, self._world.promotions[promotion.promotion])
