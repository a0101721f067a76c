"""Builds what a worker works with: executors by target type, and every activity with its collaborators."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.client import Client

from activities.deployments import DeploymentActivities
from activities.drift import DriftActivities
from activities.gates import GateActivities
from activities.history import HistoryActivities
from activities.lanes import LaneActivities
from activities.reconcile import ReconcileActivities
from activities.seals import SealActivities
from activities.targets import TargetActivities
from agents.compose_host import ComposeHost
from agents.compose_host.plugin import Compose
from agents.docker_host import DockerHost
from agents.ecs_service import EcsService
from agents.nomad_job import NomadJob
from agents.process_host.host import ProcessHost
from agents.ssh_host.engines import Engines
from agents.ssh_host.host import SshHost
from agents.winrm_host.host import WinrmHost
from fairlead.domain.catalogue import TargetType
from fairlead.ports import Artifacts, Executor, FailPoints, NoSecrets, Secrets
from fairlead.store.database import Database
from workers.access import Keys
from workers.image_places import open_images
from workers.settings import Settings

NO_SECRETS = NoSecrets()


def build_executors(settings: Settings, points: FailPoints, secrets: Secrets = NO_SECRETS) -> Mapping[str, Executor]:
    """Who acts on targets, by type."""
    images = open_images(settings)
    return {
        TargetType.COMPOSE_HOST: ComposeHost(images, Compose(settings.compose), points, secrets),
        TargetType.ECS_SERVICE: EcsService(images, points, secrets),
        TargetType.NOMAD_JOB: NomadJob(images, points, secrets),
        TargetType.DOCKER_HOST: DockerHost(images, points, secrets, Engines(secrets)),
        TargetType.PROCESS_HOST: ProcessHost(settings.hosts, images, points, secrets=secrets),
        TargetType.SSH_HOST: SshHost(images, points, secrets),
        TargetType.WINRM_HOST: WinrmHost(images, points, secrets),
    }


@dataclass(frozen=True, slots=True)
class Activities:
    """What a worker does: on the queue of decisions and records, and on that of targets."""

    control: Sequence[Callable[..., Any]]
    targets: Sequence[Callable[..., Any]]


def build_activities(
    db: Database,
    client: Client,
    keys: Keys,
    executors: Mapping[str, Executor],
    points: FailPoints,
    secrets: Secrets = NO_SECRETS,
    artifacts: Artifacts | None = None,
) -> Activities:
    """Every activity, with its collaborators."""
    deployments = DeploymentActivities(db, executors)
    reconcile = ReconcileActivities(db, client, deployments, decision=keys.decision, agent=keys.agent)
    control = (
        HistoryActivities(db),
        GateActivities(db, secrets),
        LaneActivities(db, client, keys.decision),
        deployments,
        SealActivities(db, keys.decision, keys.agent, points),
        reconcile,
        DriftActivities(db, client, keys.agent),
    )
    targets = TargetActivities(db, executors, points, artifacts, secrets)
    return Activities(
        control=[method for collaborator in control for method in methods_of(collaborator)],
        targets=methods_of(targets),
    )


def methods_of(collaborator: object) -> list[Callable[..., Any]]:
    """The activities of a class: what the stub that it implements declares."""
    stub = type(collaborator).__mro__[1]
    return [getattr(collaborator, name) for name in vars(stub) if not name.startswith("_")]
