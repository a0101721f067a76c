"""The shop's dev, looked at, and what somebody may do to what runs there."""

from copy import deepcopy
from datetime import datetime
from typing import Any

from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.drift import DriftActivities
from activities.lookup import project_catalogue
from agents.memory.world import Place
from fairlead.contracts import names
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.drift import LooksTaken, Sight, Watched
from fairlead.contracts.records import LookRecord, PromotionRecord, RestraintRecord
from fairlead.contracts.steps import EnvironmentRef, Outline
from fairlead.domain.catalogue import Environment
from fairlead.store import looks, restraints
from tests.activities.shop import SHOP, Shop, at
from tests.activities.test_seals import carry_out

DEV = EnvironmentRef(project="shop", environment="dev")
SUBJECT = names.environment_subject("shop", "dev")


class Watcher:
    """The shop's dev, looked at whenever the test says so; minutes go by."""

    def __init__(self, shop: Shop, client: Client) -> None:
        self.shop = shop
        self.drift = DriftActivities(shop.db, client, shop.agent)
        self.minute = 10.0

    @property
    def time(self) -> datetime:
        return at(60 * self.minute)

    @property
    def place(self) -> Place:
        return self.shop.world.named("dev-1")

    @property
    def environment(self) -> Environment:
        with self.shop.db.session() as s:
            return project_catalogue(s, "shop").environments["dev"]

    def policy(self, policy: str, **more: Any) -> None:
        document = deepcopy(SHOP)
        document["environments"]["dev"]["drift"] = {"policy": policy, **more}
        self.shop.apply(document)

    def deploy(self, promotion: PromotionRecord) -> Outline:
        """Carry a promotion out as its workflow would."""
        outline = self.shop.open_deployment(promotion, 60 * self.minute)
        self.finish(outline)
        return outline

    def finish(self, outline: Outline) -> None:
        subject = names.deployment_subject(outline.deployment)
        for state in ("preparing", "running", "verifying"):
            self.shop.append(subject, state, state=state)
        carry_out(self.shop, outline)
        self.shop.append(subject, "ended", state="succeeded", seconds=60 * self.minute)
        self.shop.free(outline.deployment)

    def end(self, promotion: str, state: str) -> None:
        subject = names.promotion_subject(promotion)
        self.shop.append(subject, "ended", state=state, seconds=60 * self.minute)

    def look(self, minutes: float = 1) -> Watched:
        """One look, as the workflow takes it; so many minutes after the one before."""
        self.minute += minutes
        plan = self.drift.plan_looks(DEV)
        sights = [Sight(project="shop", environment="dev", target=t, time=self.time) for t in plan.targets]
        seen = tuple(ActivityEnvironment().run(self.shop.targets.look, sight) for sight in sights)
        taken = LooksTaken(project="shop", environment="dev", time=self.time, number=plan.number, seen=seen)
        return self.drift.judge_looks(taken)

    def told(self) -> list[str]:
        return [event.type for event in self.shop.events(SUBJECT)]

    def record(self) -> LookRecord:
        with self.shop.db.session() as s:
            return looks.of(s, "shop", "dev")["dev-1"]

    def hold(self) -> None:
        with self.shop.db.session() as s:
            hold = RestraintRecord(
                id="h", kind="hold", project="shop", environment="dev", reason="", actor="ana", since=at(0)
            )
            restraints.add(s, hold)


def taken_away(place: Place) -> None:
    place.instances.clear()


def stopped(place: Place) -> None:
    place.instances[0].running = False


def replaced(place: Place) -> None:
    instance = place.instances[0]
    instance.spec = instance.spec.model_copy(update={"digest": digest_of("by hand")})


def configured(place: Place) -> None:
    instance = place.instances[0]
    instance.spec = instance.spec.model_copy(update={"config_digest": digest_of("by hand")})


def added(place: Place) -> None:
    other = deepcopy(place.instances[0])
    other.spec, other.id = other.spec.model_copy(update={"name": "debug"}), "by-hand"
    place.instances.append(other)
