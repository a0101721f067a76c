"""Deployments, their tasks, and what was last verified where."""

from datetime import datetime

from sqlmodel import Session

from fairlead.contracts.canonical import Digest
from fairlead.contracts.records import DeploymentRecord, TaskRecord


def insert(s: Session, deployment: DeploymentRecord, tasks: list[TaskRecord]) -> DeploymentRecord:
    """Keep a deployment with its tasks, once; answers the one that is there. Its first event has sequence 0 or 1."""
    raise NotImplementedError


def get(s: Session, id: str) -> DeploymentRecord | None:
    """A deployment by id."""
    raise NotImplementedError


def tasks(s: Session, id: str) -> list[TaskRecord]:
    """Its tasks by wave, then target."""
    raise NotImplementedError


def task(s: Session, deployment: str, target: str) -> TaskRecord | None:
    """One task."""
    raise NotImplementedError


def next_attempt(s: Session, deployment: str, target: str) -> int:
    """The task's next attempt, from 1, never the same twice; from now on its target counts as touched."""
    raise NotImplementedError


def of_promotion(s: Session, promotion: str) -> list[DeploymentRecord]:
    """A promotion's deployments by number, the rollback last."""
    raise NotImplementedError


def last_verified(s: Session, project: str, environment: str) -> DeploymentRecord | None:
    """The latest deployment that succeeded."""
    raise NotImplementedError


def last_verified_task(
    s: Session, project: str, environment: str, target: str, *, before_number: int | None = None
) -> TaskRecord | None:
    """The task that last brought a target into a verified state, of a deployment with a lower number."""
    raise NotImplementedError


def verified_spans(
    s: Session, project: str, environment: str, release_digest: Digest
) -> list[tuple[datetime, datetime | None]]:
    """When a release was what was verified there: from its verification until another release's, the last span open."""
    raise NotImplementedError


def running(s: Session, project: str, environment: str) -> list[DeploymentRecord]:
    """Deployments that have not ended, by number."""
    raise NotImplementedError
