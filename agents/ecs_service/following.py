"""Follows one rollout until it is healthy, or it is clear that it will not be."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from agents.cutting import told
from agents.ecs_service import judging, logs, marks, reading
from agents.ecs_service.cluster import Cluster
from agents.ecs_service.ground import Ground, goods_on
from agents.ecs_service.judging import Scene
from agents.ecs_service.looking import Look
from agents.ecs_service.marks import Json
from agents.ecs_service.reading import Rollout, Task
from agents.secrets import Safe
from fairlead.contracts.target import ComponentObservation, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, FairleadError, Refused
from fairlead.domain.fence import Claim
from fairlead.domain.health import Health
from fairlead.ports import Beat

_SOON, _LATER, _SLOWER = 0.1, 5.0, 1.5
"""Pauses between looks, in seconds: they grow while nothing happens, for AWS counts calls."""
_AGAIN: Final = 3
_LOG_LINES: Final = 40

Again = Callable[[], Rollout]


class Following:
    """Looks again and again, under one claim."""

    def __init__(
        self, cluster: Cluster, ground: Ground, spec: TargetSpec, claim: Claim, beat: Beat, look: Look, safe: Safe
    ) -> None:
        self._cluster, self._ground, self._spec, self._claim, self._beat = cluster, ground, spec, claim, beat
        self._look, self._safe = look, safe
        self._again = _AGAIN

    def until_healthy(self, arn: str, rollout: Rollout, again: Again, *, back: bool = False) -> None:
        """Return when it is. Raises Refused (unhealthy, start_failed, placement_failed, target_changed).

        The deadline runs from the last progress, and not while only the old tasks still end. `again` asks for the same once more, when a
        lower claim's change came after ours. `back`: to something else than what is specified, which has only to be healthy.
        """
        until, best, pause = self._deadline(), (-1, 0), _SOON
        while True:
            self._beat()
            service = self._ground.require(self._claim)
            rollout = self._ours(arn, rollout, service, again)
            scene = self._scene(service, rollout)
            seen = self._look.at(service, scene.running) if scene.full else ()
            fine = scene.full and self._is_fine(seen, back=back)
            if fine and scene.settled:
                return
            scene = replace(scene, stopped=reading.tasks(self._cluster.tasks(stopped=True)))
            if scene.progress > best or (fine and scene.others):
                until, best, pause = self._deadline(), scene.progress, _SOON if scene.progress > best else pause
            if scene.hopeless or time.monotonic() > until:
                raise self._given_up(scene, seen or self._look.at(service, scene.running), service)
            time.sleep(pause)
            pause = min(pause * _SLOWER, _LATER)

    def _deadline(self) -> float:
        return time.monotonic() + self._spec.healthy_deadline

    def _is_fine(self, seen: tuple[ComponentObservation, ...], *, back: bool) -> bool:
        if back:
            return all(one.health == Health.HEALTHY for one in seen)
        return judging.is_as_asked(self._spec.components, seen)

    def _ours(self, arn: str, rollout: Rollout, service: Json, again: Again) -> Rollout:
        """The rollout as it is now. Raises Conflict (target_changed) when ECS works for somebody else."""
        now, _ = reading.rollouts(service)
        if now is None or now.id == rollout.id or _is_stale(now, rollout):
            return now if now and now.id == rollout.id else rollout
        if now.definition == arn:
            return now
        made_by = marks.claim_in(self._cluster.definition(now.definition))
        # What was seen healthy before is what a person goes back to by hand, and stays.
        by_hand = reading.is_revision(now.definition, goods_on(service))
        if made_by and made_by < self._claim and self._again and not by_hand:
            self._again -= 1
            return again()
        raise Conflict(
            Code.TARGET_CHANGED, f"somebody else changed the service {self._ground.name} while it rolled out"
        )

    def _scene(self, service: Json, rollout: Rollout) -> Scene:
        desired = int(service["desiredCount"])
        if not desired:
            raise Conflict(Code.TARGET_CHANGED, f"somebody scaled the service {self._ground.name} to nothing")
        others = [one for one in reading.rollouts(service)[1] if one.id != rollout.id]
        return Scene(rollout, others, desired, reading.tasks(self._cluster.tasks()))

    # giving up

    def _given_up(self, scene: Scene, seen: tuple[ComponentObservation, ...], service: Json) -> Refused:
        """What is wrong, told while it is still there to be seen."""
        fields = {"rollout": scene.rollout.state, "failed_tasks": scene.rollout.failed or len(scene.crashed)}
        if scene.empty:
            told = "; ".join(reading.events(service, scene.rollout.created)) or "ECS does not say why"
            return Refused(Code.PLACEMENT_FAILED, f"no task could be placed: {told}", fields=fields)
        if scene.crashed:
            return self._not_up(scene, fields)
        bad = max(seen, key=lambda one: [*Health].index(one.health), default=None)
        name, words = (bad.name, bad.detail) if bad else (self._spec.components[0].name, "it is gone")
        why = [f"the task before: {scene.ended[-1].why}"] if scene.ended else []
        late = f"{name} was not healthy within {self._spec.healthy_deadline:g} s: {'; '.join([str(words), *why])}"
        log = self._last_words([*scene.ours, *scene.running, *scene.ended][0], name)
        return Refused(Code.UNHEALTHY, late, fields={**fields, "component": name, "log": log})

    def _not_up(self, scene: Scene, fields: dict[str, object]) -> Refused:
        last = scene.crashed[-1]
        name = next((str(c["name"]) for c in last.containers if c.get("exitCode") or c.get("reason")), "")
        names = {component.name for component in self._spec.components}
        name = name or self._spec.components[0].name
        told = [task.why for task in scene.crashed]
        detail = f"{name} does not stay up: {last.why} ({scene.rollout.says()})"
        log = self._last_words(last, name if name in names else self._spec.components[0].name)
        return Refused(Code.START_FAILED, detail, fields={**fields, "component": name, "stopped": told, "log": log})

    def _last_words(self, task: Task, component: str) -> str:
        try:
            said = logs.of_task(self._cluster, task, component, _LOG_LINES)
        except FairleadError:  # who may change services may not always read logs
            return ""
        return told(self._safe.mask_output("\n".join(said)))


def _is_stale(now: Rollout, ours: Rollout) -> bool:
    """ECS may still tell of before: what it says is eventually so."""
    return bool(now.created and ours.created and now.created < ours.created)
