"""The project that is promoted: environments with gates and targets in memory, a release with reports, and a voter who never sleeps."""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio.client import WorkflowFailureError

from bench.rig import Rig
from fairlead.adapters import temporal
from fairlead.adapters.signer import FileSigner
from fairlead.commands import catalogue, ids, reports
from fairlead.commands.promotions import request_promotion, workflow_input
from fairlead.commands.releases import Wanted, create_release
from fairlead.contracts import names
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.records import PromotionRecord
from fairlead.contracts.votes import Choice, VotePayload
from fairlead.domain.states import PromotionState
from fairlead.evidence.voting import sign_vote
from fairlead.ports import Images
from fairlead.store import history, promotions
from workers.clock import now

VERSION = "1.0.0"
STEADY = {"type": "all_at_once", "min_healthy_time": "0s", "healthy_deadline": "30s"}
GLANCE_SECONDS = 0.004


class PlayedImages:
    """ports.Images where every tag names a manifest of its own."""

    def resolve(self, repository: str, tag: str) -> str:
        """A digest made of the name."""
        return digest_of(f"{repository}:{tag}")

    def platforms(self, repository: str, digest: str) -> Mapping[str, str]:
        """One platform is enough here."""
        return {}

    def attached(self, repository: str, digest: str, most: int) -> Iterator[tuple[str, bytes]]:
        return iter(())


class Project:
    """A project in the rig's database."""

    def __init__(self, rig: Rig, document: dict[str, Any], images: Images | None = None) -> None:
        self._rig = rig
        self._images = images or PlayedImages()
        self._voter = FileSigner(Ed25519PrivateKey.generate())
        self.name = str(document["project"])
        people = {"ana": {"groups": [], "keys": []}, "ben": {"groups": ["sre"], "keys": [self._voter.public_pem]}}
        read = catalogue.load({**document, "people": people})
        catalogue.apply_catalogue(rig.db, self.name, read, actor="ana", admin=True, now=now())
        self._components = list(document["components"])

    def release(self, version: str = VERSION) -> dict[str, str]:
        """Create a release of all components; their digests."""
        wanted = {name: Wanted(tag=version) for name in self._components}
        keys, db = self._rig.keys, self._rig.db
        made = create_release(db, self._images, keys.decision, self.name, version, wanted, actor="ana", now=now())
        return {name: pinned.digest for name, pinned in made.release.manifest.components.items()}

    def report(self, digest: str, findings: int) -> None:
        """Import a scan report with so many findings, none of them critical."""
        content = json.dumps(scan(digest, findings)).encode()
        reports.import_report(self._rig.db, self.name, digest, content, actor="ana", now=now())

    def request(self, environment: str, version: str = VERSION) -> PromotionRecord:
        """The row of a promotion."""
        return request_promotion(self._rig.db, self.name, environment, version, requester="ana", now=now())

    async def promote(self, environment: str, *, votes: bool = False) -> tuple[PromotionRecord, float]:
        """From the request to the end; its row and the seconds that it took."""
        began = time.perf_counter()
        row = await asyncio.to_thread(self.request, environment)
        await temporal.start_promotion(self._rig.client, workflow_input(row))
        if votes:
            await self._vote(row)
        handle = self._rig.client.get_workflow_handle(names.promotion_workflow(row.id))
        with contextlib.suppress(WorkflowFailureError):
            await handle.result()
        took = time.perf_counter() - began
        ended = await asyncio.to_thread(self._row, row.id)
        if ended.state is not PromotionState.SUCCEEDED:
            raise RuntimeError(f"{environment}: {ended.state} {ended.code} {ended.detail}")
        return ended, took

    async def _vote(self, row: PromotionRecord) -> None:
        """Approve as soon as votes are open."""
        while (plan := await asyncio.to_thread(self._open_plan, row.id)) is None:
            await asyncio.sleep(GLANCE_SECONDS)
        vote = VotePayload(
            project=self.name,
            promotion=row.id,
            release=row.release_digest,
            environment=row.environment,
            plan=plan,
            choice=Choice.APPROVE,
            voter="ben",
            assurance="own_key",
            nonce=ids.new_id(),
            time=now(),
        )
        handle = self._rig.client.get_workflow_handle(names.promotion_workflow(row.id))
        await handle.execute_update(names.SIGNAL_VOTE, sign_vote(self._voter, vote))

    def _open_plan(self, promotion: str) -> str | None:
        with self._rig.db.session() as s:
            events = history.events(s, names.promotion_subject(promotion))
        return next((str(event.data["plan"]) for event in events if event.type == "votes_opened"), None)

    def _row(self, promotion: str) -> PromotionRecord:
        with self._rig.db.session() as s:
            found = promotions.get(s, promotion)
        if found is None:
            raise RuntimeError(f"promotion {promotion} is gone")
        return found


def small(project: str, environments: int = 1, *, approval: bool = True) -> dict[str, Any]:
    """One component; `dev`, and so many environments after it that have all four gates and one target in memory each."""
    asked = {"approval": {"count": 1, "groups": {"sre": 1}}} if approval else {}
    gated = {
        f"prod-{n}": {
            **asked,
            "targets": [f"t-{n}"],
            "after": ["dev"],
            "gates": {"security": {"block": "critical", "reachable": True}},
            "strategy": STEADY,
        }
        for n in range(environments)
    }
    targets = ["t-dev", *(f"t-{n}" for n in range(environments))]
    return {
        "project": project,
        "components": {"web": {"repository": "oci-layout:web", "command": ["serve"]}},
        "environments": {"dev": {"targets": ["t-dev"], "strategy": STEADY}, **gated},
        "targets": {name: {"type": "process_host", "endpoint": f"process:{name}"} for name in targets},
    }


def realistic(project: str, components: int, targets: int) -> dict[str, Any]:
    """Many components on many targets, in three environments."""
    document = small(project)
    document["components"] = {
        f"c-{n}": {"repository": f"oci-layout:c-{n}", "ports": [f"{8000 + n}:8080"], "env": {"N": str(n)}}
        for n in range(components)
    }
    fleet = [f"p-{n}" for n in range(targets)]
    document["environments"]["prod-0"]["targets"] = fleet
    document["targets"] = {name: {"type": "process_host", "endpoint": f"process:{name}"} for name in ["t-dev", *fleet]}
    return document


def scan(digest: str, findings: int) -> dict[str, Any]:
    """A report as Trivy writes it (schema version 2)."""
    found = [
        {
            "VulnerabilityID": f"CVE-2026-{10000 + n}",
            "PkgName": f"lib{n}",
            "InstalledVersion": "1.0",
            "FixedVersion": "1.1",
            "Severity": ("LOW", "MEDIUM", "HIGH")[n % 3],
            "Title": "something that is wrong with a library",
        }
        for n in range(findings)
    ]
    return {
        "SchemaVersion": 2,
        "CreatedAt": "2026-11-20T10:00:00Z",
        "ArtifactName": f"bench@{digest}",
        "ArtifactType": "container_image",
        "Metadata": {"RepoDigests": [f"bench@{digest}"]},
        "Results": [{"Target": "lib", "Class": "lang-pkgs", "Type": "python-pkg", "Vulnerabilities": found}],
    }
