"""The main job in nine steps. Every step is checked against what the targets run."""

import asyncio
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from temporalio.client import Client

from fairlead.contracts import names
from workers.demo import reports
from workers.demo.eyes import Eyes, answer
from workers.demo.people import Person
from workers.demo.shop import BROKEN, COMPONENTS
from workers.demo.show import Show
from workers.demo.stage import Stage, until

PROD = ("prod-1", "prod-2", "prod-3")
CVE = "CVE-2026-31337"
ENDED = {"succeeded", "failed", "canceled"}


class Story:
    """Holds what one step leaves for the next: people, digests, promotions."""

    def __init__(self, stage: Stage, show: Show, eyes: Eyes, keep: Path) -> None:
        self.stage, self.show, self.eyes, self.keep = stage, show, eyes, keep
        self.people: dict[str, Person] = {}
        self.digests: dict[str, dict[str, str]] = {}
        self.promotions: dict[str, str] = {}
        self.ports: dict[tuple[str, str], int] = {}

    def tell(self) -> None:
        """All of it, in order."""
        self.catalogue_is_applied()
        self.tags_become_digests()
        self.two_votes_open_prod()
        self.a_killed_worker_changes_nothing()
        self.a_broken_release_goes_back()
        self.a_reachable_cve_is_denied()
        self.a_freeze_waits_and_thaws()
        self.evidence_needs_no_server()

    @property
    def ana(self) -> Person:
        """Who asks for promotions."""
        return self.people["ana"]

    # 2
    def catalogue_is_applied(self) -> None:
        self.show.step(2, "The catalogue is applied: two components, dev -> staging -> prod, three people with keys")
        admin = self.stage.admin()
        catalogue = self.stage.catalogue({name: self._signing_key(name) for name in ("ana", "ben", "cho")})
        admin.run("apply", str(catalogue), "--yes")
        for name in ("ana", "ben", "cho"):
            self.people[name] = self.stage.person(name, admin.json("keys", "new", "--api", name)["key"]).settle()
        self.ports = _ports(yaml.safe_load(catalogue.read_text()))
        again = admin.json("diff", str(catalogue))
        self.show.check("applying again changes nothing", again["changes"] == [])

    def _signing_key(self, name: str) -> str:
        key: str = self.stage.person(name, "").json("keys", "new")["public_key"]
        return key

    # 3
    def tags_become_digests(self) -> None:
        self.show.step(3, "Release 1.0.0 is made from tags, and keeps its digests when a tag moves")
        self._release("1.0.0")
        self.stage.publish("web", "moved", "1.0.0")
        pinned = self.ana.json("release", "show", "1.0.0")["manifest"]["components"]["web"]["digest"]
        self.show.check("the release keeps the digest of before", pinned == self.digests["1.0.0"]["web"], pinned[:19])

    # 4
    def two_votes_open_prod(self) -> None:
        self.show.step(4, "1.0.0 goes to dev, staging and prod, where two votes are asked for")
        self._reach_staging("1.0.0")
        promotion = self._ask_for_prod("1.0.0")
        self._refuse_own_vote(promotion)
        self._refuse_unsigned_signal(promotion)
        self._vote(promotion)
        self._expect(promotion, "succeeded")
        self._check_runs("prod", "1.0.0")
        waves = [{s.target for s in self._starts("1.0.0") if s.target == target} for target in PROD]
        times = [[s.time for s in self._starts("1.0.0") if s.target == target] for target in PROD]
        in_order = all(max(a) < min(b) for a, b in itertools.pairwise(times))
        self.show.check("prod rolled one target at a time", in_order and all(waves), " then ".join(PROD))

    def _refuse_own_vote(self, promotion: str) -> None:
        said = self.ana.run("approve", promotion, "--json", expect=3)
        self.show.check("the requester's own vote is refused", "vote_by_requester" in said.out + said.err)

    def _refuse_unsigned_signal(self, promotion: str) -> None:
        asyncio.run(self._signal(promotion, {"choice": "approve", "voter": "ben"}))
        until(lambda: "vote_unsigned" in self._refusals(promotion), "the unsigned vote to be refused")
        refusal = self._refusals(promotion)["vote_unsigned"]
        told = refusal["actor"] == "unknown" and refusal["payload_digest"].startswith("sha256:")
        self.show.check("an unsigned raw signal is refused, and seen", told, refusal["payload_digest"][:19])
        self.show.check("`why` shows it too", "vote_unsigned" in self.ana.run("why", promotion, "--json").out)

    def _refusals(self, promotion: str) -> Mapping[str, Mapping[str, Any]]:
        return {vote["code"]: vote for vote in self._get(promotion)["refused_votes"]}

    def _vote(self, promotion: str) -> None:
        """One vote by CLI; one printed, and sent as a raw Temporal signal."""
        self.people["ben"].run("approve", promotion, "--comment", "looks right")
        self.show.say("ben approves by the command line")
        printed = self.people["cho"].run("approve", promotion, "--print").out
        asyncio.run(self._signal(promotion, json.loads(printed)))
        self.show.say("cho's signed vote arrives as a raw Temporal signal")

    async def _signal(self, promotion: str, payload: object) -> None:
        temporal = await Client.connect(self.stage.processes["temporal"]["address"])
        await temporal.get_workflow_handle(names.promotion_workflow(promotion)).signal("vote", payload)

    # 5
    def a_killed_worker_changes_nothing(self) -> None:
        self.show.step(5, "1.1.0 follows; its worker is killed in the middle of prod")
        self._release("1.1.0")
        self._reach_staging("1.1.0")
        promotion = self._ask_for_prod("1.1.0")
        self._vote(promotion)
        until(lambda: bool(self._starts("1.1.0", "prod-2")), "prod-2 to start 1.1.0")
        killed = self.stage.kill_worker()
        self.show.say(f"worker {killed} killed with SIGKILL while prod-2 was being changed")
        until(lambda: self.stage.worker_is_back(killed), "another worker")
        self._expect(promotion, "succeeded")
        self._check_runs("prod", "1.1.0")
        self._check_once("1.1.0")

    def _check_once(self, version: str) -> None:
        """One create and one start for each component and target, by the targets' own word."""
        wanted = sorted((target, component) for target in PROD for component in COMPONENTS)
        for what, seen in (("create", self.eyes.creates()), ("start", self.eyes.starts())):
            of_version = [s for s in seen if s.digest == self.digests[version][s.component] and s.target in PROD]
            pairs = sorted((s.target, s.component) for s in of_version)
            self.show.check(f"one {what} for each component and target", pairs == wanted, f"{len(pairs)} seen")

    # 6
    def a_broken_release_goes_back(self) -> None:
        self.show.step(6, f"{BROKEN} answers 500, but only under prod's configuration")
        self._release(BROKEN)
        self._reach_staging(BROKEN)
        promotion = self._ask_for_prod(BROKEN)
        self._vote(promotion)
        self._expect(promotion, "failed", "rolled_back")
        touched = {s.target for s in self._starts(BROKEN)} & set(PROD)
        self.show.check("only the first prod target was touched", touched == {"prod-1"}, ", ".join(touched))
        self._check_runs("prod", "1.1.0")
        holds = self.ana.json("status", "prod")["holds"]
        self.show.check("a hold is left", len(holds) == 1, holds[0]["reason"] if holds else "")
        self.ana.run("resume", "prod")
        self.show.check("`fairlead resume prod` lifts it", self.ana.json("status", "prod")["holds"] == [])

    # 7
    def a_reachable_cve_is_denied(self) -> None:
        self.show.step(7, f"1.3.0 has {CVE}, critical and reachable")
        self._release("1.3.0", cve=CVE)
        self._reach_staging("1.3.0")
        promotion = self._promote("1.3.0", "prod")
        self._expect(promotion, "failed", "rejected")
        said = self.ana.run("why", promotion, "--json").out
        self.show.check("the security gate denies it, naming the CVE", CVE in said)
        self._check_runs("prod", "1.1.0")

    # 8
    def a_freeze_waits_and_thaws(self) -> None:
        self.show.step(8, "A freeze on prod makes 1.4.0 wait; the thaw lets it go on by itself")
        self._release("1.4.0")
        self._reach_staging("1.4.0")
        self.ana.run("freeze", "prod", "--reason", "incident 42", "--for", "1h")
        promotion = self._ask_for_prod("1.4.0")
        self._vote(promotion)
        until(lambda: self._get(promotion)["state"] == "awaiting_gate", "only the freeze to be in the way")
        blocks = {b["code"]: b for b in self.ana.json("why", promotion)["blocked_by"]}
        block = blocks.get("frozen", {})
        told = bool(block.get("since") and block.get("until"))
        self.show.check("`why` says what blocks it, since when, until when", told, block.get("detail", ""))
        self._check_runs("prod", "1.1.0")
        self.ana.run("thaw", "prod")
        self._expect(promotion, "succeeded")
        self._check_runs("prod", "1.4.0")

    # 9
    def evidence_needs_no_server(self) -> None:
        self.show.step(9, "The evidence of 1.1.0 in prod is verified with the server stopped")
        bundle, trust = self.keep / "shop-1.1.0-prod.fairlead.json", self.keep / "shop-trust.json"
        self.ana.run("evidence", "export", self.promotions["1.1.0"], "--output", str(bundle))
        self.ana.run("evidence", "trust", "--output", str(trust))
        self.stage.stop()
        said = self.ana.run("evidence", "verify", str(bundle), "--trust", str(trust))
        self.show.check("the bundle verifies", said.code == 0, f"{len(bundle.read_bytes())} bytes")
        forged = self.keep / "forged.fairlead.json"
        forged.write_bytes(_flip(bundle.read_bytes()))
        said = self.ana.run("evidence", "verify", str(forged), "--trust", str(trust), "--json", expect=1)
        broken = said.json["failed"]
        self.show.check("one changed byte fails, naming the rule", bool(broken), ", ".join(broken[:3]))

    # what several steps do
    def _release(self, version: str, cve: str | None = None) -> None:
        """What CI does: push, scan, create the release from tags."""
        self.digests[version] = {c: self.stage.publish(c, version, version) for c in COMPONENTS}
        self.ana.run("release", "create", version, *(f"{c}=:{version}" for c in COMPONENTS))
        for component, digest in self.digests[version].items():
            report = self.stage.scratch / f"trivy-{component}-{version}.json"
            report.write_text(json.dumps(reports.trivy(component, digest, cve if component == "api" else None)))
            self.ana.run("report", "import", digest, str(report))
        self.show.say(f"release {version} is made from tags, its scan reports are imported")

    def _reach_staging(self, version: str) -> None:
        for environment in ("dev", "staging"):
            self.ana.run("promote", version, environment, "--wait")
            self._check_runs(environment, version)

    def _promote(self, version: str, environment: str) -> str:
        promotion: str = self.ana.json("promote", version, environment)["id"]
        self.promotions[version] = promotion
        return promotion

    def _ask_for_prod(self, version: str) -> str:
        promotion = self._promote(version, "prod")
        until(lambda: self._get(promotion)["status"] == "pending_approval", "votes to be asked for")
        self.show.say(f"ana asks for {version} in prod: promotion {promotion} waits for two votes")
        return promotion

    def _get(self, promotion: str) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self.ana.api(f"/promotions/{promotion}")
        return answer

    def _expect(self, promotion: str, status: str, state: str | None = None) -> None:
        until(lambda: self._get(promotion)["status"] in ENDED, f"promotion {promotion} to end", 120)
        seen = self._get(promotion)
        right = seen["status"] == status and state in {None, seen["state"]}
        self.show.check(f"the promotion of {seen['release']} ends {state or status}", right, seen["state"])

    def _starts(self, version: str, target: str | None = None) -> list[Any]:
        wanted = self.digests[version]
        return [s for s in self.eyes.starts() if s.digest == wanted[s.component] and target in {None, s.target}]

    def _check_runs(self, environment: str, version: str) -> None:
        """By the targets' own word, and by what the applications answer."""
        targets = PROD if environment == "prod" else ({"dev": "dev-1", "staging": "stg-1"}[environment],)
        digests = all(dict(self.eyes.running(t)) == self.digests[version] for t in targets)
        answers = {answer(self.ports[t, c]).partition(" from ")[2] for t in targets for c in COMPONENTS}
        right = digests and answers == {f"{c} {version}" for c in COMPONENTS}
        self.show.check(f"{environment} runs {version}", right, f"{len(targets)} target(s), each by digest and answer")


def _ports(catalogue: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    """The host port of each component on each target."""
    return {
        (target, component): int(str(ports[0]).split(":")[0])
        for target, block in catalogue["targets"].items()
        for component, ports in block["config"]["ports"].items()
    }


def _flip(content: bytes) -> bytes:
    """One byte changed, inside the first payload."""
    place = content.index(b'"payload"') + 40
    return content[:place] + (b"A" if content[place : place + 1] != b"A" else b"B") + content[place + 1 :]
