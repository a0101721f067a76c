"""Typed stubs of the activities: what workflows call. The classes in `activities/` subclass these and do the work."""

from temporalio import activity

from fairlead.contracts.checks import CheckTarget, TargetChecked
from fairlead.contracts.drift import LooksTaken, Sight, Sighted, Watch, Watched
from fairlead.contracts.forecasts import ForecastTarget, TargetForecast
from fairlead.contracts.logs import LogsRead, ReadLogs
from fairlead.contracts.messages import RestraintAnswer
from fairlead.contracts.seals import SealDecision, SealDeployment, Sealed, SealOutcome, SealRollback
from fairlead.contracts.steps import (
    Abandon,
    Admission,
    AdmitInput,
    AdmitResult,
    Append,
    AppendAll,
    DeploymentRef,
    DeploymentStanding,
    EnvironmentRef,
    EvaluateInput,
    Evaluation,
    JudgeCancel,
    JudgeVote,
    LaneRef,
    LeaveHold,
    Observe,
    Observed,
    OpenDeployment,
    OpenRollback,
    Outline,
    PromotionRef,
    Reconciled,
    ReconcileInput,
    RecordRestraint,
    SettleInput,
    TaskInput,
)
from fairlead.contracts.votes import VoteAnswer


class HistoryActivities:
    """The append-only record."""

    @activity.defn
    def append(self, event: Append) -> None:
        """Record an event and project it into its row."""
        raise NotImplementedError

    @activity.defn
    def append_all(self, request: AppendAll) -> None:
        """Record several events of one subject, all or none."""
        raise NotImplementedError


class GateActivities:
    """Facts and judgements."""

    @activity.defn
    def evaluate(self, request: EvaluateInput) -> Evaluation:
        """Make the plan of now, gather the facts, judge every gate, keep plan and facts by digest."""
        raise NotImplementedError

    @activity.defn
    def judge_vote(self, request: JudgeVote) -> VoteAnswer:
        """Judge a vote and record it as `vote_accepted` or `vote_refused`; asked again it gives the recorded answer."""
        raise NotImplementedError

    @activity.defn
    def judge_cancel(self, request: JudgeCancel) -> VoteAnswer:
        """The same for a cancel: `cancel_accepted` or `cancel_refused`."""
        raise NotImplementedError


class LaneActivities:
    """Both sides of a lane: what a promotion asks of it, and what it does itself."""

    @activity.defn
    async def enter(self, lane: LaneRef) -> None:
        """Send `enter` to the lane, starting it where it is not running; does not wait for the result."""
        raise NotImplementedError

    @activity.defn
    async def leave(self, lane: LaneRef) -> None:
        """Send `leave` to the lane. A lane that is not there is fine."""
        raise NotImplementedError

    @activity.defn
    def read_admission(self, promotion: PromotionRef) -> Admission:
        """Where the promotion stands in the queue, by Postgres."""
        raise NotImplementedError

    @activity.defn
    def queue(self, lane: LaneRef) -> None:
        """Put a promotion at the end of its queue, once."""
        raise NotImplementedError

    @activity.defn
    def unqueue(self, lane: LaneRef) -> None:
        """Take a promotion out of its queue, if it has not been admitted, or give its place back if it has no deployment."""
        raise NotImplementedError

    @activity.defn
    def admit(self, request: AdmitInput) -> AdmitResult:
        """Give the place to the first that may pass: freeze, hold, monotonic rule and fence number in one transaction."""
        raise NotImplementedError

    @activity.defn
    async def watch(self, lane: LaneRef) -> None:
        """Return when the promotion and all its deployments are closed in Temporal, by any means; heartbeats."""
        raise NotImplementedError

    @activity.defn
    def free(self, lane: LaneRef) -> None:
        """Give the place of a promotion that is over to the next."""
        raise NotImplementedError

    @activity.defn
    def record_restraint(self, request: RecordRestraint) -> RestraintAnswer:
        """Store and seal a freeze, thaw, hold or resume, once per id."""
        raise NotImplementedError

    @activity.defn
    async def poke(self, environment: EnvironmentRef) -> None:
        """Signal `reevaluate` to the open promotions into this environment."""
        raise NotImplementedError

    @activity.defn
    async def request_cancel(self, promotion: PromotionRef) -> None:
        """Ask Temporal to cancel the promotion's own workflow, so that it closes as Canceled."""
        raise NotImplementedError


class DeploymentActivities:
    """Rows of deployments."""

    @activity.defn
    def open_deployment(self, request: OpenDeployment) -> Outline:
        """Rows of deployment and tasks from the promotion's plan, in state `queued`, once."""
        raise NotImplementedError

    @activity.defn
    def open_rollback(self, request: OpenRollback) -> Outline:
        """Rows of the rollback, with a fence number of its own, targets in reverse wave order, once."""
        raise NotImplementedError

    @activity.defn
    def outline(self, deployment: DeploymentRef) -> Outline:
        """What an opened deployment will do."""
        raise NotImplementedError

    @activity.defn
    def standing(self, deployment: DeploymentRef) -> DeploymentStanding:
        """The deployment's row as it is now."""
        raise NotImplementedError

    @activity.defn
    def leave_hold(self, request: LeaveHold) -> None:
        """Leave a hold on the environment, once per deployment."""
        raise NotImplementedError

    @activity.defn
    def abandon(self, request: Abandon) -> None:
        """Close the rows of a deployment whose workflow is gone."""
        raise NotImplementedError


class TargetActivities:
    """What acts on targets; on queue `fairlead-targets`. All heartbeat."""

    @activity.defn
    def prepare(self, task: TaskInput) -> None:
        """Pull and verify; change nothing."""
        raise NotImplementedError

    @activity.defn
    def apply(self, task: TaskInput) -> None:
        """Claim with the task's next attempt, make it run, leave the sticker."""
        raise NotImplementedError

    @activity.defn
    def settle(self, request: SettleInput) -> None:
        """Watch until it has held; Refused (unhealthy, observation_differs, deadline_passed) when it does not."""
        raise NotImplementedError

    @activity.defn
    def observe(self, request: Observe) -> Observed:
        """Look, store what was seen, and compare."""
        raise NotImplementedError

    @activity.defn
    def look(self, request: Sight) -> Sighted:
        """Look at a target between deployments, and keep what was seen if it is news."""
        raise NotImplementedError

    @activity.defn
    def read_logs(self, request: ReadLogs) -> LogsRead:
        """Read what runs on a target printed last, into the store."""
        raise NotImplementedError

    @activity.defn
    def check_target(self, request: CheckTarget) -> TargetChecked:
        """Ask a target whether it is fit to be deployed to."""
        raise NotImplementedError

    @activity.defn
    def forecast_target(self, request: ForecastTarget) -> TargetForecast:
        """Ask a target what a plan would change there."""
        raise NotImplementedError

    @activity.defn
    def retire(self, task: TaskInput) -> None:
        """Take down what we made on a target."""
        raise NotImplementedError


class SealActivities:
    """Signed statements into the ledger. Every seal has a key of its own: asked again it gives the same digests."""

    @activity.defn
    def seal_decision(self, request: SealDecision) -> Sealed:
        raise NotImplementedError

    @activity.defn
    def seal_deployment(self, request: SealDeployment) -> Sealed:
        raise NotImplementedError

    @activity.defn
    def seal_rollback(self, request: SealRollback) -> Sealed:
        raise NotImplementedError

    @activity.defn
    def seal_outcome(self, request: SealOutcome) -> Sealed:
        raise NotImplementedError


class DriftActivities:
    """What looks between deployments come to."""

    @activity.defn
    def plan_looks(self, environment: EnvironmentRef) -> Watch:
        """Which targets to look at; none while a deployment is under way."""
        raise NotImplementedError

    @activity.defn
    def judge_looks(self, request: LooksTaken) -> Watched:
        """Record what drifted and what is well again, seal it, and ask for a re-convergence where the policy says so."""
        raise NotImplementedError

    @activity.defn
    async def begin(self, promotion: PromotionRef) -> None:
        """Start the workflow of a promotion that we asked for ourselves."""
        raise NotImplementedError


class ReconcileActivities:
    """The sweep that mends what no workflow is there to do."""

    @activity.defn
    async def start_missing(self, request: ReconcileInput) -> Reconciled:
        """Start promotions whose row has no workflow, and lanes that are gone though somebody waits or holds the place."""
        raise NotImplementedError

    @activity.defn
    async def end_orphans(self, request: ReconcileInput) -> Reconciled:
        """Seal and end promotions whose workflow closed without a terminal event, once their deployments are over."""
        raise NotImplementedError

    @activity.defn
    async def keep_watches(self, request: ReconcileInput) -> Reconciled:
        """Have a Schedule look for drift in every environment, as often as its catalogue says, and in no other."""
        raise NotImplementedError
