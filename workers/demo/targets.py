"""Ends what the demo left running on its targets, and nothing else."""

import contextlib
import json
import signal
from datetime import datetime
from pathlib import Path

import docker
import psutil

OURS: dict[str, str | list[str] | bool] = {"label": "fairlead.project=shop"}
GRACE_SECONDS = 15


def end_processes(hosts: Path) -> None:
    """Ask every supervisor below this folder to stop its applications and end; they are ours, the folder is."""
    supervisors = []
    for pidfile in hosts.glob("*/*/supervisor.json"):
        with contextlib.suppress(psutil.NoSuchProcess, OSError):
            supervisor = psutil.Process(json.loads(pidfile.read_text())["pid"])
            if "agents.process_host.supervisor" in supervisor.cmdline():
                supervisor.send_signal(signal.SIGTERM)
                supervisors.append(supervisor)
    psutil.wait_procs(supervisors, timeout=GRACE_SECONDS)


def remove_containers(socket: str, began: float) -> None:
    """Remove the shop's containers and claims that came since the demo began."""
    with contextlib.closing(docker.DockerClient(base_url=f"unix://{socket}")) as engine:
        for container in engine.containers.list(all=True, filters=OURS):
            if _seconds(container.attrs["Created"]) >= began:
                container.remove(force=True)
        for volume in engine.volumes.list(filters=OURS):
            if _seconds(volume.attrs["CreatedAt"]) >= int(began):
                volume.remove()


def _seconds(instant: str) -> float:
    """An engine's RFC 3339 time, which may have nine digits of a second."""
    head, _, zone = instant.replace("Z", "+00:00").partition("+")
    return datetime.fromisoformat(f"{head[:26]}+{zone}").timestamp()
