"""Genuine evidence in memory, and the places where an attacker who holds a key may change it.

Each story seals its statements one by one under a name. `tamper` changes a statement just before it is sealed (so whatever
rests on it names the changed one), `signed_by` has another key sign it, `drop` leaves it out of the ledger.
"""

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from fairlead.contracts.canonical import canonical, digest_of
from fairlead.contracts.release import ReleaseManifest
from fairlead.contracts.target import ComponentObservation, TargetObservation
from fairlead.contracts.votes import ApprovalTerms
from fairlead.domain.health import Health
from fairlead.domain.states import PromotionState, TaskState
from fairlead.domain.verdict import Decision, Verdict
from fairlead.evidence import bundle, envelope, statements
from fairlead.evidence.checkpoint import sign_checkpoint
from fairlead.evidence.ledger import Tree, leaf_data, leaf_hash
from fairlead.evidence.predicates import DeployedTarget, PlacedComponent, RollbackTarget
from fairlead.evidence.statement import STATEMENT_PAYLOAD_TYPE, Statement
from fairlead.evidence.voting import ReceivedVote
from tests.evidence.material import (
    AGENT_KINDS,
    ENVIRONMENT,
    EXPIRES,
    GATES,
    NEW,
    OLD,
    OPENED,
    PLAN,
    PROJECT,
    PROMOTION,
    REQUESTER,
    TARGETS,
    Tamper,
    digest,
    genuine_ballots,
    minute,
    plan_of,
    signer,
)

TERMS = ApprovalTerms(
    count=2,
    groups={"sre": 1},
    requester="cannot_vote",
    expires_after=(EXPIRES - OPENED) * 60,
    opened=minute(OPENED),
    expires=minute(EXPIRES),
)


@cache
def _noise(index: int) -> dict[str, Any]:
    """A statement that is of no promotion, the same at each place: signing it anew for every story takes long."""
    freeze = statements.freeze(
        project=PROJECT,
        environment="staging",
        change="freeze",
        restraint=f"r{index}",
        actor="ana",
        reason="inventory",
        time=minute(1),
    )
    return envelope.seal(signer("decision"), freeze)


class World:
    """A ledger that grows as a story is told, and the trust that judges it."""

    def __init__(
        self,
        *,
        tamper: Mapping[str, Tamper] | None = None,
        signed_by: Mapping[str, str] | None = None,
        drop: Iterable[str] = (),
    ) -> None:
        self.tamper, self.signed_by, self.drop = tamper or {}, signed_by or {}, frozenset(drop)
        self.leaves: list[dict[str, Any]] = []
        self.names: dict[str, int] = {}
        self.digests: dict[str, str] = {}
        self.went_back = False

    def seal(self, name: str, statement: Statement) -> str:
        """Append a statement; some of another promotion come between."""
        document = json.loads(statement.payload())
        self.tamper.get(name, lambda _: None)(document)
        kind = statement.predicate_type.split(":")[2] if statement.predicate_type.startswith("urn:") else "vsa"
        key = self.signed_by.get(name, "agent" if kind in AGENT_KINDS else "decision")
        sealed = envelope.sign(signer(key), STATEMENT_PAYLOAD_TYPE, canonical(document))
        self.digests[name] = envelope.read_envelope(sealed).digest
        if name not in self.drop:
            self._noise()
            self.names[name] = len(self.leaves)
            self.leaves.append(sealed)
        return self.digests[name]

    def about(self, time: float) -> statements.About:
        return statements.About(PROMOTION, ENVIRONMENT, NEW, minute(time))

    def release(self, name: str, manifest: ReleaseManifest) -> str:
        return self.seal(name, statements.release(manifest, time=minute(0), created_by="ci"))

    def decide(
        self,
        result: str = "allow",
        *,
        denied: str | None = None,
        ballots: Sequence[ReceivedVote] | None = None,
        time: float = 30,
        code: str | None = None,
    ) -> None:
        """Release, verdicts, votes and the decision."""
        self.release("old release", OLD)
        release = self.release("release", NEW)
        verdicts = [self._verdict(release, gate, denied, time) for gate in GATES]
        about, cast = self.about(time), genuine_ballots() if ballots is None else ballots
        votes = statements.votes(
            about,
            release_statement=release,
            plan=digest_of(PLAN),
            requester=REQUESTER,
            approval=TERMS,
            cast=cast,
        )
        votes_digest = self.seal("votes", votes) if cast else None
        self.seal(
            "decision",
            statements.decision(
                about,
                release_statement=release,
                result="allow" if result == "allow" else "deny",
                requester=REQUESTER,
                plan=PLAN,
                approval=TERMS,
                verdicts=verdicts,
                votes=votes_digest,
                code=code,
            ),
        )

    def deploy(self, *, failing: str | None = None, time: float = 40) -> None:
        """The plan's targets in order; at `failing` it stops."""
        done = [self._done(t.name, index, failing) for index, t in enumerate(PLAN.targets)]
        statement = statements.deployment(
            self.about(time),
            authority=self.digests["decision"],
            deployment=PROMOTION,
            number=7,
            is_rollback=False,
            result="failed" if failing else "succeeded",
            targets=done,
            plan=digest_of(PLAN),
            code="unhealthy" if failing else None,
        )
        self.seal("deployment", statement)
        self._judge("deployment", done, NEW, time, failing)

    def roll_back(self, *, retire: bool = False, time: float = 50) -> None:
        """The first target goes back to the old release, or is taken down."""
        self.went_back = not retire
        manifest = NEW if retire else OLD
        parts = () if retire else self._parts(OLD, "prod-1")
        place = RollbackTarget(
            name="prod-1",
            release=manifest.version,
            release_digest=digest_of(manifest),
            retire=retire,
            components=parts,
        )
        order = statements.rollback(
            self.about(time),
            decision=self.digests["decision"],
            deployment_statement=self.digests["deployment"],
            verification_statement=self.digests["verification"],
            deployment=PROMOTION,
            code="unhealthy",
            targets=[place],
        )
        self.seal("rollback", order)
        done = DeployedTarget(**place.model_dump(), touched=True, attempt=1, state=TaskState.SUCCEEDED)
        statement = statements.deployment(
            self.about(time + 5),
            authority=self.digests["rollback"],
            deployment=f"{PROMOTION}.rollback",
            number=8,
            is_rollback=True,
            result="succeeded",
            targets=[done],
            manifests=[OLD],
        )
        self.seal("way back", statement)
        self._judge("way back", [done], manifest, time + 5, None)

    def end(self, state: PromotionState, *, time: float = 60, code: str | None = None) -> None:
        """The outcome over all that is in the ledger."""
        needed = [name for name in self.names if name != "old release" or self.went_back]
        named = [envelope.read_envelope(self.leaves[self.names[name]]).digest for name in needed]
        self.seal("outcome", statements.outcome(self.about(time), state=state, statements=named, code=code))

    def bundle(self, *, without: Iterable[str] = (), since: int | None = None) -> dict[str, Any]:
        """What export would write. The old release belongs to it when something went back there."""
        left_out = {*without} if self.went_back else {*without, "old release"}
        held = {index: self.leaves[index] for name, index in self.names.items() if name not in left_out}
        self._noise()
        older = self.checkpoint(since) if since is not None else None
        return copy.deepcopy(bundle.build(PROMOTION, held, self.tree(), self.checkpoint(), since=older))

    def tree(self) -> Tree:
        return Tree([leaf_hash(leaf_data(leaf)) for leaf in self.leaves])

    def checkpoint(self, size: int | None = None, *, key: str = "ledger", project: str = PROJECT) -> str:
        size = len(self.leaves) if size is None else size
        return sign_checkpoint(signer(key), project, size, self.tree().root(size))

    def _noise(self) -> None:
        self.leaves.append(_noise(len(self.leaves)))

    def _verdict(self, release: str, gate: str, denied: str | None, time: float) -> str:
        verdict = Verdict(
            gate=gate,
            decision=Decision.DENY if gate == denied else Decision.ALLOW,
            reason_codes=(),
            message=f"{gate} has spoken",
            facts=digest(f"facts of {gate}"),
            policy=digest(f"policy of {gate}"),
            evaluated_at=minute(time),
        )
        about, plan = self.about(time), digest_of(PLAN)
        statement = statements.verdict(about, release_statement=release, verdict=verdict, plan=plan)
        return self.seal(f"verdict {gate}", statement)

    def _parts(self, manifest: ReleaseManifest, target: str) -> tuple[PlacedComponent, ...]:
        planned = next(t for t in plan_of(manifest).targets if t.name == target)
        return tuple(PlacedComponent(name=c.name, digest=c.digest, config=c.config) for c in planned.components)

    def _done(self, name: str, index: int, failing: str | None) -> DeployedTarget:
        stopped = failing is not None and index > TARGETS.index(failing)
        state = TaskState.SKIPPED if stopped else TaskState.FAILED if name == failing else TaskState.SUCCEEDED
        return DeployedTarget(
            name=name,
            release=NEW.version,
            release_digest=digest_of(NEW),
            touched=not stopped,
            attempt=0 if stopped else 1,
            state=state,
            components=self._parts(NEW, name),
        )

    def _judge(
        self,
        name: str,
        done: Sequence[DeployedTarget],
        manifest: ReleaseManifest,
        time: float,
        failing: str | None,
    ) -> None:
        is_rollback = name != "deployment"
        deployment = f"{PROMOTION}.rollback" if is_rollback else PROMOTION
        suffix = " of way back" if is_rollback else ""
        seen = [
            self.seal(
                f"observation {target.name}{suffix}",
                statements.observation(
                    self.about(time),
                    deployment_statement=self.digests[name],
                    deployment=deployment,
                    is_rollback=is_rollback,
                    target=target,
                    manifest=manifest,
                    observed=observed(target, manifest, healthy=target.name != failing),
                    ok=target.name != failing,
                ),
            )
            for target in done
            if target.touched
        ]
        verification = statements.verification(
            self.about(time),
            deployment_statement=self.digests[name],
            observations=seen,
            deployment=deployment,
            is_rollback=is_rollback,
            result="failed" if failing else "passed",
        )
        self.seal(f"verification{suffix}", verification)


def observed(target: DeployedTarget, manifest: ReleaseManifest, *, healthy: bool) -> TargetObservation:
    """The target shows a platform's digest where there is one."""
    health = Health.HEALTHY if healthy else Health.UNHEALTHY
    return TargetObservation(
        target=target.name,
        reachable=True,
        components=tuple(
            ComponentObservation(
                name=part.name,
                health=health,
                digest=(manifest.components[part.name].platforms or {}).get("linux/arm64", part.digest),
                config=part.config,
                created=minute(35),
            )
            for part in target.components
        ),
    )
