"""Work on targets, by the in-memory executor: claims, stickers, settling and looking."""

from collections.abc import Callable
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.targets import Streak, TargetActivities
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.compare import Difference
from fairlead.contracts.steps import Abandon, Observe, OpenRollback, SettleInput, TaskInput
from fairlead.contracts.target import ComponentObservation, TargetObservation
from fairlead.domain.codes import Code
from fairlead.domain.drift import Kind
from fairlead.domain.errors import Refused, Unavailable
from fairlead.domain.fence import FenceLost
from fairlead.domain.health import Health
from fairlead.store import deployments, observations
from fairlead.store.artifacts import PostgresArtifacts, last_sent
from tests.activities.shop import Shop, at


@pytest.fixture
def task(shop: Shop) -> TaskInput:
    return TaskInput(deployment=shop.open_deployment(shop.promote("1.0.0")).deployment, target="dev-1")


def run(step: Callable[..., Any], argument: Any) -> Any:
    return ActivityEnvironment().run(step, argument)


def settle(shop: Shop, task: TaskInput, deadline: float = 0.4) -> None:
    request = SettleInput(deployment=task.deployment, target=task.target, min_healthy_time=0.05, deadline=deadline)
    run(shop.targets.settle, request)


def test_apply_claims_makes_it_run_and_leaves_the_sticker(shop: Shop, task: TaskInput) -> None:
    run(shop.targets.prepare, task)
    run(shop.targets.apply, task)
    place = shop.world.named("dev-1")
    assert place.sticker is not None
    claim, sticker = place.sticker
    assert (str(claim), sticker.fence, sticker.release) == ("1.1", "1.1", "1.0.0")
    assert sticker.components == place.digests()


def test_what_was_sent_is_kept_by_digest_and_noted(shop: Shop, task: TaskInput) -> None:
    run(shop.targets.apply, task)
    with shop.db.session() as s:
        [file] = last_sent(s, task.deployment, "dev-1")
    content = PostgresArtifacts(shop.db).get("shop", file.digest)
    assert (file.name, file.size) == ("dev-1.json", len(content.encode()))
    assert '"release":"1.0.0"' in content


def test_what_cannot_be_kept_is_not_done(shop: Shop, task: TaskInput) -> None:
    class Away:
        def put(self, project: str, content: str) -> str:
            raise Unavailable(Code.ARTIFACTS_UNAVAILABLE, "away")

    with pytest.raises(Unavailable):
        run(TargetActivities(shop.db, shop.executors, artifacts=Away()).apply, task)  # type: ignore[arg-type]
    assert shop.world.named("dev-1").sticker is None


def test_every_try_has_an_attempt_of_its_own_committed_before_it_claims(shop: Shop, task: TaskInput) -> None:
    run(shop.targets.apply, task)
    place = shop.world.named("dev-1")
    place.unreachable = True
    with pytest.raises(Unavailable):
        run(shop.targets.apply, task)
    with shop.db.session() as s:
        known = deployments.task(s, task.deployment, "dev-1")
    assert known is not None
    assert (known.attempt, known.touched) == (2, True)


@pytest.mark.parametrize("step", ["apply", "retire"])
def test_work_that_is_over_is_not_begun_again_by_a_late_worker(shop: Shop, task: TaskInput, step: str) -> None:
    run(shop.targets.apply, task)
    shop.deployments.abandon(Abandon(deployment=task.deployment, time=at(9), code="terminated"))
    with pytest.raises(FenceLost):
        run(getattr(shop.targets, step), task)
    with shop.db.session() as s:
        known = deployments.task(s, task.deployment, "dev-1")
    assert known is not None
    assert known.attempt == 1


def test_a_second_try_adopts_what_the_first_one_made(shop: Shop, task: TaskInput) -> None:
    run(shop.targets.apply, task)
    run(shop.targets.apply, task)
    place = shop.world.named("dev-1")
    assert (place.count("create"), place.count("start")) == (1, 1)


def test_a_target_settles_when_it_has_held(shop: Shop, task: TaskInput) -> None:
    run(shop.targets.apply, task)
    settle(shop, task)


def test_a_target_that_runs_nothing_does_not_settle(shop: Shop, task: TaskInput) -> None:
    with pytest.raises(Refused) as caught:
        settle(shop, task)
    assert caught.value.code == Code.OBSERVATION_DIFFERS


def test_a_target_that_fell_ill_does_not_settle(shop: Shop, task: TaskInput) -> None:
    run(shop.targets.apply, task)
    for instance in shop.world.named("dev-1").instances:
        instance.running = False
    with pytest.raises(Refused) as caught:
        settle(shop, task)
    assert caught.value.code == Code.UNHEALTHY


def test_what_never_holds_for_long_enough_has_passed_its_deadline(shop: Shop, task: TaskInput) -> None:
    run(shop.targets.apply, task)
    request = SettleInput(deployment=task.deployment, target="dev-1", min_healthy_time=60, deadline=0.3)
    with pytest.raises(Refused) as caught:
        run(shop.targets.settle, request)
    assert caught.value.code == Code.DEADLINE_PASSED


def test_what_was_seen_is_kept_and_compared(shop: Shop, task: TaskInput) -> None:
    run(shop.targets.apply, task)
    observed = run(shop.targets.observe, Observe(deployment=task.deployment, target="dev-1", time=at(5)))
    with shop.db.session() as s:
        kept = observations.by_digest(s, "shop", observed.observation)
    assert observed.ok
    assert kept is not None
    assert kept.content["components"][0]["health"] == "healthy"


def test_an_unreachable_target_is_an_answer_and_never_ok(shop: Shop, task: TaskInput) -> None:
    shop.world.place(shop.targets._eyes.work(task.deployment, "dev-1")[2]).unreachable = True
    observed = run(shop.targets.observe, Observe(deployment=task.deployment, target="dev-1", time=at(5)))
    assert (observed.ok, observed.code) == (False, Code.TARGET_UNREACHABLE)


def test_retiring_takes_down_what_was_made(shop: Shop, task: TaskInput) -> None:
    run(shop.targets.apply, task)
    run(shop.targets.retire, task)
    assert shop.world.named("dev-1").digests() == {}


class Recorder:
    """Notes which fail points are reached."""

    def __init__(self) -> None:
        self.reached: list[str] = []

    def reach(self, name: str) -> None:
        self.reached.append(name)


def test_only_a_rollback_reaches_the_fail_point_in_it(shop: Shop, task: TaskInput) -> None:
    recorder = Recorder()
    targets = TargetActivities(shop.db, shop.executors, recorder)
    run(targets.apply, task)
    assert recorder.reached == []
    back = shop.deployments.open_rollback(OpenRollback(deployment=task.deployment, time=at(9), code="unhealthy"))
    with shop.db.session() as s:
        deployments.set_decision(s, back.deployment, digest_of("a rollback statement"))
    run(targets.retire, TaskInput(deployment=back.deployment, target="dev-1"))
    assert recorder.reached == ["in_rollback"]


def test_cancellation_comes_with_the_beat(shop: Shop, task: TaskInput) -> None:
    environment = ActivityEnvironment()
    environment.cancel()
    with pytest.raises(Exception, match="cancelled"):
        environment.run(shop.targets.apply, task)
    assert shop.world.named("dev-1").count("create") == 0


def test_an_unknown_target_type_is_refused(shop: Shop, task: TaskInput) -> None:
    with pytest.raises(Refused) as caught:
        run(TargetActivities(shop.db, {}).prepare, task)
    assert caught.value.code == Code.NOT_SUPPORTED_YET


def look(instance: str = "a", restarts: int = 0) -> TargetObservation:
    component = ComponentObservation(name="web", health=Health.HEALTHY, instance=instance, restarts=restarts)
    return TargetObservation(target="t", reachable=True, components=(component,))


WRONG = (Difference(code=Code.UNHEALTHY, kind=Kind.UNHEALTHY, detail="web is unhealthy"),)


@pytest.mark.parametrize(
    ("looks", "held"),
    [
        ([(look(), ()), (look(), ()), (look(), ())], 2),
        ([(look(), ()), (look(), WRONG)], -1),
        ([(look(), ()), (look(), WRONG), (look(), ()), (look(), ())], 1),
        ([(look(), ()), (look(restarts=1), ())], 0),
        ([(look(), ()), (look("b"), ()), (look("b"), ())], 1),
    ],
    ids=["held", "wrong", "wrong in between", "restarted", "replaced"],
)
def test_a_streak_is_broken_by_what_is_wrong_a_restart_or_another_instance(looks: list[Any], held: float) -> None:
    streak = Streak()
    found = [streak.held(seen, wrong, float(now)) for now, (seen, wrong) in enumerate(looks)]
    assert found[-1] == held
