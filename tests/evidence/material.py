"""What stories are made of: keys, releases, plans, ballots, the trust file."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairlead.adapters.signer import FileSigner
from fairlead.contracts.canonical import digest_bytes, digest_of
from fairlead.contracts.release import (
    PinnedComponent,
    Plan,
    PlannedComponent,
    PlannedTarget,
    PlanStrategy,
    ReleaseManifest,
)
from fairlead.contracts.votes import Choice, VotePayload
from fairlead.evidence.voting import ReceivedVote, sign_vote

PROJECT, PROMOTION, ENVIRONMENT, REQUESTER = "shop", "abcdefghijkl", "prod", "dora"
NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
OPENED, EXPIRES = 10, 200
GATES = ("previous_environment", "freeze", "approval", "security")
VOTERS = ("ana", "ben", "cem", "dora")
TARGETS = ("prod-1", "prod-2", "prod-3")
AGENT_KINDS = ("deployment", "observation", "drift")

Tamper = Callable[[dict[str, Any]], object]


def minute(number: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=number)


@cache
def signer(name: str) -> FileSigner:
    """The same key for the same name, always."""
    return FileSigner(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest()))


def digest(text: str) -> str:
    """A digest of no matter what."""
    return digest_bytes(text.encode())


def manifest_of(version: str) -> ReleaseManifest:
    """Two components; `web` is an index of two platforms."""
    platforms = {"linux/amd64": digest(f"web {version} amd64"), "linux/arm64": digest(f"web {version} arm64")}
    return ReleaseManifest(
        project=PROJECT,
        version=version,
        components={
            "web": PinnedComponent(
                repository="registry.test/shop/web", digest=digest(f"web {version}"), platforms=platforms
            ),
            "api": PinnedComponent(repository="registry.test/shop/api", digest=digest(f"api {version}")),
        },
        templates={"web": digest("web template"), "api": digest("api template")},
        source={"commit": None},
    )


def plan_of(manifest: ReleaseManifest, note: str = "") -> Plan:
    """One wave for each target."""
    return Plan(
        project=PROJECT,
        environment=ENVIRONMENT,
        release=digest_of(manifest),
        strategy=PlanStrategy(type="rolling", batch=1, min_healthy_time=2, healthy_deadline=60),
        on_failure="rollback",
        targets=tuple(
            PlannedTarget(
                name=name,
                type="docker_host",
                wave=wave,
                components=tuple(
                    PlannedComponent(
                        name=component,
                        digest=pinned.digest,
                        template=manifest.templates[component],
                        config=digest(f"{component} on {name}{note}"),
                    )
                    for component, pinned in manifest.components.items()
                ),
            )
            for wave, name in enumerate(TARGETS)
        ),
    )


OLD, NEW = manifest_of("1.0.0"), manifest_of("1.1.0")
PLAN, EARLIER_PLAN = plan_of(NEW), plan_of(NEW, note=", earlier")


def ballot(
    voter: str,
    cast: float,
    choice: Choice = Choice.APPROVE,
    *,
    received: float | None = None,
    key: str | None = None,
    groups: Sequence[str] = ("sre",),
    **other: Any,
) -> ReceivedVote:
    """A vote signed at minute `cast`, with `other` fields of the payload changed."""
    fields = {
        "project": PROJECT,
        "promotion": PROMOTION,
        "release": digest_of(NEW),
        "environment": ENVIRONMENT,
        "plan": digest_of(PLAN),
        "choice": choice,
        "comment": "looks good",
        "voter": voter,
        "assurance": "own_key",
        "nonce": f"{voter} {cast}",
        "time": minute(cast),
        **other,
    }
    sealed = sign_vote(signer(key or voter), VotePayload.model_validate(fields))
    return ReceivedVote(envelope=sealed, received=minute(cast if received is None else received), groups=tuple(groups))


def genuine_ballots() -> list[ReceivedVote]:
    """One for an earlier plan, one that its voter replaced, and two that count."""
    return [
        ballot("ana", 8, plan=digest_of(EARLIER_PLAN)),
        ballot("ben", 12, groups=()),
        ballot("cem", 13, groups=("dev",)),
        ballot("ben", 14, groups=(), received=15),
        ballot("ana", 16, received=16),
    ]


def trust(**changes: Mapping[str, Any]) -> dict[str, Any]:
    """The trust file; `changes` are fields of the key of that name."""
    roles = {"decision": ["decision"], "ledger": ["ledger"], "agent": ["agent:worker"], "portal": ["front_end"]}
    roles |= {name: [f"voter:{name}"] for name in VOTERS}
    keys = [
        {
            "keyid": signer(name).keyid,
            "public_key": signer(name).public_pem,
            "roles": held,
            **changes.get(name, {}),
        }
        for name, held in roles.items()
    ]
    return {"project": PROJECT, "keys": keys}
