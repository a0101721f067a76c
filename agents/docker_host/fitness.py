"""What an engine tells of itself."""

from agents.docker_host.box import read_local_time
from agents.docker_host.engine import Engine
from fairlead.domain.fitness import TargetFacts


def facts_of(engine: Engine) -> TargetFacts:
    """Its versions, its clock, and the room where its images lie, where that can be asked."""
    told = engine.info()
    root = str(told.get("DockerRootDir") or "/")
    return TargetFacts(
        version=f"Docker {told['ServerVersion']}, API {told['ApiVersion']}, {told['OperatingSystem']} {told['Architecture']}",
        time=read_local_time(str(told.get("SystemTime", ""))),
        free=engine.host.room(root),
        folder=root,
        capabilities=("containers", f"cgroup {told.get('CgroupVersion', 'unknown')}", told.get("Driver", "unknown")),
    )
