"""What acts on targets, through the executor of each type; every step heartbeats, and cancellation comes with the beat."""

import contextvars
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from temporalio import activity
from temporalio.exceptions import CancelledError

from activities import checking, forecasting, lookup
from activities.observing import Eyes, differences
from activities.printed import Ears
from fairlead.commands import plans
from fairlead.contracts import activities
from fairlead.contracts.checks import CheckTarget, TargetChecked
from fairlead.contracts.compare import Difference
from fairlead.contracts.drift import Sight, Sighted
from fairlead.contracts.forecasts import ForecastTarget, TargetForecast
from fairlead.contracts.logs import LogsRead, ReadLogs
from fairlead.contracts.records import SentRecord, TaskRecord
from fairlead.contracts.steps import Observe, Observed, SettleInput, TaskInput
from fairlead.contracts.target import SentFile, Sticker, TargetObservation, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim, FenceLost
from fairlead.ports import Artifacts, Executor, FailPoints, NoFailPoints, NoSecrets, Secrets
from fairlead.store import deployments
from fairlead.store.artifacts import PostgresArtifacts, record_sent
from fairlead.store.database import Database

LOOK_EVERY_SECONDS = 0.25
HEARTBEAT_SECONDS = 1.0
NO_FAIL_POINTS = NoFailPoints()
NO_SECRETS = NoSecrets()


def beat() -> None:
    """Raises CancelledError when the work has been cancelled."""
    if activity.is_cancelled():
        raise CancelledError("cancelled")


@contextmanager
def pulse() -> Iterator[None]:
    """Tell Temporal that we are alive while an executor is at work: an engine may let it wait for longer than a heartbeat."""
    done = threading.Event()
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(_pulse_until, done), name="pulse", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _pulse_until(done: threading.Event) -> None:
    while not done.is_set():
        activity.heartbeat()
        done.wait(HEARTBEAT_SECONDS)


# No thread is interrupted in the middle of a change: executors stop where their beat says so.
_step = activity.defn(no_thread_cancel_exception=True)


class TargetActivities(activities.TargetActivities):
    """Work on one target at a time. `executors` by target type."""

    def __init__(
        self,
        db: Database,
        executors: Mapping[str, Executor],
        fail_points: FailPoints = NO_FAIL_POINTS,
        artifacts: Artifacts | None = None,
        secrets: Secrets = NO_SECRETS,
    ) -> None:
        self._db = db
        self._artifacts = artifacts or PostgresArtifacts(db)
        self._eyes = Eyes(db, executors)
        self._ears = Ears(db, self._eyes, secrets)
        self._fail_points = fail_points

    @_step
    def prepare(self, task: TaskInput) -> None:
        """Pull and verify; change nothing."""
        _, _, spec = self._eyes.work(task.deployment, task.target)
        with pulse():
            self._eyes.executor(spec).prepare(spec, beat)

    @_step
    def apply(self, task: TaskInput) -> None:
        """Claim with the task's next attempt, make it run, leave the sticker."""
        spec, claim = self._claim(task)
        executor = self._eyes.executor(spec)
        with pulse(), self._ears.listening(spec):
            sent = executor.apply(spec, claim, beat)
            self._keep(spec, claim, sent)
            executor.write_sticker(plans.address(spec), sticker(spec, claim), claim)

    def _keep(self, spec: TargetSpec, claim: Claim, sent: Sequence[SentFile]) -> None:
        """What was sent is what will be sealed, so it is kept before the task can succeed."""
        files = [
            SentRecord(
                name=file.name,
                digest=self._artifacts.put(spec.project, file.content),
                size=len(file.content.encode()),
            )
            for file in sent
        ]
        time = activity.info().current_attempt_scheduled_time
        with self._db.session() as s:
            record_sent(s, spec.deployment, spec.target, files, fence=str(claim), time=time)

    @_step
    def settle(self, request: SettleInput) -> None:
        """Watch until it has held; Refused (unhealthy, observation_differs, deadline_passed) when it does not."""
        _, task, spec = self._eyes.work(request.deployment, request.target)
        with pulse(), self._ears.listening(spec):
            self._watch(request, task, spec)

    def _watch(self, request: SettleInput, task: TaskRecord, spec: TargetSpec) -> None:
        executor, address = self._eyes.executor(spec), plans.address(spec)
        started = time.monotonic()
        streak = Streak()
        while True:
            beat()
            seen = executor.observe(address)
            now = time.monotonic()
            wrong = differences(spec, task, seen)
            if streak.held(seen, wrong, now) >= request.min_healthy_time:
                return
            if now - started > request.deadline:
                raise _not_settled(request, wrong)
            activity.wait_for_cancelled_sync(LOOK_EVERY_SECONDS)

    @_step
    def observe(self, request: Observe) -> Observed:
        """Look, store what was seen, and compare."""
        with pulse():
            return self._eyes.look(request.deployment, request.target, request.time)

    @_step
    def look(self, request: Sight) -> Sighted:
        """Look at a target between deployments, and keep what was seen if it is news."""
        with pulse():
            return self._eyes.glance(request)

    @_step
    def read_logs(self, request: ReadLogs) -> LogsRead:
        """Read what runs on a target printed last, into the store."""
        return self._ears.read(request)

    @_step
    def check_target(self, request: CheckTarget) -> TargetChecked:
        """Ask a target whether it is fit to be deployed to."""
        with pulse():
            return checking.check(self._db, self._eyes, request)

    @_step
    def forecast_target(self, request: ForecastTarget) -> TargetForecast:
        """Ask a target what a plan would change there."""
        with pulse():
            return forecasting.forecast(self._db, self._eyes, request)

    @_step
    def retire(self, task: TaskInput) -> None:
        """Take down what we made on a target, or hand it over if that is what its plan says."""
        spec, claim = self._claim(task)
        executor = self._eyes.executor(spec)
        with self._db.session() as s:
            hands_over = plans.hands_over(s, lookup.deployment(s, task.deployment), task.target)
        with pulse():
            (executor.hand_over if hands_over else executor.retire)(spec, claim, beat)

    def _claim(self, task: TaskInput) -> tuple[TargetSpec, Claim]:
        """The attempt is committed before anything is claimed with it, so that no two tries share one.

        Raises FenceLost where the work is over: a worker that was stopped for long may begin late with what it was given then.
        """
        deployment, known, spec = self._eyes.work(task.deployment, task.target)
        if known.state.is_terminal:
            raise FenceLost(Code.FENCE_LOST, f"the work on {task.target} is over: {known.state}")
        with self._db.session() as s:
            attempt = deployments.next_attempt(s, task.deployment, task.target)
        if spec.is_rollback:
            self._fail_points.reach("in_rollback")
        return spec, Claim(deployment.number, attempt)


class Streak:
    """For how long a target has been as it should without a break; another instance or a restart is a break."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._of: object = None

    def held(self, seen: TargetObservation, wrong: tuple[Difference, ...], now: float) -> float:
        """Take in one look; how many seconds it has held, negative while it does not."""
        what = [(component.name, component.instance, component.restarts) for component in seen.components]
        if wrong:
            self._since = None
            return -1.0
        if self._since is None or what != self._of:
            self._since, self._of = now, what
        return now - self._since


def sticker(spec: TargetSpec, claim: Claim) -> Sticker:
    """The record that is left on a target."""
    return Sticker(
        project=spec.project,
        environment=spec.environment,
        target=spec.target,
        release=spec.release,
        deployment=spec.deployment,
        decision=spec.decision,
        fence=str(claim),
        components={component.name: component.digest for component in spec.components},
        configs={component.name: component.config_digest for component in spec.components},
    )


def _not_settled(request: SettleInput, wrong: tuple[Difference, ...]) -> Refused:
    if not wrong:
        return Refused(
            Code.DEADLINE_PASSED,
            f"{request.target} did not hold for {request.min_healthy_time:g} s within {request.deadline:g} s",
        )
    return Refused(wrong[0].code, "; ".join(difference.detail for difference in wrong))
