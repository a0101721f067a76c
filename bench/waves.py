"""Waves of many targets: how long one takes, beside its slowest member."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from agents.process_host.folder import TargetFolder
from bench.figures import Section, median
from bench.hops import Hop, Trace, trace
from bench.rig import Rig
from bench.shop import STEADY, VERSION, Project
from fairlead.adapters.images import ImageStore
from tests.fixtures.images import demo_files, make_layout
from tests.fixtures.process import kill_all
from tests.fixtures.ssh import Sshd
from workers import packages
from workers.ports import free_port

ROUNDS = 2
FAKES, MACHINES = 200, 50
START_SECONDS = 20
GOAL = 1.2
CHANGE = ("apply", "settle")
NO_ENV: Mapping[str, str] = {}
COMMAND = {"Cmd": ["python3", "serve.py"]}


async def measure(rig: Rig) -> list[Section]:
    """Targets in memory, then real ones over SSH."""
    slow = {"SLOW": str(START_SECONDS)}
    fakes = [
        await _section(rig, f"A wave of {FAKES} targets in memory", _document("fakes", _fakes("fake"))),
        await _section(
            rig,
            f"A wave of {FAKES} targets in memory whose applications take {START_SECONDS} s to start",
            _document("slow", _fakes("slow"), slow),
        ),
    ]
    lacking = packages.missing(("openssh-server",))
    title = f"A wave of {MACHINES} targets on one SSH host"
    if lacking:
        return [*fakes, Section(title, skipped=f"not installed: {', '.join(lacking)}")]
    with ExitStack() as stack:
        sshd = Sshd(rig.folder / "sshd")
        sshd.start()
        stack.callback(sshd.stop)
        stack.callback(_end, rig.folder / "machines")
        return [*fakes, await _section(rig, title, _document("machines", _machines(rig, sshd)))]


async def _section(rig: Rig, title: str, document: dict[str, Any]) -> Section:
    make_layout(rig.folder / "layouts/web", VERSION, demo_files(VERSION), COMMAND)
    project = await asyncio.to_thread(Project, rig, document, ImageStore(rig.folder / "layouts"))
    await asyncio.to_thread(project.release)
    waves, members = [], []
    for turn in range(ROUNDS + 1):
        since = time.time()  # as the server on this machine tells the time
        row, _ = await project.promote("all")
        wave, member = _spans(await trace(rig.client, row.id, (project.name, "all"), since, time.time()))
        if turn:  # the first has nothing to replace
            waves.append(wave)
            members.append(member)
    section = Section(title)
    section.add("the wave", median(waves), "s", note=f"median of {ROUNDS}; all targets at once")
    section.add(
        "its slowest member", median(members), "s", note="from when a worker took it up until it was seen holding"
    )
    ratio = median([a / b for a, b in zip(waves, members, strict=True)])
    section.add("wave / slowest member", ratio, "x", goal=GOAL)
    return section


def _end(machines: Path) -> None:
    """What a supervisor keeps alive outlives the bench otherwise."""
    for pidfile in machines.glob("*/supervisor.json"):
        kill_all(TargetFolder(pidfile.parent))


def _spans(found: Trace) -> tuple[float, float]:
    """Seconds from when the first change was due until the last was seen holding, and those that the slowest target itself was worked on."""
    chains: dict[str, list[Hop]] = defaultdict(list)
    for hop in found.activities:
        if hop.name in CHANGE:
            chains[hop.target].append(hop)
    due = min(hop.scheduled for chain in chains.values() for hop in chain)
    ends = {target: max(hop.done for hop in chain) for target, chain in chains.items()}
    members = [ends[target] - min(hop.started for hop in chain) for target, chain in chains.items()]
    return max(ends.values()) - due, max(members)


def _document(name: str, targets: dict[str, Any], env: Mapping[str, str] = NO_ENV) -> dict[str, Any]:
    web = {"repository": "oci-layout:web", "command": ["python3", "serve.py"], "ports": ["8080:8080"], "env": dict(env)}
    return {
        "project": name,
        "components": {"web": {**web, "health": {"http": "/healthz", "port": 8080, "interval": "500ms"}}},
        "environments": {"all": {"targets": list(targets), "strategy": {**STEADY, "healthy_deadline": "5m"}}},
        "targets": targets,
    }


def _fakes(kind: str) -> dict[str, Any]:
    return {f"{kind}-{n}": {"type": "process_host", "endpoint": f"process:{kind}-{n}"} for n in range(FAKES)}


def _machines(rig: Rig, sshd: Sshd) -> dict[str, Any]:
    """One machine plays them all: each has its own folder there, its supervisor and its port."""
    key = rig.folder / "secrets/key"
    key.parent.mkdir(mode=0o700, exist_ok=True)
    key.write_bytes((sshd.folder / "key").read_bytes())
    key.chmod(0o600)
    login = {"key": f"file://{key}", "host_keys": [sshd.known], "root": str(rig.folder / "machines")}
    return {
        f"m-{n}": {
            "type": "ssh_host",
            "endpoint": sshd.endpoint,
            "ssh": login,
            "config": {"ports": {"web": [f"{free_port()}:8080"]}},
        }
        for n in range(MACHINES)
    }
