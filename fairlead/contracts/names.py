"""Every name that crosses a process boundary: queues, workflow ids, messages, search attributes (interface.md 5)."""

from typing import Final

QUEUE_CONTROL: Final = "fairlead-control"
"""Workflows, and the activities that decide, record and seal."""
QUEUE_TARGETS: Final = "fairlead-targets"
"""The activities that act on targets."""

PROMOTION: Final = "Promotion"
LANE: Final = "Lane"
DEPLOYMENT: Final = "Deployment"
RECONCILE: Final = "Reconcile"
DRIFT: Final = "Drift"
LOGS: Final = "Logs"
CHECK: Final = "Check"
FORECAST: Final = "Forecast"
RECONCILE_SCHEDULE: Final = "fairlead-reconcile"

DRIFT_PREFIX: Final = "drift/"

SIGNAL_ADMITTED: Final = "admitted"
SIGNAL_PROGRESS: Final = "progress"
SIGNAL_REEVALUATE: Final = "reevaluate"
SIGNAL_VOTE: Final = "vote"
SIGNAL_CANCEL: Final = "cancel"
SIGNAL_PING: Final = "ping"

ATTRIBUTE_PROJECT: Final = "FairleadProject"
ATTRIBUTE_ENVIRONMENT: Final = "FairleadEnvironment"
ATTRIBUTE_RELEASE: Final = "FairleadRelease"
ATTRIBUTE_STATE: Final = "FairleadState"

EVENTS_CHANNEL: Final = "fairlead_events"
"""Postgres LISTEN/NOTIFY channel; the payload is the subject that has a new event."""


def promotion_workflow(promotion: str) -> str:
    return f"promotion/{promotion}"


def lane_workflow(project: str, environment: str) -> str:
    return f"lane/{project}/{environment}"


def deployment_workflow(deployment: str) -> str:
    return f"deployment/{deployment}"


def drift_watch(project: str, environment: str) -> str:
    """The Schedule that looks for drift in an environment, and the beginning of the ids of the workflows it starts."""
    return f"{DRIFT_PREFIX}{project}/{environment}"


def logs_workflow(project: str, target: str, request: str) -> str:
    return f"logs/{project}/{target}/{request}"


def check_workflow(project: str, target: str, request: str) -> str:
    return f"check/{project}/{target}/{request}"


def forecast_workflow(project: str, target: str, request: str) -> str:
    return f"forecast/{project}/{target}/{request}"


def rollback_of(deployment: str) -> str:
    """The deployment id of the one rollback that a failed deployment may have."""
    return f"{deployment}.rollback"


def promotion_subject(promotion: str) -> str:
    """The event subject of a promotion; `edge_subject` holds what was refused before it reached the workflow."""
    return f"promotion/{promotion}"


def edge_subject(promotion: str) -> str:
    return f"edge/{promotion}"


def deployment_subject(deployment: str) -> str:
    return f"deployment/{deployment}"


CONFIG_SUBJECT: Final = "config/global"
"""The event subject of the configuration layer below all projects."""


def sent_subject(deployment: str, target: str) -> str:
    """The event subject of what was sent to one target."""
    return f"sent/{deployment}/{target}"


def environment_subject(project: str, environment: str) -> str:
    """Freezes, thaws, holds and their ends."""
    return f"environment/{project}/{environment}"


def target_subject(project: str, target: str) -> str:
    """Maintenance, retirement and return of a target."""
    return f"target/{project}/{target}"


def component_subject(project: str, environment: str, component: str) -> str:
    """Retirement and return of a component in an environment."""
    return f"component/{project}/{environment}/{component}"


def project_subject(project: str) -> str:
    """Catalogue changes, releases, reports, keys."""
    return f"project/{project}"
