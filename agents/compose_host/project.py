"""One Compose project on one engine: which of its containers is which service, and what else stands there under its name."""

from collections.abc import Collection

from agents.compose_host.locking import Lock
from agents.docker_host import labels
from agents.docker_host.box import Box
from agents.docker_host.engine import Engine
from agents.docker_host.ground import Ground
from agents.docker_host.labels import Address
from agents.docker_host.ports import refuse_taken
from fairlead.domain.codes import Code
from fairlead.domain.compose.stack import DATA, SERVICE
from fairlead.domain.errors import Refused

_PROJECT = "com.docker.compose.project"
_NETWORK = "com.docker.compose.network"


def called(box: Box) -> str:
    """The component that a container is, else its service."""
    return box.component or box.labels.get(SERVICE, "")


class Ours:
    """Everything of one target that Compose made for us."""

    def __init__(self, engine: Engine, address: Address) -> None:
        self._engine, self._address = engine, address
        self._labels = labels.of_target(address)
        self.ground = Ground(engine, address)

    def boxes(self) -> list[Box]:
        """Our containers, components or not."""
        return self.ground.boxes()

    def owns(self, box: Box) -> bool:
        """Whether a container is ours and of this target."""
        return self._labels.items() <= dict(box.labels).items()

    def refuse_foreign(self, lock: Lock) -> None:
        """Raise Refused (foreign_workload) when the project or one of its containers' names is somebody else's."""
        named = (self._engine.named(service.container) for service in lock.services)
        members = self._engine.boxes({_PROJECT: lock.name})
        for box in (*(box for box in named if box), *members):
            if not self.owns(box):
                raise Refused(
                    Code.FOREIGN_WORKLOAD,
                    f"the container {box.name} stands where {lock.name} is to be, and is not one of ours",
                    hint="rename or remove it",
                    fields={"container": box.id, "name": box.name},
                )

    def refuse_taken_ports(self, lock: Lock, but: Collection[str] = ()) -> None:
        """Raise Refused (port_taken) when somebody else has a port that a service needs. `but`: those who have theirs."""
        for service in lock.services:
            if service.called not in but:
                refuse_taken(self._engine, self.ground, service.called, service.ports)

    def remove_networks(self, but: Collection[str] = ()) -> None:
        """Remove the networks that were made for us, but those of these names in the file."""
        for network in self._engine.networks({**self._labels, labels.KIND: DATA}):
            if str((network["Labels"] or {}).get(_NETWORK)) not in but:
                self._engine.remove_network(network["Id"])
