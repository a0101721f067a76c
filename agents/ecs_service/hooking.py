"""Hooks on ECS: tasks of their own, one after the other, each begun once in a deployment.

ECS forgets tasks an hour or so after their end, so a tag of the service says how far they are. It is written before a task is asked for; a call
of which nobody knows what became is made again with its token, for which ECS begins one task, as long as the token is surely remembered.
"""

import time
from typing import Final

from agents.cutting import end_of
from agents.ecs_service import delivery, hook_task, logs, marks, reading
from agents.ecs_service.cluster import Cluster
from agents.ecs_service.ground import Ground
from agents.ecs_service.hook_task import Mark
from agents.ecs_service.marks import Json
from agents.ecs_service.reading import Task
from agents.secrets import Safe
from fairlead.contracts.target import ComponentSpec, SentFile, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, Refused, Unavailable
from fairlead.domain.fence import Claim
from fairlead.domain.target_kinds.hooks import KEPT_LENGTH, KEPT_LINES, Hook, failed
from fairlead.ports import Beat, FailPoints

_SOON, _LATER, _SLOWER = 0.2, 5.0, 1.3
"""Pauses between looks, in seconds."""
_UNSURE: Final = 30
"""For so many seconds ECS may not know yet of what it has begun."""
REMEMBERED: Final = 900
"""For so many seconds a token is surely remembered, and what was begun with it described. AWS says that a token of RunTask lives for up to 24 hours
("Ensuring idempotency" in the ECS API reference), and describes a stopped task for at least an hour."""
_GONE: Final = "has been begun for this deployment already, and ECS does not know its task any more"


class Hooks:
    """Those of one task. `printed`: what each printed, masked, by the name of a file."""

    def __init__(
        self,
        cluster: Cluster,
        ground: Ground,
        spec: TargetSpec,
        claim: Claim,
        beat: Beat,
        fail_points: FailPoints,
        safe: Safe,
    ) -> None:
        self._cluster, self._ground, self._spec, self._claim, self._beat = cluster, ground, spec, claim, beat
        self._fail_points, self._safe = fail_points, safe
        self._all = hook_task.all_of(spec)
        self.printed: dict[str, str] = {}

    def run(self, when: str) -> None:
        """Run them in start order. Raises Refused (hook_failed)."""
        for place, (component, hook) in enumerate(self._all):
            if hook.when == when:
                self._run(place, component, hook)

    def quiet(self, service: Json) -> None:
        """End what earlier deployments left, and forget how far they were."""
        number = self._claim.number
        lower = [claim for claim, _ in marks.under(marks.HOOKS, marks.tags_of(service)) if claim.number < number]
        if lower:
            mine = {self._token(hook) for _, hook in self._all}
            for task in reading.tasks(self._cluster.of_family(marks.hook_family(self._spec))):
                if task.deployment not in mine:
                    self._stop(task, "another deployment has begun")
            self._cluster.untag(service["serviceArn"], [f"{marks.HOOKS}{claim}" for claim in lower])

    @property
    def sent(self) -> tuple[SentFile, ...]:
        """What they printed, to be kept."""
        return tuple(SentFile(name=name, content=text) for name, text in self.printed.items())

    def _run(self, place: int, component: ComponentSpec, hook: Hook) -> None:
        mark = self._mark()
        task = self._found(hook) if mark and mark.place >= place else None
        if mark and mark.done > place:
            self.printed |= {hook.log: self._words(hook, task)} if task else {}
            return
        if task is None:
            task = self._begun(hook, mark if mark and mark.place == place else self._asked(place, component, hook))
        self._judge(hook, self._ended(hook, task))
        self._note(Mark(place))

    # how far they are

    def _mark(self) -> Mark | None:
        """What the attempt that came furthest says."""
        said = marks.under(marks.HOOKS, marks.tags_of(self._ground.require(self._claim)))
        mine = [Mark.parse(text) for claim, text in said if claim.number == self._claim.number]
        return max(mine, key=lambda mark: (mark.place, mark.done), default=None)

    def _note(self, mark: Mark) -> None:
        """Each attempt has a tag that it alone writes."""
        service, key = self._ground.require(self._claim), f"{marks.HOOKS}{self._claim}"
        self._cluster.tag(service["serviceArn"], {key: str(mark)})
        lower = [f"{marks.HOOKS}{claim}" for claim, _ in marks.under(marks.HOOKS, marks.tags_of(service))]
        self._cluster.untag(service["serviceArn"], {*lower} - {key})

    def _token(self, hook: Hook) -> str:
        return hook_task.token(self._spec, hook, self._claim)

    def _found(self, hook: Hook) -> Task | None:
        """The task that some attempt has begun for it."""
        family = marks.hook_family(self._spec)
        said = [*self._cluster.of_family(family), *self._cluster.of_family(family, stopped=True)]
        return next((task for task in reading.tasks(said) if task.deployment == self._token(hook)), None)

    # its task

    def _asked(self, place: int, component: ComponentSpec, hook: Hook) -> Mark:
        """Register what it runs, and say that it is about to be begun."""
        alone = self._spec.model_copy(update={"components": (component,)})
        arns = delivery.deliver(self._cluster, alone, self._safe)
        said = hook_task.definition(self._spec, component, hook, self._claim, self._cluster.place, arns)
        self._ground.require(self._claim)
        revision = marks.revision(self._cluster.register(said)["taskDefinitionArn"])
        mark = Mark(place, revision, int(time.time()))
        self._note(mark)
        return mark

    def _begun(self, hook: Hook, mark: Mark) -> Task:
        """Begin its task, or find it begun."""
        if time.time() > mark.begun + REMEMBERED:
            raise self._failed(hook, None, _GONE)
        until = time.monotonic() + self._spec.healthy_deadline
        while True:
            service = self._ground.require(self._claim)
            said = self._cluster.run(
                hook_task.order(self._spec, hook, self._claim, service, mark.revision), self._token(hook)
            )
            if said.get("tasks"):
                self._fail_points.reach("after_hook_start")
                return reading.task(said["tasks"][0])
            if time.monotonic() > until:
                why = ", ".join(sorted({str(one.get("reason")) for one in said.get("failures") or []}))
                raise self._failed(hook, None, f"could not be placed: {why or 'ECS does not say why'}")
            self._beat()
            time.sleep(_LATER)

    def _ended(self, hook: Hook, task: Task) -> Task:
        """Its task when it has ended. Its time begins when it does; before that it is placed, and its image pulled."""
        until, runs, pause = time.monotonic() + self._spec.healthy_deadline, False, _SOON
        while not task.over:
            self._beat()
            self._ground.require(self._claim)
            if task.started and not runs:
                until, runs = time.monotonic() + hook.timeout, True
            if time.monotonic() > until:
                task = self._stop(task, "it took too long")
                late = f"did not end within {hook.timeout:g} s"
                raise self._failed(hook, task, late if runs else f"did not start: {task.why}")
            time.sleep(pause)
            pause = min(pause * _SLOWER, _LATER)
            task = self._seen(hook, task)
        return task

    def _seen(self, hook: Hook, task: Task) -> Task:
        """As it is now. What ECS does not know for long has gone, and nobody can say how it ended."""
        until = time.monotonic() + _UNSURE
        while not (found := self._cluster.described([task.arn])):
            self._beat()
            if time.monotonic() > until:
                raise self._failed(hook, None, _GONE)
            time.sleep(_SOON)
        return reading.task(found[0])

    def _stop(self, task: Task, reason: str) -> Task:
        """Let it end, and see that it has."""
        self._ground.require(self._claim)
        self._cluster.stop(task.arn, reason)
        grace = max(component.config.stop_grace for component in self._spec.components)
        until = time.monotonic() + grace + 300
        while not task.over:
            self._beat()
            if time.monotonic() > until:
                raise Unavailable(Code.TARGET_UNREACHABLE, f"the task {task.id} of a hook does not end")
            time.sleep(_SOON)
            found = self._cluster.described([task.arn])
            if not found:
                break
            task = reading.task(found[0])
        return task

    # what came of it

    def _judge(self, hook: Hook, task: Task) -> None:
        """By the exit code of its container, where that ended by itself."""
        code = (task.container(hook.component) or {}).get("exitCode")
        self.printed[hook.log] = self._words(hook, task)
        if code:
            raise self._failed(hook, task, f"ended with exit code {code}")
        if code is None or task.stop_code != reading.ENDED:
            raise self._failed(hook, task, f"did not come to its end: {task.why or 'ECS does not say why'}")

    def _words(self, hook: Hook, task: Task) -> str:
        try:
            said = logs.of_task(self._cluster, task, hook.component, KEPT_LINES)
        except FairleadError:  # who may run tasks may not always read logs
            return ""
        return end_of(self._safe.mask_output("\n".join(said)), KEPT_LENGTH)

    def _failed(self, hook: Hook, task: Task | None, what: str) -> Refused:
        """Whoever goes back adds the last words."""
        return failed(hook, what, self._words(hook, task) if task else "")
