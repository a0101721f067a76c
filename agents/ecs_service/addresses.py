"""Where a container of a task can be asked: at the task's own address, or at its host's and the port published there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agents.ecs_service.cluster import Cluster
from agents.ecs_service.marks import Json
from agents.ecs_service.reading import Task
from fairlead.domain.errors import FairleadError

_ANYWHERE: Final = {"", "0.0.0.0", "::"}  # noqa: S104 what ECS says of ports that are bound on every address


@dataclass
class Addresses:
    """Looks each host up once: an instance keeps its private address for as long as it lives."""

    known: dict[str, str] = field(default_factory=dict)

    def of(self, cluster: Cluster, task: Task, container: Json, port: int) -> tuple[str, int] | None:
        """Host and port; None where they cannot be told (yet)."""
        own = next((i.get("privateIpv4Address") for i in container.get("networkInterfaces") or []), None)
        if own:
            return str(own), port
        bound = next((b for b in container.get("networkBindings") or [] if b.get("containerPort") == port), None)
        if bound is None or not bound.get("hostPort"):
            return None
        host = str(bound.get("bindIP", ""))
        host = self._host(cluster, task.instance) if host in _ANYWHERE else host
        return (host, int(bound["hostPort"])) if host else None

    def _host(self, cluster: Cluster, instance: str) -> str:
        if instance and instance not in self.known:
            try:
                said = cluster.instances([instance])
                found = cluster.private_address(said[0]["ec2InstanceId"]) if said else None
            except FairleadError:  # who may look at services may not always look at machines
                found = None
            if found:
                self.known[instance] = found
        return self.known.get(instance, "")


def used_ports(instance: Mapping[str, Any]) -> set[int]:
    """The ports that are taken on a container instance, as far as ECS knows."""
    said = [one for one in instance.get("remainingResources") or [] if one.get("name") == "PORTS"]
    return {int(port) for one in said for port in one.get("stringSetValue") or []}


def host_ports(definition: Mapping[str, Any]) -> set[int]:
    """The fixed ports that a task definition takes of its host."""
    said = [port for one in definition.get("containerDefinitions") or [] for port in one.get("portMappings") or []]
    return {int(port["hostPort"]) for port in said if port.get("hostPort")}


def taken(wanted: set[int], instances: Iterable[Mapping[str, Any]]) -> set[int]:
    """The ports for which no instance will do."""
    lacking = [wanted & used_ports(instance) for instance in instances]
    return min(lacking, key=len) if lacking and all(lacking) else set()
