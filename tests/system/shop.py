"""A project of its own in the whole system: catalogue, people with keys, releases, promotions, and what its targets wrote down."""

import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairlead.adapters.signer import FileSigner
from fairlead.contracts import names
from fairlead.contracts.votes import Choice, VotePayload
from fairlead.evidence.trust import read_trust
from fairlead.evidence.verify import verify
from fairlead.evidence.voting import sign_vote
from tests.system.apps import image
from tests.system.whole import Answer, Caller, WholeSystem, until
from workers.clock import now
from workers.demo.images import Image, to_layout

GROUPS = {"ana": ["dev"], "ben": ["sre"], "cho": ["dev", "sre"], "dan": ["dev"]}
ENDS = frozenset({"succeeded", "rejected", "cancelled", "expired", "superseded", "failed", "rolled_back"})
QUICK = {"type": "rolling", "batch": 1, "min_healthy_time": "200ms", "healthy_deadline": "15s"}
SELDOM = {"every": "1h"}
"""Nobody looks at what runs while the tests of others do: each look costs some twenty events."""


class Shop:
    """`document` is its catalogue: change it, then `apply`. ana asks for promotions; the others vote."""

    def __init__(self, system: WholeSystem, name: str, components: tuple[str, ...] = ("web",)) -> None:
        self.system, self.name = system, name
        self.signers = {person: FileSigner(Ed25519PrivateKey.generate()) for person in GROUPS}
        self.admin = system.admin
        self.document: dict[str, Any] = {
            "project": name,
            "people": {p: {"groups": groups, "keys": [self.signers[p].public_pem]} for p, groups in GROUPS.items()},
            "components": {component: self._component(component) for component in components},
            "environments": {},
            "targets": {},
        }
        self.callers: dict[str, Caller] = {}

    # what it declares
    def environment(self, name: str, *, targets: int = 1, **block: Any) -> None:
        """Declare an environment and its targets NAME-1, NAME-2...; what is not said is as quick as can be."""
        names = [f"{name}-{number}" for number in range(1, targets + 1)]
        self.document["environments"][name] = {
            "targets": names,
            "strategy": dict(QUICK),
            "drift": dict(SELDOM),
            **block,
        }
        self.document["targets"] |= {target: self._target(target) for target in names}

    def apply(self) -> None:
        """Make it so; the first time, people get their bearer keys."""
        answer = self.admin.ask("PUT", f"/projects/{self.name}", yaml.safe_dump(self.document).encode())
        assert answer.status == 200, answer.body
        if not self.callers:
            made = {p: self.admin.post(f"{self.path}/keys", {"subject": p})["key"] for p in GROUPS}
            self.callers = {person: self.system.caller(key) for person, key in made.items()}

    @property
    def path(self) -> str:
        return f"/projects/{self.name}"

    @property
    def ana(self) -> Caller:
        return self.callers["ana"]

    def port(self, target: str, component: str = "web") -> int:
        """The port that a component has on a target."""
        ports = self.document["targets"][target]["config"]["ports"][component]
        return int(ports[0].partition(":")[0])

    def _component(self, name: str) -> dict[str, Any]:
        check = {"http": "/healthz", "port": 8080, "interval": "100ms", "timeout": "2s", "retries": 3}
        return {
            "repository": f"oci-layout:{self.name}/{name}",
            "ports": ["8080:8080"],
            "health": check,
            "stop_grace": "2s",
        }

    def _target(self, target: str) -> dict[str, Any]:
        ports = {name: [f"{self.system.free_port()}:8080"] for name in self.document["components"]}
        env = {"GATE": str(self.gate(target))}
        return {"type": "process_host", "endpoint": f"process:{self.name}", "config": {"ports": ports, "env": env}}

    # releases
    def layout(self, component: str = "web") -> Path:
        return self.system.layouts / self.name / component

    def publish(self, version: str, *, broken: bool = False) -> dict[str, Image]:
        """What CI pushes: an image of each component, tagged with the version."""
        images = {name: image(name, version, broken=broken) for name in self.document["components"]}
        for name, made in images.items():
            to_layout(made, self.layout(name), version)
        return images

    def release(self, version: str, *, broken: bool = False) -> dict[str, Image]:
        """Publish and create a release."""
        images = self.publish(version, broken=broken)
        wanted = {"version": version, "components": {name: {"tag": version} for name in images}}
        self.ana.post(f"{self.path}/releases", wanted)
        return images

    # promotions
    def promote(self, release: str, environment: str, by: str = "ana", **more: Any) -> str:
        """Ask for a release in an environment; the promotion's id."""
        body = {"release": release, "environment": environment, **more}
        id: str = self.callers[by].post(f"{self.path}/promotions", body)["id"]
        return id

    def succeed(self, release: str, environment: str, **more: Any) -> str:
        """Bring a release into an environment that asks for no votes."""
        id = self.promote(release, environment, **more)
        assert self.ends(id)["state"] == "succeeded", self.view(id)
        return id

    def view(self, id: str) -> Any:
        return self.ana.get(f"/promotions/{id}")

    def why(self, id: str) -> dict[str, Any]:
        """What blocks a promotion, by code."""
        return {blocker["code"]: blocker for blocker in self.ana.get(f"/promotions/{id}/why")["blocked_by"]}

    def events(self, id: str) -> list[Any]:
        """All that has happened to it, in order."""
        items: list[Any] = self.ana.get(f"/promotions/{id}/events", limit=200)["items"]
        return items

    def list_promotions(self) -> list[Any]:
        items: list[Any] = self.ana.get(f"{self.path}/promotions", limit=200)["items"]
        return items

    def rollback_tasks(self, id: str) -> list[Any]:
        """The tasks of its rollback, if there is one."""
        return [task for task in self.view(id)["tasks"] if task["deployment"] == names.rollback_of(id)]

    def reaches(self, id: str, *states: str) -> Any:
        """The promotion once it is in one of these states; ended otherwise, it never will be."""
        seen = -1

        def look() -> Any:
            nonlocal seen
            view = self.ana.get(f"/promotions/{id}", wait="5s", after=seen)
            seen = view["sequence"]
            assert view["state"] in states or view["state"] not in ENDS, view
            return view if view["state"] in states else None

        return until(look, f"{id} to be {' or '.join(states)}")

    def ends(self, id: str) -> Any:
        """The promotion once it has ended."""
        return self.reaches(id, *ENDS)

    def is_blocked_by(self, id: str, code: str) -> Any:
        """The blocker of this code, once there is one."""
        return until(lambda: self.why(id).get(code), f"{id} to be blocked by {code}")

    def cancel(self, id: str, by: str = "ana") -> Answer:
        return self.callers[by].ask("POST", f"/promotions/{id}/cancel", {"reason": "a test"})

    # votes
    def envelope(self, voter: str, id: str, *, signer: FileSigner | None = None, **changes: Any) -> dict[str, Any]:
        """A signed vote; `changes` are fields of its payload."""
        view = self.view(id)
        fields: dict[str, Any] = {
            "project": self.name,
            "promotion": id,
            "release": view["release_digest"],
            "environment": view["environment"],
            "plan": view["plan"] or f"sha256:{'0' * 64}",
            "choice": Choice.APPROVE,
            "voter": voter,
            "assurance": "own_key",
            "nonce": secrets.token_hex(8),
            "time": now(),
        }
        return sign_vote(signer or self.signers[voter], VotePayload(**(fields | changes)))

    def send(self, voter: str, id: str, envelope: Mapping[str, Any]) -> Answer:
        return self.callers[voter].ask("POST", f"/promotions/{id}/votes", dict(envelope))

    def vote(self, voter: str, id: str, **changes: Any) -> Answer:
        """Sign and send a vote."""
        return self.send(voter, id, self.envelope(voter, id, **changes))

    # freezes and holds
    def restrain(self, kind: str, environment: str, **more: Any) -> Any:
        """`freezes` or `holds`."""
        return self.ana.post(f"{self.path}/environments/{environment}/{kind}", {"reason": "a test", **more})

    def lift(self, kind: str, environment: str) -> Answer:
        return self.ana.ask("DELETE", f"{self.path}/environments/{environment}/{kind}")

    def place(self, environment: str) -> Any:
        return self.ana.get(f"{self.path}/environments/{environment}")

    # what its targets wrote down
    def gate(self, target: str) -> Path:
        """While this file is there, an application that starts on the target does not serve: its deployment is under way."""
        return self.system.folder / f"{self.name}-{target}.gate"

    @property
    def host(self) -> Path:
        """The folder of the process host that all its targets are on."""
        return self.system.hosts / self.name

    def journal(self, target: str) -> list[dict[str, Any]]:
        """What the target's supervisor wrote down."""
        environment = target.rpartition("-")[0]
        path = self.host / f"{self.name}-{environment}-{target}" / "journal.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def starts(self, target: str, digest: str | None = None) -> list[dict[str, Any]]:
        """Its starts, or those of one digest."""
        lines = [line for line in self.journal(target) if line["event"] == "started"]
        return [line for line in lines if digest in {None, line["digest"]}]

    def answers(self, target: str, component: str = "web") -> str:
        """What the application says; empty where none serves."""
        with suppress(httpx.TransportError):
            url = f"http://127.0.0.1:{self.port(target, component)}/"
            return httpx.get(url, timeout=5, trust_env=False).text
        return ""

    # the strongest check of all
    def verified(self, id: str) -> Any:
        """A verifier's report, by the bundle and the trust file alone; it must hold, and say how the promotion ended."""
        bundle = self.ana.http.get(f"/promotions/{id}/evidence").raise_for_status().content
        report = verify(bundle, read_trust(self.ana.get(f"{self.path}/trust")))
        assert report.verified, (self.view(id)["state"], [f for f in report.findings if f.problems])
        assert report.state == self.view(id)["state"]
        return report

    def close(self) -> None:
        """End what is open, then let the evidence of every promotion of the project be verified."""
        for gate in self.system.folder.glob(f"{self.name}-*.gate"):
            gate.unlink()
        ids = [promotion["id"] for promotion in self.list_promotions()] if self.callers else []
        for id in ids:
            if self.view(id)["state"] not in ENDS:
                self.cancel(id)
        for id in ids:
            self.ends(id)
            self.verified(id)


def go_back(shop: Shop, target: str) -> str:
    """A promotion of a broken 1.1.0, `rolling_back`: what ran before on the target is started again, and does not serve yet."""
    environment = target.rpartition("-")[0]
    shop.document["environments"][environment]["strategy"]["healthy_deadline"] = "3s"
    shop.apply()
    bad = shop.release("1.1.0", broken=True)["web"].digest
    id = shop.promote("1.1.0", environment)
    until(lambda: shop.starts(target, bad), f"{target} to be started")
    shop.gate(target).touch()
    until(lambda: any(task["touched"] for task in shop.rollback_tasks(id)), f"{target} to go back")
    return id
