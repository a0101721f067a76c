"""What ECS tells of a cluster."""

from email.utils import parsedate_to_datetime

from agents.ecs_service.cluster import Cluster
from agents.ecs_service.marks import Json
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound, Unavailable
from fairlead.domain.fitness import TargetFacts

_ACTIVE = "ACTIVE"


def facts_of(cluster: Cluster) -> TargetFacts:
    """Its clock is AWS's. Raises NotFound (cluster_not_found), and Unavailable where it is being made or deleted."""
    said, date = cluster.about()
    if said is None:
        raise NotFound(Code.CLUSTER_NOT_FOUND, f"{cluster.place.region} has no cluster {cluster.cluster}")
    if said["status"] != _ACTIVE:
        raise Unavailable(Code.TARGET_UNREACHABLE, f"the cluster {cluster.cluster} is {said['status'].lower()}")
    return TargetFacts(
        version=f"ECS in {cluster.place.region}, cluster {cluster.cluster}",
        time=parsedate_to_datetime(date) if date else None,
        capabilities=_capabilities(said),
    )


def _capabilities(said: Json) -> tuple[str, ...]:
    machines = said.get("registeredContainerInstancesCount", 0)
    return (f"{machines} container instances", *sorted(said.get("capacityProviders") or ()))
