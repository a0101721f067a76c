"""AWS's API as far as we need it, of one service in one cluster: plain JSON, errors mapped once."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from agents.ecs_service import marks
from agents.ecs_service.access import Access, Place
from agents.ecs_service.marks import Address, Json
from agents.ecs_service.refusals import Absent, invalid, mapped
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable

_MANY: Final = 100
_KEPT: Final = 1000
_ACTIVE: Final = "ACTIVE"
_DRAINING: Final = "DRAINING"
UNCHANGEABLE: Final = ("launchType", "role")
"""What CreateService takes and UpdateService does not."""


class Definitions:
    """Task definitions by ARN: what they say never changes, so each is asked for once. Threads share them."""

    def __init__(self) -> None:
        self._known: dict[tuple[Place, str], Json] = {}
        self._lock = threading.Lock()

    def get(self, place: Place, arn: str) -> Json | None:
        """One that has been seen."""
        return self._known.get((place, arn))

    def keep(self, place: Place, definition: Json) -> Json:
        """Remember one under both of its names, and forget the oldest of very many."""
        arn = definition["taskDefinitionArn"]
        with self._lock:
            self._known[place, arn] = self._known[place, marks.revision(arn)] = definition
            while len(self._known) > _KEPT:
                del self._known[next(iter(self._known))]
        return definition


class Cluster:
    """Reads that find nothing answer None or an empty list."""

    def __init__(self, access: Access, address: Address, known: Definitions) -> None:
        self._access, self._known = access, known
        self.place = Place.of(address)
        self.name, self.cluster = marks.service_name(address), marks.cluster_name(address)

    def about(self) -> tuple[Json | None, str | None]:
        """The cluster itself, None where there is none; and what time it is there, as HTTP writes it."""
        said = self._call("ecs", "describe_clusters", clusters=[self.cluster])
        found = said.get("clusters") or []
        date = said["ResponseMetadata"]["HTTPHeaders"].get("date")
        return (dict(found[0]) if found else None), date

    # the service

    def service(self) -> Json | None:
        """The service with its tags. Raises Unavailable (service_not_active) while it is being deleted."""
        found = self._ecs("describe_services", services=[self.name], include=["TAGS"]).get("services") or []
        if found and found[0].get("status") == _DRAINING:
            raise Unavailable(Code.SERVICE_NOT_ACTIVE, f"the service {self.name} is being deleted")
        return dict(found[0]) if found and found[0].get("status") == _ACTIVE else None

    def create(self, said: Json, token: str) -> Json:
        """Make it; the same token makes it once."""
        return dict(self._ecs("create_service", serviceName=self.name, clientToken=token, **said)["service"])

    def update(self, said: Json) -> Json:
        """Change it; another task definition, or `forceNewDeployment`, begins a deployment."""
        return dict(self._ecs("update_service", service=self.name, **said)["service"])

    def tag(self, arn: str, said: Mapping[str, str]) -> None:
        """Add tags; each is one that nobody else writes."""
        self._call("ecs", "tag_resource", resourceArn=arn, tags=marks.as_tags(said))

    def untag(self, arn: str, keys: Iterable[str]) -> None:
        """Take tags away."""
        gone = sorted(keys)
        if gone:
            self._call("ecs", "untag_resource", resourceArn=arn, tagKeys=gone)

    # task definitions

    def register(self, said: Json) -> Json:
        """Make a revision of a task definition."""
        return self._known.keep(self.place, self._call("ecs", "register_task_definition", **said)["taskDefinition"])

    def definition(self, arn: str) -> Json:
        """A task definition, by its ARN or `family:revision`."""
        found = self.held(arn)
        if found is None:
            raise invalid(f"the task definition {arn} is not there any more")
        return found

    def held(self, arn: str) -> Json | None:
        """The same; None where somebody has deleted it."""
        return self._known.get(self.place, arn) or self._described(arn)

    def usable(self, arn: str) -> bool:
        """Whether it can be asked for now: somebody may have deregistered it."""
        return (self._described(arn) or {}).get("status") == _ACTIVE

    def _described(self, arn: str) -> Json | None:
        try:
            said = self._call("ecs", "describe_task_definition", taskDefinition=arn)
        except Refused as no:
            if no.code != Code.DEFINITION_INVALID:
                raise
            return None
        return self._known.keep(self.place, said["taskDefinition"])

    def revisions(self, family: str, most: int) -> list[str]:
        """The ARNs of the newest revisions of a family, the newest first."""
        said = self._call("ecs", "list_task_definitions", familyPrefix=family, sort="DESC", maxResults=most)
        return _of_family(family, said.get("taskDefinitionArns") or [])

    def all_revisions(self, family: str) -> list[str]:
        """All that are."""
        return _of_family(family, self._all("list_task_definitions", "taskDefinitionArns", familyPrefix=family))

    def deregister(self, arn: str) -> None:
        """Let nobody use a revision any more; what runs of it goes on."""
        self._call("ecs", "deregister_task_definition", taskDefinition=arn)

    # what runs

    def tasks(self, *, stopped: bool = False) -> list[Json]:
        """The tasks of the service that are meant to run; or those that are meant to have stopped, of the last hour or so."""
        status = "STOPPED" if stopped else "RUNNING"
        arns = self._all("list_tasks", "taskArns", cluster=self.cluster, serviceName=self.name, desiredStatus=status)
        return self.described(arns)

    def of_family(self, family: str, *, stopped: bool = False) -> list[Json]:
        """The same of all tasks of one family, whoever began them."""
        status = "STOPPED" if stopped else "RUNNING"
        arns = self._all("list_tasks", "taskArns", cluster=self.cluster, family=family, desiredStatus=status)
        return self.described(arns)

    def described(self, arns: Sequence[str]) -> list[Json]:
        """Tasks, of which ECS may know nothing yet, or any more."""
        pieces = [arns[at : at + _MANY] for at in range(0, len(arns), _MANY)]
        return [task for piece in pieces for task in self._ecs("describe_tasks", tasks=piece).get("tasks") or []]

    def run(self, said: Json, token: str) -> Json:
        """Begin one task; the same token begins it once. Answers it, or why it cannot be placed."""
        return self._ecs("run_task", count=1, clientToken=token, **said)

    def stop(self, arn: str, reason: str) -> None:
        """Let a task end; one that has ended is fine."""
        self._ecs("stop_task", task=arn, reason=reason)

    def instances(self, arns: Iterable[str] | None = None) -> list[Json]:
        """Container instances of the cluster: these, or all that are active. On Fargate there are none."""
        wanted = (
            self._all("list_container_instances", "containerInstanceArns", cluster=self.cluster, status=_ACTIVE)
            if arns is None
            else arns
        )
        wanted = sorted(wanted)
        pieces = [wanted[at : at + _MANY] for at in range(0, len(wanted), _MANY)]
        said = [self._ecs("describe_container_instances", containerInstances=piece) for piece in pieces]
        return [one for answer in said for one in answer.get("containerInstances") or []]

    def private_address(self, instance: str) -> str | None:
        """The private address of an EC2 instance."""
        said = self._call("ec2", "describe_instances", InstanceIds=[instance])
        found = [one for group in said.get("Reservations") or [] for one in group.get("Instances") or []]
        return next((one["PrivateIpAddress"] for one in found if one.get("PrivateIpAddress")), None)

    # logs and secrets

    def printed(self, group: str, stream: str, lines: int) -> list[str]:
        """The end of a log stream; empty where there is none."""
        try:
            said = self._call("logs", "get_log_events", logGroupName=group, logStreamName=stream, limit=max(lines, 1))
        except Absent:
            return []
        return [str(event.get("message", "")) for event in said.get("events") or []]

    def put_secret(self, name: str, text: str) -> str:
        """Keep a secret under a name; answers its ARN."""
        try:
            return str(self._call("secretsmanager", "put_secret_value", SecretId=name, SecretString=text)["ARN"])
        except Absent:
            return str(self._call("secretsmanager", "create_secret", Name=name, SecretString=text)["ARN"])

    def drop_secret(self, arn: str) -> None:
        """Forget it at once; one that is gone already is fine."""
        try:
            self._call("secretsmanager", "delete_secret", SecretId=arn, ForceDeleteWithoutRecovery=True)
        except Absent:
            return

    # one call

    def _all(self, name: str, key: str, /, **said: Any) -> list[str]:
        found, token = list[str](), None
        while True:
            answer = self._call("ecs", name, **said, **({"nextToken": token} if token else {}))
            found += answer.get(key) or []
            token = answer.get("nextToken")
            if not token:
                return found

    def _ecs(self, name: str, /, **said: Any) -> Json:
        return self._call("ecs", name, cluster=self.cluster, **said)

    def _call(self, service: str, name: str, /, **said: Any) -> Json:
        with mapped():
            return dict(getattr(self._access.client(self.place, service), name)(**said))


def _of_family(family: str, arns: Iterable[str]) -> list[str]:
    """AWS takes a family for the beginning of one."""
    return [arn for arn in arns if marks.revision(arn).rpartition(":")[0] == family]
