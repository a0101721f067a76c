"""Builds everything from settings: database, keys, Temporal client, executors, activities, and what the API is given."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.client import Client

from activities.deployments import DeploymentActivities
from activities.gates import GateActivities
from activities.history import HistoryActivities
from activities.lanes import LaneActivities
from activities.reconcile import ReconcileActivities
from activities.seals import SealActivities
from activities.targets import TargetActivities
from agents.docker_host import DockerHost
from agents.process_host.host import ProcessHost
from api.services import Services
from api.temporal import TemporalOrchestrator
from fairlead.adapters.images import ImageStore
from fairlead.adapters.signer import FileSigner
from fairlead.domain.catalogue import TargetType
from fairlead.domain.codes import Code
from fairlead.domain.errors import Unavailable
from fairlead.ports import Executor, FailPoints, Signer
from fairlead.store.database import Database
from fairlead.store.waiting import Wakeups
from workers.clock import now
from workers.plugin import build_plugin
from workers.settings import Settings

WORKER_CONNECTIONS = 20


@dataclass(frozen=True, slots=True)
class Keys:
    """The server's signing keys (interface.md 6): `agent` is the worker's own."""

    decision: Signer
    ledger: Signer
    agent: Signer


def open_keys(settings: Settings) -> Keys:
    """The keys in the data folder, made on the first start."""
    decision, ledger, agent = (
        FileSigner.load_or_create(settings.keys / f"{name}.pem") for name in ("decision", "ledger", "agent")
    )
    return Keys(decision=decision, ledger=ledger, agent=agent)


async def connect(settings: Settings, *, lazy: bool = False) -> Client:
    """A Temporal client with our plugin; `lazy` connects when first used. Raises Unavailable (temporal_unavailable)."""
    try:
        return await Client.connect(
            settings.temporal_address, namespace=settings.temporal_namespace, plugins=[build_plugin()], lazy=lazy
        )
    except RuntimeError as error:  # all that the SDK says of a connection it could not make
        raise Unavailable(Code.TEMPORAL_UNAVAILABLE, f"no Temporal answers at {settings.temporal_address}") from error


def build_executors(settings: Settings, points: FailPoints) -> Mapping[str, Executor]:
    """Who acts on targets, by type."""
    images = ImageStore(settings.layouts)
    return {
        TargetType.DOCKER_HOST: DockerHost(images, points),
        TargetType.PROCESS_HOST: ProcessHost(settings.hosts, images, points),
    }


@dataclass(frozen=True, slots=True)
class Activities:
    """What a worker does: on the queue of decisions and records, and on that of targets."""

    control: Sequence[Callable[..., Any]]
    targets: Sequence[Callable[..., Any]]


def build_activities(
    db: Database, client: Client, keys: Keys, executors: Mapping[str, Executor], points: FailPoints
) -> Activities:
    """Every activity, with its collaborators."""
    deployments = DeploymentActivities(db, executors)
    reconcile = ReconcileActivities(db, client, deployments, decision=keys.decision, agent=keys.agent)
    control = (
        HistoryActivities(db),
        GateActivities(db),
        LaneActivities(db, client, keys.decision),
        deployments,
        SealActivities(db, keys.decision, keys.agent, points),
        reconcile,
    )
    targets = TargetActivities(db, executors, points)
    return Activities(
        control=[method for collaborator in control for method in methods_of(collaborator)],
        targets=methods_of(targets),
    )


def methods_of(collaborator: object) -> list[Callable[..., Any]]:
    """The activities of a class: what the stub that it implements declares."""
    stub = type(collaborator).__mro__[1]
    return [getattr(collaborator, name) for name in vars(stub) if not name.startswith("_")]


def build_services(settings: Settings, client: Client) -> Services:
    """What the API works with."""
    keys = open_keys(settings)
    return Services(
        database=Database(settings.database_url),
        wakeups=Wakeups(settings.database_url),
        orchestrator=TemporalOrchestrator(client),
        images=ImageStore(settings.layouts),
        decision=keys.decision,
        ledger=keys.ledger,
        now=now,
        agents={settings.agent: keys.agent},
    )
