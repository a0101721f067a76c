"""The names that outlive a version: running workflows, saved histories and other people's clients hold them. Add freely, rename by an ADR."""

from itertools import chain

from temporalio import activity, workflow

from fairlead.contracts import activities, names
from workers.plugin import WORKFLOWS

# by workflow type: signals, updates, queries
MESSAGES = {
    "Promotion": (
        {"admitted", "cancel", "progress", "reevaluate", "vote"},
        {"cancel", "vote"},
        {"state", "why"},
    ),
    "Lane": ({"reevaluate"}, {"enter", "freeze", "hold", "leave", "resume", "thaw"}, set()),
    "Deployment": ({"cancel", "ping"}, set(), {"state"}),
    "Reconcile": (set(), set(), set()),
    "Drift": (set(), set(), set()),
    "Logs": (set(), set(), set()),
    "Check": (set(), set(), set()),
    "Forecast": (set(), set(), set()),
}

ACTIVITIES = {
    "HistoryActivities": {"append", "append_all"},
    "GateActivities": {"evaluate", "judge_cancel", "judge_vote"},
    "LaneActivities": {
        *{"admit", "enter", "free", "leave", "poke", "queue", "read_admission"},
        *{"record_restraint", "request_cancel", "unqueue", "watch"},
    },
    "DeploymentActivities": {"abandon", "leave_hold", "open_deployment", "open_rollback", "outline", "standing"},
    "TargetActivities": {
        *{"apply", "check_target", "forecast_target", "look", "observe", "prepare", "read_logs", "retire", "settle"},
    },
    "SealActivities": {"seal_decision", "seal_deployment", "seal_outcome", "seal_rollback"},
    "ReconcileActivities": {"end_orphans", "keep_watches", "start_missing"},
    "DriftActivities": {"begin", "judge_looks", "plan_looks"},
}

QUEUES = {"fairlead-control", "fairlead-targets"}
SEARCH_ATTRIBUTES = {"FairleadEnvironment", "FairleadProject", "FairleadRelease", "FairleadState"}
IDS = {
    "logs/shop/t1/x",
    "check/shop/t1/x",
    "forecast/shop/t1/x",
    "promotion/p1",
    "lane/shop/prod",
    "drift/shop/prod",
    "deployment/p1",
    "deployment/p1.rollback",
}


def _defined(class_: type) -> set[str]:
    """The names under which Temporal knows a class's activities; the SDK has no public way to ask."""
    found = (activity._Definition.from_callable(method) for method in vars(class_).values() if callable(method))
    return {definition.name for definition in found if definition and definition.name}


def _constants(prefix: str) -> set[str]:
    return {value for name, value in vars(names).items() if name.startswith(prefix)}


def test_workflow_types_and_their_messages():
    definitions = [workflow._Definition.must_from_class(class_) for class_ in WORKFLOWS]
    assert {d.name: (set(d.signals), set(d.updates), set(d.queries)) for d in definitions} == MESSAGES


def test_activities():
    stubs = [class_ for name, class_ in vars(activities).items() if name.endswith("Activities")]
    assert {class_.__name__: _defined(class_) for class_ in stubs} == ACTIVITIES


def test_no_two_activities_share_a_name():
    every = list(chain.from_iterable(ACTIVITIES.values()))
    assert len(every) == len(set(every))


def test_queues_and_search_attributes():
    assert (_constants("QUEUE_"), _constants("ATTRIBUTE_")) == (QUEUES, SEARCH_ATTRIBUTES)


def test_every_message_constant_is_a_message_of_some_workflow():
    known = set().union(*(signals | updates for signals, updates, _ in MESSAGES.values()))
    assert known >= _constants("SIGNAL_")


def test_workflow_ids():
    deployments = {names.deployment_workflow(id) for id in ("p1", names.rollback_of("p1"))}
    assert {
        names.promotion_workflow("p1"),
        names.lane_workflow("shop", "prod"),
        names.drift_watch("shop", "prod"),
        names.logs_workflow("shop", "t1", "x"),
        names.check_workflow("shop", "t1", "x"),
        names.forecast_workflow("shop", "t1", "x"),
        *deployments,
    } == IDS
