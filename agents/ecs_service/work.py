"""Makes one target run its specification under one claim, from whatever state a killed worker may have left it in.

A service asks for one task definition, so whatever a claim asks for replaces all that was there: there is nothing to undo but by asking
for the other one again.
"""

import time
from collections.abc import Iterable
from typing import Final

from agents.ecs_service import delivery, document, marks, reading
from agents.ecs_service.choosing import Choosing
from agents.ecs_service.cluster import Cluster
from agents.ecs_service.following import Following
from agents.ecs_service.ground import Ground
from agents.ecs_service.hooking import Hooks
from agents.ecs_service.looking import Look
from agents.ecs_service.marks import Json
from agents.ecs_service.reading import Rollout
from agents.ecs_service.refusals import Silent
from agents.secrets import Safe
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, Refused, Unavailable
from fairlead.domain.fence import Claim, FenceLost
from fairlead.domain.target_kinds.hooks import POST, PRE
from fairlead.ports import Beat, FailPoints

_PAUSE: Final = 0.2
_LOOKS: Final = 50
_TOKEN: Final = 36


class Work:
    """The work of one claim. Before and after every change the claims are read again; only the highest goes on."""

    def __init__(
        self,
        cluster: Cluster,
        spec: TargetSpec,
        claim: Claim,
        beat: Beat,
        fail_points: FailPoints,
        safe: Safe,
        look: Look,
    ) -> None:
        self._cluster, self._spec, self._claim, self._beat, self._fail_points = cluster, spec, claim, beat, fail_points
        self._safe, self._look = safe, look
        self._ground = Ground(cluster, spec)
        self._choosing = Choosing(cluster, self._ground, spec, claim, safe, look)
        self.hooks = Hooks(cluster, self._ground, spec, claim, beat, fail_points, safe)
        self._settings: Json | None = None

    def stake(self, *, make: bool = True) -> Json | None:
        """Lay the claim, on a service that is made for it where there is none; answers the service, if there is one."""
        service = self._ground.service()
        if service is None and make:
            service = self._created()
        if service is not None:
            service = self._ground.stake(self._claim, self._spec.deployment, service)
        self._fail_points.reach("after_claim")
        return service

    def run(self, service: Json) -> Json:
        """Ask for it or adopt it, follow it until it is healthy, mark it so; answers the task definition. Else the one before comes back.

        Hooks are run around that.
        """
        try:
            self.hooks.quiet(service)
            self.hooks.run(PRE)
            arn, rollout = self._choosing.adopted(service) or self._rolled(self._choosing.chosen(service))
            self._follow(arn, rollout)
            self.hooks.run(POST)
        except (FenceLost, Conflict):
            # Somebody else is at work there: what he did stays.
            raise
        except Refused as refusal:
            raise self._put_back(refusal) from refusal
        self._ground.note_good(self._claim, arn)
        return self._cluster.definition(arn)

    def take_down(self) -> None:
        """Let no task run any more; the service stays, with the claim on it."""
        service = self._ground.require(self._claim)
        self.hooks.quiet(service)
        if service["desiredCount"]:
            self._cluster.update({"desiredCount": 0})
        self._fail_points.reach("after_stop_old")
        grace = max((component.config.stop_grace for component in self._spec.components), default=0)
        until = time.monotonic() + grace + 300
        while self._cluster.tasks() or any(not task.over for task in reading.tasks(self._cluster.tasks(stopped=True))):
            self._beat()
            self._ground.require(self._claim)
            if time.monotonic() > until:
                raise Unavailable(Code.TARGET_UNREACHABLE, f"what {self._ground.name} ran does not end")
            time.sleep(_PAUSE)

    def clean_up(self) -> None:
        """Forget the task definitions of a target that is retired, and what they read; but nothing of whoever claims it meanwhile."""
        for family in (marks.stem(self._spec), marks.hook_family(self._spec)):
            self._forget_revisions(self._cluster.all_revisions(family))
        self._ground.forget(self._claim)

    def forget_hooks(self) -> None:
        """Those that have ended, on a target that is handed over."""
        family = marks.hook_family(self._spec)
        running = {task.definition for task in reading.tasks(self._cluster.of_family(family))}
        self._forget_revisions(arn for arn in self._cluster.all_revisions(family) if arn not in running)

    def _forget_revisions(self, arns: Iterable[str]) -> None:
        for arn in arns:
            self._beat()
            definition = self._cluster.definition(arn)
            made_by = marks.claim_in(definition)
            if made_by is None or made_by > self._claim or not marks.registered(self._spec, definition):
                continue
            self._ground.require(self._claim)
            delivery.take_away(self._cluster, self._spec, definition)
            self._cluster.deregister(arn)

    # changing

    def _created(self) -> Json:
        """The service without a task, and with the claim on it: to make it is to claim it. The library repeats it with the same token."""
        said = self._choosing.definition({})
        bare = [{key: one[key] for key in one if key != "secrets"} for one in said["containerDefinitions"]]
        arn = self._cluster.register({**said, "containerDefinitions": bare})["taskDefinitionArn"]
        tags = {**marks.of_target(self._spec), f"{marks.CLAIM}{self._claim}": self._spec.deployment}
        asked = {**document.service(self._spec), "desiredCount": 0, "taskDefinition": arn, "tags": marks.as_tags(tags)}
        token = digest_of([self._cluster.cluster, self._cluster.name, str(self._claim), asked])[-_TOKEN:]
        try:
            self._cluster.create(asked, token)
        except (Refused, Silent):
            # Another attempt was faster, or only the answer was lost.
            if self._ground.service() is None:
                raise
        return self._appeared()

    def _appeared(self) -> Json:
        """The service that has just been made: AWS may take a moment to know of it."""
        for _ in range(_LOOKS):
            service = self._ground.service()
            if service is not None:
                return service
            self._beat()
            time.sleep(_PAUSE)
        return self._ground.ours()

    def _rolled(self, arn: str, settings: Json | None = None) -> tuple[str, Rollout]:
        """Ask for a task definition; answers the deployment that this began. What became of a call without an answer is read back."""
        self._beat()
        service = self._ground.require(self._claim)
        before, _ = reading.rollouts(service)
        change = document.change(self._spec) if settings is None else settings
        if self._settings is None:
            self._settings = {key: service[key] for key in document.change(self._spec) if service.get(key)}
        asked = {"taskDefinition": arn, "desiredCount": self._choosing.count(service), "forceNewDeployment": True}
        try:
            service = self._cluster.update({**change, **asked})
        except Silent:
            service = self._ground.require(self._claim)
            if not _begun_by(arn, before, reading.rollouts(service)[0]):
                raise
        # One change stops the old and makes the new.
        self._fail_points.reach("after_stop_old")
        self._fail_points.reach("after_create")
        self._ground.require(self._claim)
        return reading.arn_of(service), self._begun(service)

    def _begun(self, service: Json) -> Rollout:
        rollout, _ = reading.rollouts(service)
        if rollout is None:
            raise Unavailable(Code.TARGET_UNREACHABLE, f"ECS names no deployment of {self._ground.name}")
        return rollout

    def _follow(self, arn: str, rollout: Rollout, *, back: bool = False) -> None:
        following = Following(self._cluster, self._ground, self._spec, self._claim, self._beat, self._look, self._safe)
        following.until_healthy(arn, rollout, lambda: self._rolled(arn)[1], back=back)

    # going back

    def _put_back(self, refusal: Refused) -> Refused:
        """Ask again for what was seen healthy last, and say so in the refusal."""
        service, restored = self._ground.require(self._claim), list[str]()
        if service["desiredCount"] and self._choosing.made_here(reading.arn_of(service)):
            back = self._choosing.good(service)
            restored = self._restored(back) if back else []
            if back is None:
                self.take_down()
        log = str(refusal.fields.get("log", ""))
        detail = "; ".join([refusal.detail, *restored, *([f"its last words:\n{log}"] if log else [])])
        return Refused(refusal.code, detail, hint=refusal.hint, fields={**refusal.fields, "restored": restored})

    def _restored(self, revision: str) -> list[str]:
        """With the settings of the service as they were when we came."""
        said = marks.components_in(self._cluster.definition(revision))
        release = next((marks.labels(one).get(marks.RELEASE, "") for one in said.values()), "")
        words = f"{' and '.join(sorted(said)) or revision} {release} runs again".replace("  ", " ")
        try:
            self._follow(*self._rolled(self._choosing.again(revision), self._settings or {}), back=True)
        except FenceLost:
            raise
        except Refused as worse:
            return [f"{words}, but {worse.detail}"]
        return [words]


def _begun_by(arn: str, before: Rollout | None, now: Rollout | None) -> bool:
    """Whether it was our call that began a deployment; another's asks for something else."""
    if now is None or (before and now.id == before.id):
        return False
    return reading.is_revision(now.definition, [marks.revision(arn)])
