"""Host ports that components need and somebody else has."""

from collections.abc import Collection

from agents.docker_host.engine import Engine
from agents.docker_host.ground import Ground
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused


def refuse_taken(engine: Engine, ground: Ground, component: str, ports: Collection[int]) -> None:
    """Raise Refused (port_taken) when somebody else has a host port that the component needs."""
    wanted = set(ports)
    for box in engine.boxes({}):
        taken = wanted & set(box.ports) if box.running else set()
        if taken and not ground.owns(box):
            raise _taken(min(taken), component, f"by the container {box.name}")
        wanted -= taken
    for port in sorted(wanted):
        if not engine.host.is_free(port):
            raise _taken(port, component, "by another program on that host")


def _taken(port: int, component: str, by: str) -> Refused:
    return Refused(
        Code.PORT_TAKEN,
        f"port {port}, which {component} needs, is taken {by}",
        fields={"port": port, "component": component},
    )
