"""The one Temporal plugin that clients, workers, replayers and tests share: data converter, sandbox, workflow types, error mapping, message guard."""

from collections.abc import Sequence

from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.failures import FailureInterceptor
from workers.payloads import data_converter
from workflows.check import CheckWorkflow
from workflows.deployment import DeploymentWorkflow
from workflows.drift import DriftWorkflow
from workflows.forecast import ForecastWorkflow
from workflows.inbound import MessageInterceptor
from workflows.lane import LaneWorkflow
from workflows.logs import LogsWorkflow
from workflows.promotion import PromotionWorkflow
from workflows.reconcile import ReconcileWorkflow

WORKFLOWS = (
    PromotionWorkflow,
    LaneWorkflow,
    DeploymentWorkflow,
    ReconcileWorkflow,
    DriftWorkflow,
    LogsWorkflow,
    CheckWorkflow,
    ForecastWorkflow,
)


def sandbox() -> WorkflowRunner:
    """The runner for workflows. Our core is passed through: it is pure where workflows reach it, and reloading it is slow."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules("fairlead", "rfc8785")
    return SandboxedWorkflowRunner(restrictions=restrictions)


def build_plugin(workflows: Sequence[type] = WORKFLOWS) -> SimplePlugin:
    """Give it to `Client.connect`; workers made from that client have it too. Without workflows for a worker that takes none."""
    return SimplePlugin(
        "fairlead",
        data_converter=data_converter,
        interceptors=[FailureInterceptor(), MessageInterceptor()],
        workflows=workflows,
        workflow_runner=sandbox(),
    )
