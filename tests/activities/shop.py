"""A small shop for tests: a catalogue of three environments, people with keys, releases, and targets in memory."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.deployments import DeploymentActivities
from activities.gates import GateActivities
from activities.history import HistoryActivities
from activities.seals import SealActivities
from activities.targets import TargetActivities
from agents.memory import MemoryHost, World
from fairlead.adapters.signer import FileSigner
from fairlead.commands import catalogue
from fairlead.commands.promotions import request_promotion
from fairlead.commands.releases import Wanted, create_release
from fairlead.contracts import names
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.records import EventRecord, PromotionRecord, ReleaseRecord
from fairlead.contracts.seals import SealDecision
from fairlead.contracts.steps import AdmitInput, Append, EvaluateInput, Evaluation, JudgeVote, OpenDeployment, Outline
from fairlead.contracts.votes import Choice, VotePayload
from fairlead.evidence.voting import sign_vote
from fairlead.store import history, lanes, promotions
from fairlead.store.database import Database
from tests.fakes.secrets import MemorySecrets

NOW = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
PEOPLE = {"ana": ["dev"], "ben": ["sre"], "cho": ["dev", "sre"]}
ROLLING = {"type": "rolling", "batch": 1, "min_healthy_time": "50ms", "healthy_deadline": "1s"}

SHOP: dict[str, Any] = {
    "project": "shop",
    "people": {name: {"groups": groups, "keys": []} for name, groups in PEOPLE.items()},
    "components": {
        "web": {"repository": "oci-layout:shop/web", "command": ["serve"], "ports": ["8080:8080"]},
    },
    "environments": {
        "dev": {"targets": ["dev-1"], "strategy": {"min_healthy_time": "50ms", "healthy_deadline": "1s"}},
        "staging": {"targets": ["stg-1", "stg-2"], "after": ["dev"], "strategy": ROLLING},
        "prod": {
            "targets": ["prod-1", "prod-2"],
            "after": ["staging"],
            "approval": {"count": 2, "groups": {"sre": 1}},
            "strategy": ROLLING,
        },
    },
    "targets": {
        name: {"type": "process_host", "endpoint": f"process:{name}"}
        for name in ("dev-1", "stg-1", "stg-2", "prod-1", "prod-2")
    },
}


def at(seconds: float) -> datetime:
    """So many seconds after the tests' noon."""
    return NOW + timedelta(seconds=seconds)


def new_signer() -> FileSigner:
    """A signing key of nobody's."""
    return FileSigner(Ed25519PrivateKey.generate())


class PlayedImages:
    """ports.Images where every tag names a manifest of its own."""

    def resolve(self, repository: str, tag: str) -> str:
        return digest_of(f"{repository}:{tag}")

    def platforms(self, repository: str, digest: str) -> Mapping[str, str]:
        return {}

    def attached(self, repository: str, digest: str, most: int) -> Iterator[tuple[str, bytes]]:
        return iter(())


class Shop:
    """The shop in a database of its own, with the activities that tests drive by hand."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.world = World()
        self.safe = MemorySecrets()
        self.executors = {"process_host": MemoryHost(self.world, None, self.safe)}
        self.decision, self.agent, self.ledger = new_signer(), new_signer(), new_signer()
        self.people = {name: new_signer() for name in PEOPLE}
        self.history = HistoryActivities(db)
        self.gates = GateActivities(db, self.safe)
        self.deployments = DeploymentActivities(db, self.executors)
        self.targets = TargetActivities(db, self.executors)
        self.seals = SealActivities(db, self.decision, self.agent)
        self.apply(SHOP)

    def apply(self, document: dict[str, Any], now: datetime = NOW) -> None:
        """Apply a catalogue; everybody's public key is put in."""
        document = deepcopy(document)
        for name, signer in self.people.items():
            document["people"].setdefault(name, {"groups": []})["keys"] = [signer.public_pem]
        read = catalogue.load(document)
        catalogue.apply_catalogue(self.db, "shop", read, actor="ana", admin=True, now=now)

    def release(self, version: str, now: datetime = NOW) -> ReleaseRecord:
        """A release of the one component, from the tag of the same name."""
        wanted = {"web": Wanted(tag=version)}
        created = create_release(self.db, PlayedImages(), self.decision, "shop", version, wanted, actor="ana", now=now)
        return created.release

    def promote(
        self, version: str, environment: str = "dev", *, requester: str = "ana", **more: Any
    ) -> PromotionRecord:
        """A requested promotion, its release made first."""
        now = more.pop("now", NOW)
        self.release(version)
        return request_promotion(self.db, "shop", environment, version, requester=requester, now=now, **more)

    def evaluate(self, promotion: str, seconds: float = 0, **more: Any) -> Evaluation:
        """Judge the gates."""
        return self.gates.evaluate(EvaluateInput(promotion=promotion, now=at(seconds), **more))

    def append(
        self,
        subject: str,
        type: str,
        *,
        state: str | None = None,
        seconds: float = 1,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """The subject's next event, as its workflow would record it."""
        with self.db.session() as s:
            known = history.events(s, subject, limit=1000)
        sequence = known[-1].sequence + 1 if known else 1
        self.history.append(
            Append(subject=subject, sequence=sequence, type=type, time=at(seconds), state=state, data=dict(data or {}))
        )

    def succeed(self, outline: Outline) -> None:
        """Let a deployment end as if every target had been seen running it, and give its place back."""
        subject = names.deployment_subject(outline.deployment)
        self.append(subject, "preparing", state="preparing")
        self.append(subject, "running", state="running")
        for target in outline.targets:
            self.move_task(outline.deployment, target.target, "running")
            self.move_task(outline.deployment, target.target, "succeeded")
        self.append(subject, "verifying", state="verifying")
        self.append(subject, "ended", state="succeeded")
        self.free(outline.deployment)

    def free(self, promotion: str) -> None:
        """Give the place in the lane back."""
        with self.db.session() as s:
            lanes.set_status(s, promotion, "done")

    def move_task(self, deployment: str, target: str, state: str) -> None:
        """Record how the work on a target stands."""
        self.append(names.deployment_subject(deployment), "task", data={"target": target, "state": state})

    def open_votes(self, promotion: PromotionRecord, seconds: float = 0) -> str:
        """Evaluate once, as the workflow does, and open votes for the plan; answers its digest."""
        evaluation = self.evaluate(promotion.id, seconds)
        subject = names.promotion_subject(promotion.id)
        self.append(subject, "evaluating", state="evaluating", seconds=seconds)
        self.append(subject, "evaluated", data={"plan": evaluation.plan}, seconds=seconds)
        opened = {"opened": at(seconds).isoformat(), "expires": at(seconds + 3600).isoformat()}
        self.append(subject, "votes_opened", data=opened, seconds=seconds)
        return evaluation.plan

    def vote(self, voter: str, promotion: PromotionRecord, plan: str, /, **changes: Any) -> dict[str, Any]:
        """A signed vote; `changes` to its fields, `signer` to who signs it."""
        signer = changes.pop("signer", self.people[voter])
        fields = {
            "project": "shop",
            "promotion": promotion.id,
            "release": promotion.release_digest,
            "environment": promotion.environment,
            "plan": plan,
            "choice": Choice.APPROVE,
            "voter": voter,
            "assurance": "own_key",
            "nonce": "n",
            "time": at(10),
        }
        return sign_vote(signer, VotePayload(**{**fields, **changes}))

    def judge_vote(self, sequence: int, promotion: PromotionRecord, plan: str, voter: str) -> None:
        """Judge a vote for a plan whose votes are open, as the promotion's event `sequence`."""
        request = JudgeVote(
            promotion=promotion.id,
            sequence=sequence,
            received=at(12),
            envelope=self.vote(voter, promotion, plan),
            via="update",
            plan=plan,
            opened=at(0),
            expires=at(3600),
        )
        assert self.gates.judge_vote(request).accepted

    def admit(self, promotion: PromotionRecord, seconds: float = 0) -> None:
        """Give it the place in its lane, whatever the lane's rules say."""
        with self.db.session() as s:
            lanes.lock(s, "shop", promotion.environment)
            lanes.enqueue(
                s, promotion=promotion.id, project="shop", environment=promotion.environment, time=at(seconds)
            )
            number = lanes.next_number(s, "shop", promotion.environment)
            lanes.set_status(s, promotion.id, "admitted", number=number)

    def open_deployment(self, promotion: PromotionRecord, seconds: float = 0) -> Outline:
        """Decide, and open the promotion's deployment."""
        evaluation = self.evaluate(promotion.id, seconds)
        subject = names.promotion_subject(promotion.id)
        self.append(subject, "evaluating", state="evaluating", seconds=seconds)
        self.append(subject, "evaluated", data={"plan": evaluation.plan}, seconds=seconds)
        self.append(subject, "queued", state="queued", seconds=seconds)
        self.admit(promotion, seconds)
        sealed = self.seals.seal_decision(
            SealDecision(
                promotion=promotion.id,
                time=at(seconds),
                result="allow",
                plan=evaluation.plan,
                verdicts=evaluation.verdicts,
                approval=evaluation.approval,
            )
        )
        self.append(subject, "deploying", state="deploying", seconds=seconds)
        return self.deployments.open_deployment(
            OpenDeployment(promotion=promotion.id, decision=sealed.statements[-1], time=at(seconds))
        )

    def events(self, subject: str) -> list[EventRecord]:
        """A subject's history."""
        with self.db.session() as s:
            return history.events(s, subject, limit=1000)

    def row(self, promotion: str) -> PromotionRecord:
        """The promotion's row as it is now."""
        with self.db.session() as s:
            found = promotions.get(s, promotion)
        assert found is not None
        return found


def lane(environment: str = "dev", seconds: float = 0) -> AdmitInput:
    """Ask who may have the place now."""
    return AdmitInput(project="shop", environment=environment, now=at(seconds))
