"""A project with releases and verified deployments, made by the commands themselves; only images come from memory."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlmodel import Session

from fairlead.commands import catalogue, planning, promotions, releases
from fairlead.commands.releases import Wanted
from fairlead.contracts.canonical import Digest, digest_bytes
from fairlead.contracts.names import deployment_subject
from fairlead.contracts.records import DeploymentRecord, PromotionRecord, ReleaseRecord, TaskRecord
from fairlead.contracts.steps import Append
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound
from fairlead.domain.states import DeploymentState, TaskState
from fairlead.ports import Signer
from fairlead.store import deployments, documents, history
from fairlead.store.database import Database
from tests.domain.documents import GOOD

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOW + timedelta(seconds=seconds)


def digest(text: str) -> Digest:
    """A digest of its own for each text."""
    return "sha256:" + sha256(text.encode()).hexdigest()


@dataclass
class MemoryImages:
    """Implements ports.Images. `tags`: (repository, tag) to digest; `indexes`: digest to platforms; `documents`: what is attached to a digest."""

    tags: dict[tuple[str, str], Digest] = field(default_factory=dict)
    indexes: dict[Digest, dict[str, Digest]] = field(default_factory=dict)
    documents: dict[Digest, list[bytes]] = field(default_factory=dict)

    def resolve(self, repository: str, tag: str) -> Digest:
        if (repository, tag) not in self.tags:
            raise NotFound(Code.TAG_NOT_FOUND, f"{repository} has no tag {tag}")
        return self.tags[repository, tag]

    def platforms(self, repository: str, digest: Digest) -> Mapping[str, Digest]:
        return self.indexes.get(digest, {})

    def attached(self, repository: str, digest: Digest, most: int) -> Iterator[tuple[Digest, bytes]]:
        return ((digest_bytes(content), content) for content in self.documents.get(digest, ()))

    def push(self, document: Mapping[str, Any], tag: str, content: str) -> None:
        """Let the tag name something else in every component's repository."""
        for name, component in document["components"].items():
            self.tags[component["repository"], tag] = digest(f"{name} {content}")


@dataclass
class World:
    """The good catalogue, applied, and what stands on it."""

    db: Database
    signer: Signer
    images: MemoryImages = field(default_factory=MemoryImages)
    document: dict[str, Any] = field(default_factory=lambda: deepcopy(GOOD))
    numbers: int = 0

    def apply(self, **options: Any) -> catalogue.Applied:
        """Apply the document as it is now."""
        settings = {"actor": "ana", "admin": True, "now": NOW, **options}
        return catalogue.apply_catalogue(self.db, "shop", catalogue.load(self.document), **settings)

    def release(self, version: str, names: tuple[str, ...] = ("api", "web"), **options: Any) -> ReleaseRecord:
        """A release whose images are tagged with its version."""
        self.images.push(self.document, version, version)
        wanted = {name: Wanted(tag=version) for name in names}
        return releases.create_release(
            self.db, self.images, self.signer, "shop", version, wanted, actor="ana", now=NOW, **options
        ).release

    def request(self, version: str, environment: str = "dev", **options: Any) -> PromotionRecord:
        """Ask for a promotion."""
        settings = {"requester": "ana", "now": NOW, **options}
        return promotions.request_promotion(self.db, "shop", environment, version, **settings)

    def deploy(
        self, version: str, environment: str = "dev", *, seconds: float = 0, ok: bool = True
    ) -> DeploymentRecord:
        """A deployment that has ended, verified or not, of a promotion that bypasses every gate."""
        promotion = self.request(version, environment)
        with self.db.session() as s:
            deployment = self._open(s, promotion, at(seconds))
            for state in ("preparing", "running"):
                step(s, deployment, "moved", state=state)
            for task in deployments.tasks(s, deployment.id):
                for state in ("running", "succeeded" if ok else "failed"):
                    step(s, deployment, "task", target=task.target, data_state=state)
            step(s, deployment, "moved", state="verifying")
            step(s, deployment, "ended", time=at(seconds), state="succeeded" if ok else "failed")
            return self.read(s, deployment.id)

    def read(self, s: Session, id: str) -> DeploymentRecord:
        found = deployments.get(s, id)
        assert found is not None
        return found

    def _open(self, s: Session, promotion: PromotionRecord, now: datetime) -> DeploymentRecord:
        self.numbers += 1
        release = releases.require_release(s, "shop", promotion.release)
        plan = planning.plan_of(s, catalogue.of_project(s, "shop"), promotion, release, now)
        common = {"release": release.version, "release_digest": release.digest}
        common["plan"] = documents.put_plan(s, "shop", plan)
        deployment = DeploymentRecord(
            id=promotion.id,
            promotion=promotion.id,
            project="shop",
            environment=promotion.environment,
            number=self.numbers,
            state=DeploymentState.QUEUED,
            is_rollback=False,
            decision=digest("decision"),
            created_at=NOW,
            **common,
        )
        tasks = [
            TaskRecord(
                deployment=promotion.id,
                target=target.name,
                type=target.type,
                wave=target.wave,
                state=TaskState.PENDING,
                attempt=0,
                **common,
            )
            for target in plan.targets
        ]
        return deployments.insert(s, deployment, tasks)


def step(
    s: Session,
    deployment: DeploymentRecord,
    type: str,
    *,
    time: datetime = NOW,
    state: str | None = None,
    target: str | None = None,
    data_state: str | None = None,
) -> None:
    """The deployment's next event."""
    sequence = (found.sequence if (found := deployments.get(s, deployment.id)) else 0) + 1
    data = {"target": target, "state": data_state} if target else {}
    subject = deployment_subject(deployment.id)
    history.append(s, Append(subject=subject, sequence=sequence, type=type, time=time, state=state, data=data))
