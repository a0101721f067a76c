"""One target on ECS: the claims that lie on it, what was registered for it and seen healthy, its sticker. All are tags of its service.

A service with no task stays where there was one: the claims on it refuse lower numbers for ever.
"""

from collections.abc import Mapping

from agents.ecs_service import marks, reading
from agents.ecs_service.cluster import Cluster
from agents.ecs_service.marks import Address, Json
from fairlead.contracts.target import Sticker
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable
from fairlead.domain.fence import Claim, require_highest

KEPT = 3
"""So many revisions that were seen healthy are remembered, to go back to as they are."""
_OURS = (marks.CLAIM, marks.MADE, marks.GOOD, marks.HOOKS)
_CLAIMS = (marks.CLAIM, marks.HANDED_OVER)
_BEFORE = Claim(0, 0)
"""Under which stands what ran when the service became ours."""


class Ground:
    """What is ours on one target."""

    def __init__(self, cluster: Cluster, address: Address) -> None:
        self._cluster, self._address = cluster, address
        self.name = cluster.name

    def service(self) -> Json | None:
        """Our service as it is now. Raises Refused (foreign_workload) when somebody else's has its name."""
        service = self._cluster.service()
        if service is not None and not marks.owns(self._address, service):
            tags = ", ".join(f"{key}={value}" for key, value in marks.of_target(self._address).items())
            raise Refused(
                Code.FOREIGN_WORKLOAD,
                f"a service named {self.name} is there, and is not one of ours",
                hint=f"give it the tags {tags} to make it ours, or the target another `name` in its options",
                fields={"service": self.name},
            )
        return service

    def ours(self) -> Json:
        """The same where there has to be one."""
        service = self.service()
        if service is None:
            raise Unavailable(Code.SERVICE_NOT_ACTIVE, f"the service {self.name} is gone")
        return service

    def require(self, claim: Claim) -> Json:
        """The service, if no higher claim lies on it now. Raises FenceLost."""
        service = self.ours()
        require_highest(claim, claims_on(service))
        return service

    def stake(self, claim: Claim, deployment: str, service: Json) -> Json:
        """Lay a claim on a service that is there already; answers the service as it is then. Raises FenceLost where a higher one lies.

        Lower ones go: the highest alone refuses, and a service holds fifty tags.
        """
        require_highest(claim, claims_on(service))
        said = {f"{marks.CLAIM}{claim}": deployment}
        if service["desiredCount"] and not goods_on(service):
            said[f"{marks.GOOD}{_BEFORE}"] = marks.revision(service["taskDefinition"])
        if not said.keys() <= marks.tags_of(service).keys():
            self._cluster.tag(service["serviceArn"], said)
        service = self.require(claim)
        self._cluster.untag(service["serviceArn"], _lower(claim, service))
        return service

    def handed_over(self) -> list[Claim]:
        """Under which claims the service was handed over that has our name now; empty where it never was, or is ours again."""
        service = self._cluster.service() or {}
        tags = marks.tags_of(service)
        found = [claim for claim, whose in marks.under(marks.HANDED_OVER, tags) if whose == marks.whose(self._address)]
        return [] if marks.owns(self._address, service) else found

    def mark_handed_over(self, claim: Claim, service: Json) -> None:
        """Say that it is handed over. The mark counts as a claim for as long as it is there."""
        self._cluster.tag(service["serviceArn"], {f"{marks.HANDED_OVER}{claim}": marks.whose(self._address)})
        self.require(claim)

    def let_go(self, service: Json) -> None:
        """All our other tags go at once: from then on the service is somebody else's."""
        self._cluster.untag(service["serviceArn"], marks.all_of_ours(marks.tags_of(service)))

    def note_made(self, claim: Claim, arn: str, service: Json) -> None:
        """Say that a claim registered a revision, or took it over; and no more what nothing runs of and nobody goes back to."""
        made, tags = marks.revision(arn), marks.tags_of(service)
        said = {f"{marks.MADE}{claim}": made}
        if not said.items() <= tags.items():
            self._cluster.tag(service["serviceArn"], said)
        needed = {*goods_on(service), *reading.asked_of(service)} - {made}
        lower = [found for found, value in marks.under(marks.MADE, tags) if found < claim and value not in needed]
        self._cluster.untag(service["serviceArn"], [f"{marks.MADE}{found}" for found in lower])

    def note_good(self, claim: Claim, arn: str) -> None:
        """Say that a revision was seen healthy, and forget what has gone before."""
        service, said = self.require(claim), {f"{marks.GOOD}{claim}": marks.revision(arn)}
        tags = {**marks.tags_of(service), **said}
        if tags != marks.tags_of(service):
            self._cluster.tag(service["serviceArn"], said)
        goods = sorted(marks.under(marks.GOOD, tags), reverse=True)
        kept = {value for _, value in goods[:KEPT]}
        made = [found for found, value in marks.under(marks.MADE, tags) if value not in kept and found <= claim]
        gone = [
            *_lower(claim, service),
            *(f"{marks.GOOD}{found}" for found, _ in goods[KEPT:]),
            *(f"{marks.MADE}{found}" for found in made),
        ]
        self._cluster.untag(service["serviceArn"], gone)

    def forget(self, claim: Claim) -> None:
        """All but the claim itself, once nothing runs any more."""
        service = self.require(claim)
        tags, mine = marks.tags_of(service), f"{marks.CLAIM}{claim}"
        ours = {key for key in tags if key.startswith(_OURS) and key != mine}
        self._cluster.untag(service["serviceArn"], ours | marks.sticker_keys(tags))

    def sticker(self) -> Sticker | None:
        """The record, None where there is none."""
        service = None if self.handed_over() else self.service()
        return marks.sticker_in(marks.tags_of(service)) if service else None

    def put_sticker(self, sticker: Sticker, claim: Claim) -> None:
        """Leave the record. Raises FenceLost."""
        service = self.require(claim)
        said = marks.sticker_tags(sticker)
        self._cluster.tag(service["serviceArn"], said)
        self._cluster.untag(service["serviceArn"], marks.sticker_keys(marks.tags_of(service)) - said.keys())


def _lower(claim: Claim, service: Json) -> list[str]:
    """The tags of claims that are lower."""
    tags = marks.tags_of(service)
    return [f"{kind}{found}" for kind in _CLAIMS for found, _ in marks.under(kind, tags) if found < claim]


def claims_on(service: Mapping[str, object]) -> list[Claim]:
    """The claims that lie on a service, and those under which it was handed over before it was ours again."""
    tags = marks.tags_of(service)
    return [claim for prefix in _CLAIMS for claim, _ in marks.under(prefix, tags)]


def goods_on(service: Mapping[str, object]) -> list[str]:
    """The revisions that were seen healthy, the latest first."""
    found = sorted(marks.under(marks.GOOD, marks.tags_of(service)), reverse=True)
    return list(dict.fromkeys(value for _, value in found))


def made_on(service: Mapping[str, object]) -> set[str]:
    """The revisions that we registered."""
    return {value for _, value in marks.under(marks.MADE, marks.tags_of(service))}
