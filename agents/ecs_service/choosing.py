"""Which task definition a claim asks for: what the service has already, what is there and as asked, or a new revision."""

from typing import Final

from agents.ecs_service import delivery, document, judging, marks, reading
from agents.ecs_service.cluster import Cluster
from agents.ecs_service.ground import Ground, goods_on
from agents.ecs_service.looking import Look
from agents.ecs_service.marks import Json
from agents.ecs_service.reading import Rollout
from agents.ecs_service.sameness import asked, same
from agents.secrets import Safe
from fairlead.contracts.target import TargetSpec
from fairlead.domain.fence import Claim, may_adopt

_NEWEST: Final = 5


class Choosing:
    """For one claim."""

    def __init__(
        self, cluster: Cluster, ground: Ground, spec: TargetSpec, claim: Claim, safe: Safe, look: Look
    ) -> None:
        self._cluster, self._ground, self._spec, self._claim = cluster, ground, spec, claim
        self._safe, self._look = safe, look

    def adopted(self, service: Json) -> tuple[str, Rollout] | None:
        """What the service asks for now, where that is as asked and may be kept."""
        arn, (rollout, _) = reading.arn_of(service), reading.rollouts(service)
        if rollout is None or rollout.state == "FAILED" or service["desiredCount"] != self.count(service):
            return None
        made_by = marks.claim_in(self._cluster.definition(arn))
        if made_by is None or not may_adopt(self._claim, made_by, is_rollback=self._spec.is_rollback):
            return None
        if not self._fits(arn) or not (made_by.number == self._claim.number or self._all_healthy(service)):
            return None
        self._ground.note_made(self._claim, arn, service)
        return arn, rollout

    def chosen(self, service: Json) -> str:
        """The task definition to ask for: one that is there and as asked, else a new revision."""
        arn = self._earlier(service) or self._left(service) or self._registered()
        self._ground.note_made(self._claim, arn, service)
        return arn

    def _earlier(self, service: Json) -> str | None:
        """For a rollback the verified revision that is as asked."""
        goods = goods_on(service) if self._spec.is_rollback else []
        return next((arn for arn in goods if self._cluster.usable(arn) and self._fits(arn)), None)

    def _left(self, service: Json) -> str | None:
        """What a killed attempt of the same number has registered already."""
        present = reading.arn_of(service)
        if self.made_here(present) and self._fits(present) and self._cluster.usable(present):
            return present
        newest = self._cluster.revisions(marks.stem(self._spec), _NEWEST)
        return next((arn for arn in newest if self.made_here(arn) and self._fits(arn)), None)

    def good(self, service: Json) -> str | None:
        """What was seen healthy last and can still be read, unless it was registered under this number."""
        held = (arn for arn in goods_on(service) if self._cluster.held(arn))
        return next((arn for arn in held if not self.made_here(arn)), None)

    def again(self, revision: str) -> str:
        """A revision that can be asked for and says what this one does: itself, or a new one where it was deregistered."""
        if self._cluster.usable(revision):
            return revision
        service = self._ground.require(self._claim)
        arn = str(self._cluster.register(asked(self._cluster.definition(revision)))["taskDefinitionArn"])
        self._ground.note_made(self._claim, arn, service)
        return arn

    def _registered(self) -> str:
        arns = delivery.deliver(self._cluster, self._spec, self._safe)
        self._ground.require(self._claim)
        return str(self._cluster.register(self.definition(arns))["taskDefinitionArn"])

    def _fits(self, arn: str) -> bool:
        """By all that it says, not by its labels alone: whoever makes a revision by hand copies them."""
        return same(self.definition({}), self._cluster.definition(arn))

    def definition(self, arns: document.Arns) -> Json:
        """What is asked for."""
        return document.definition(self._spec, self._claim, self._cluster.place, arns)

    def _all_healthy(self, service: Json) -> bool:
        seen = self._look.at(service, reading.tasks(self._cluster.tasks()))
        return judging.is_as_asked(self._spec.components, seen)

    def count(self, service: Json) -> int:
        """As many as the target says, else as many as there are: somebody may scale them."""
        return document.count(self._spec, service)

    def made_here(self, arn: str) -> bool:
        """Whether an attempt of this number registered it."""
        made_by = marks.claim_in(self._cluster.held(arn) or {})
        return made_by is not None and made_by.number == self._claim.number
