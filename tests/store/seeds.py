"""Rows that tests of the store stand on, each with what it needs below it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

from fairlead.contracts.canonical import digest_of
from fairlead.contracts.names import deployment_subject, promotion_subject
from fairlead.contracts.records import DeploymentRecord, PromotionRecord, ReleaseRecord, TaskRecord
from fairlead.contracts.release import PinnedComponent, ReleaseManifest
from fairlead.contracts.steps import Append
from fairlead.domain.states import DeploymentState, TaskState
from fairlead.store import deployments, history, projects, promotions, releases

NOW = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
DIGEST = digest_of("anything")


def at(seconds: float) -> datetime:
    """So many seconds after the tests' noon."""
    return NOW + timedelta(seconds=seconds)


def project(s: Session, name: str = "shop") -> None:
    """A project with one thing of each kind."""
    catalogue = {"people": {"ana": {}}, "components": {"web": {}}, "environments": {"prod": {}}, "targets": {"t1": {}}}
    projects.save(s, name=name, catalogue=catalogue, actor="ana", time=NOW)


def manifest(version: str = "1.0.0", project: str = "shop") -> ReleaseManifest:
    """A manifest that differs by version."""
    web = PinnedComponent(repository="localhost:5000/web", digest=DIGEST)
    return ReleaseManifest(project=project, version=version, components={"web": web}, templates={"web": DIGEST})


def release(s: Session, version: str = "1.0.0", project_name: str = "shop") -> ReleaseRecord:
    """A release of the project, both made if they are missing."""
    project(s, project_name)
    made = manifest(version, project_name)
    return releases.insert(s, manifest=made, digest=digest_of(made), created_by="ana", time=NOW)


def promotion(s: Session, id: str = "p1", **changes: Any) -> PromotionRecord:
    """A requested promotion of 1.0.0 into prod."""
    kept = release(s, changes.get("release", "1.0.0"), changes.get("project", "shop"))
    values: dict[str, Any] = {
        "project": "shop",
        "environment": "prod",
        "release": kept.version,
        "release_digest": kept.digest,
        "requester": "ana",
        "reason": "",
        "intent": "promote",
        "through_hold": None,
        "retry_of": None,
        "requested_at": NOW,
        "expires_at": at(86400),
    }
    return promotions.insert(s, id=id, **{**values, **changes})


def move(s: Session, id: str, *states: str, type: str = "moved") -> None:
    """Take a promotion through these states, an event each."""
    for state in states:
        kept = promotions.get(s, id)
        assert kept is not None
        subject = promotion_subject(id)
        history.append(s, Append(subject=subject, sequence=kept.sequence + 1, type=type, time=at(1), state=state))


def deployment(
    s: Session, id: str = "p1", number: int = 1, targets: tuple[str, ...] = ("t1", "t2"), **changes: Any
) -> DeploymentRecord:
    """A queued deployment of a promotion, made if it is missing."""
    if promotions.get(s, changes.get("promotion", id)) is None:
        promotion(s, changes.get("promotion", id), release=changes.get("release", "1.0.0"))
    kept = release(s, changes.get("release", "1.0.0"))
    common = {"release": kept.version, "release_digest": kept.digest, "plan": DIGEST}
    values: dict[str, Any] = {
        "id": id,
        "promotion": id,
        "project": "shop",
        "environment": "prod",
        "number": number,
        "state": DeploymentState.QUEUED,
        "is_rollback": False,
        "created_at": NOW,
        **common,
    }
    tasks = [
        TaskRecord(deployment=id, target=t, type="docker_host", wave=w, state=TaskState.PENDING, attempt=0, **common)
        for w, t in enumerate(targets)
    ]
    return deployments.insert(s, DeploymentRecord(**{**values, **changes}), tasks)


def step(s: Session, id: str, type: str, *, time: datetime = NOW, state: str | None = None, **data: Any) -> None:
    """The deployment's next event."""
    kept = deployments.get(s, id)
    assert kept is not None
    subject = deployment_subject(id)
    event = Append(subject=subject, sequence=kept.sequence + 1, type=type, time=time, state=state, data=data)
    history.append(s, event)


def task(s: Session, id: str, target: str, state: str, **data: Any) -> None:
    """The deployment's next event, about a task."""
    kept = deployments.get(s, id)
    assert kept is not None
    data = {"target": target, "state": state, **data}
    subject = deployment_subject(id)
    history.append(s, Append(subject=subject, sequence=kept.sequence + 1, type="task", time=NOW, data=data))


def succeed(s: Session, id: str, time: datetime = NOW) -> None:
    """Take a queued deployment and all its tasks to success."""
    for state in ("preparing", "running"):
        step(s, id, "moved", state=state)
    for each in deployments.tasks(s, id):
        task(s, id, each.target, "running")
        task(s, id, each.target, "succeeded")
    step(s, id, "moved", state="verifying")
    step(s, id, "ended", time=time, state="succeeded")
