"""What an engine tells of itself."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agents.docker_host.engine import Engine
from fairlead.domain.fitness import TargetFacts


def facts_of(engine: Engine) -> TargetFacts:
    """Its versions, its clock, and the room where its images lie, which only an engine on this machine can be asked for."""
    told = engine.info()
    root = Path(told.get("DockerRootDir") or "/")
    near = engine.host.sees_inside and root.exists()
    return TargetFacts(
        version=f"Docker {told['ServerVersion']}, API {told['ApiVersion']}, {told['OperatingSystem']} {told['Architecture']}",
        time=_time(told),
        free=shutil.disk_usage(root).free if near else None,
        folder=str(root),
        capabilities=("containers", f"cgroup {told.get('CgroupVersion', 'unknown')}", told.get("Driver", "unknown")),
    )


def _time(told: dict[str, Any]) -> datetime | None:
    """Engines write nanoseconds, in their own time zone."""
    text = str(told.get("SystemTime", ""))
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except ValueError:
        return None
