"""Makes one target run its specification under one claim, from whatever state a killed worker may have left it in.

A job has one definition, so whatever a claim registers replaces all that was there: there is nothing to undo but by registering again.
"""

import contextlib
import time
from typing import Final

from agents.cutting import READ, told
from agents.nomad_job import delivery, document, judging, looking, marks, reading, template
from agents.nomad_job.choosing import Choosing
from agents.nomad_job.ground import Ground
from agents.nomad_job.hooking import Hooks
from agents.nomad_job.judging import Step
from agents.nomad_job.marks import Json
from agents.nomad_job.reading import Place, Rollout
from agents.nomad_job.server import Said, Server, Silent
from agents.nomad_job.versions import again
from agents.secrets import Safe
from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, FairleadError, NotAllowed, Refused, Unavailable
from fairlead.domain.fence import Claim, FenceLost
from fairlead.domain.health import Health
from fairlead.domain.target_kinds.hooks import POST, PRE
from fairlead.ports import Beat, FailPoints

_PAUSE: Final = 0.2
_TRIES: Final = 10
_ENDING: Final = 5
"""Seconds beyond its grace in which what was stopped is killed, and said to be."""


class Work:
    """The work of one claim. Before and after every change the fence is read again; only the highest goes on."""

    def __init__(
        self, server: Server, spec: TargetSpec, claim: Claim, beat: Beat, fail_points: FailPoints, safe: Safe
    ) -> None:
        self._server, self._spec, self._claim, self._beat, self._fail_points = server, spec, claim, beat, fail_points
        self._safe = safe
        self._ground = Ground(server, spec)
        self._choosing = Choosing(server, self._ground, spec, claim)
        self.hooks = Hooks(server, self._ground, spec, claim, beat, fail_points, safe)

    def run(self) -> Json:
        """Register or adopt, follow it until it is healthy, mark it so; answers the job. When that fails the one before comes back.

        Hooks are run around that.
        """
        wanted = template.job_of(self._server, self._spec, self._claim)
        try:
            self.hooks.quiet()
            self.hooks.run(PRE, wanted)
            job = self._choosing.adoptable() or self._register(self._choosing.earlier() or self._supplied(wanted))
            self._follow(job["Version"])
            self.hooks.run(POST, wanted)
        except FenceLost:
            raise
        except Conflict:
            # Somebody else is at work there: what he did stays.
            raise
        except Refused as refusal:
            raise self._put_back(refusal) from refusal
        self._mark(job["Version"])
        return job

    def take_down(self) -> None:
        """Stop the job, and forget it when nothing of it runs any more; its secrets too, which whoever purged it left."""
        self.hooks.quiet()
        if self._ground.job() is not None:
            self._purge()
        self._ground.require(self._claim)
        try:
            self._server.drop_variable(delivery.path(self._spec))
        except NotAllowed:
            # A token needs the right only where there are secrets.
            if self._has_secrets():
                raise

    def _has_secrets(self) -> bool:
        return any(component.config.secrets for component in self._spec.components)

    def _purge(self) -> None:
        self._ground.require(self._claim)
        self._server.deregister(self._ground.id, purge=False)
        self._fail_points.reach("after_stop_old")
        until = time.monotonic() + self._grace() + 60
        while any(not place.over for place in self._places()):
            self._beat()
            if time.monotonic() > until:
                raise Unavailable(Code.TARGET_UNREACHABLE, f"what {self._ground.id} ran does not end")
            time.sleep(_PAUSE)
        self._ground.require(self._claim)
        self._server.deregister(self._ground.id, purge=True)

    def _grace(self) -> float:
        return max((component.config.stop_grace for component in self._spec.components), default=0)

    # changing

    def _supplied(self, wanted: Json) -> Json:
        """The job, once its secrets lie where its tasks read them."""
        self._ground.require(self._claim)
        versions = self._server.versions(self._ground.id)
        delivery.deliver(self._server, self._spec, self._safe, versions, lambda: self._ground.require(self._claim))
        return wanted

    def _register(self, job: Json) -> Json:
        """Register it against the index of what was read; answers the job as it then stands."""
        for _ in range(_TRIES):
            self._beat()
            present = self._ground.job()
            self._ground.require(self._claim)
            index = present["JobModifyIndex"] if present else 0
            if self._sent(job, index):
                break
        else:
            raise Unavailable(Code.TARGET_UNREACHABLE, f"the job {job['ID']} is registered by too many at once")
        # One registration stops the old and makes the new.
        self._fail_points.reach("after_stop_old")
        self._fail_points.reach("after_create")
        self._ground.require(self._claim)
        return self._registered(job)

    def _sent(self, job: Json, index: int) -> bool:
        """Whether it stands there now. What becomes of a call that was refused or got no answer is read back, never guessed or repeated."""
        try:
            self._server.register(job, index)
        except (Said, Silent) as error:
            now = self._ground.job()
            if (now["JobModifyIndex"] if now else 0) != index:
                return now is not None and _same_meta(now, job)
            if isinstance(error, Silent):
                raise
            self._refuse_bad(job, error)
            raise
        return True

    def _refuse_bad(self, job: Json, no: Said) -> None:
        """Raise Refused (job_invalid) when it is the job that the server will not have, not the moment."""
        problem = self._server.validate(job)
        try:
            self._server.plan(job)
        except Said as again:
            problem = problem or again.text
        if problem:
            raise template.invalid(f"Nomad will not have the job: {problem}") from no

    def _registered(self, job: Json) -> Json:
        now = self._ground.job()
        if now is None or not _same_meta(now, job):
            raise self._changed()
        return now

    def _changed(self) -> Refused:
        """Somebody else registered, stopped or scaled the job: a higher claim, or a person."""
        self._ground.require(self._claim)
        return Conflict(Code.TARGET_CHANGED, f"somebody else changed the job {self._ground.id} while it rolled out")

    def _mark(self, version: int) -> None:
        """Tag a version as seen healthy, so that it is kept and known as what to go back to; then take the older tags away.

        What a higher claim has marked meanwhile stays.
        """
        self._ground.require(self._claim)
        versions = self._server.versions(self._ground.id)
        mine = next((v for v in versions if v["Version"] == version), {})
        with contextlib.suppress(Said):
            if not mine.get("VersionTag"):
                words = f"release {(mine.get('Meta') or {}).get(marks.RELEASE, '')} was seen healthy"
                self._server.tag(self._ground.id, f"{marks.VERIFIED}{self._claim}", version, words)
            for older in versions:
                marked = marks.verified_by(older)
                if older["Version"] != version and marked and marked <= self._claim:
                    self._server.untag(self._ground.id, older["VersionTag"]["Name"])

    # judging

    def _follow(self, version: int) -> None:
        """Return when a version is healthy. Raises Refused (unhealthy, start_failed, placement_failed, port_taken, target_changed).

        The deadline is our own and runs from the last progress: Nomad's does not even begin where nothing can be placed.
        """
        until, best, seen = self._deadline(), 0, None
        while True:
            self._beat()
            self._ground.require(self._claim)
            seen = self._deployment(version, seen)
            here = self._places()
            places = [place for place in here if place.version == version]
            step = judging.next_step(seen, places)
            settled = step is Step.LOOK and judging.settled(here, version)
            if step is Step.DONE or (settled and self._choosing.all_healthy()):
                self._empty(version)
                return
            if step is Step.PROMOTE and seen:
                self._promote(seen)
            if step is Step.OVERTAKEN:
                raise self._changed()
            far = reading.progress(seen, places)
            if far > best:
                until, best = self._deadline(), far
            late = time.monotonic() > until
            if late or step in {Step.CRASHED, Step.UNHEALTHY}:
                raise self._given_up(step, seen, places)

    def _empty(self, version: int) -> None:
        """Return when what gave way has ended: it may do so after its successor is healthy. What a lost node had never does."""
        until = time.monotonic() + self._grace() + _ENDING
        while not judging.alone(self._places(), version) and time.monotonic() < until:
            self._beat()
            time.sleep(_PAUSE)

    def _deadline(self) -> float:
        return time.monotonic() + self._spec.healthy_deadline + document.least(self._spec)

    def _deployment(self, version: int, seen: Rollout | None) -> Rollout | None:
        """The deployment of our version as it is now; whoever waits for it is answered as soon as it changes."""
        if seen is None:
            found = reading.newest_of(self._server.deployments(self._ground.id), version)
            if found is None:
                time.sleep(_PAUSE)
            return found
        said = self._server.deployment(seen.id, seen.index)
        # One that has been garbage collected had ended long before.
        return reading.rollout(said) if said else None

    def _promote(self, rollout: Rollout) -> None:
        self._ground.require(self._claim)
        with contextlib.suppress(Said):  # a canary has just fallen ill again, or somebody else was faster
            self._server.promote(rollout.id)

    def _places(self) -> list[Place]:
        return reading.places(self._server.allocations(self._ground.id))

    def _given_up(self, step: Step, rollout: Rollout | None, places: list[Place]) -> Refused:
        """What is wrong, told while it is still there to be seen; then nothing more is placed for it."""
        if not places:
            refusal = judging.unplaced(reading.why_unplaced(self._server.evaluations(self._ground.id)))
        else:
            refusal = self._sick(Code.START_FAILED if judging.crashed(places) else Code.UNHEALTHY, places)
        if rollout and rollout.status in {"running", "paused"}:
            self._ground.require(self._claim)
            with contextlib.suppress(Said):  # it has just ended by itself
                self._server.fail(rollout.id)
        return refusal

    def _sick(self, code: Code, places: list[Place]) -> Refused:
        found = [running for place in places for running in looking.inside(self._server, place)]
        bad = max(found, key=lambda running: [*Health].index(running.health), default=None)
        name, words = (bad.component, bad.words) if bad else (self._spec.components[0].name, "it is gone")
        log = self._last_words(bad.place.id, bad.said["task"]) if bad else ""
        late = f"{name} was not healthy within {self._spec.healthy_deadline:g} s: {words}"
        detail = f"{name} does not stay up: {words}" if code == Code.START_FAILED else late
        return Refused(code, detail, fields={"component": name, "log": log})

    def _last_words(self, allocation: str, task: str) -> str:
        """Whatever hinders us from reading them, the verdict stands."""
        try:
            said = "".join(self._server.log(allocation, task, stream, READ) for stream in ("stdout", "stderr"))
        except FairleadError:
            return ""
        return told(self._safe.mask_output(said.strip()))

    # going back

    def _put_back(self, refusal: Refused) -> Refused:
        """Register again what was seen healthy last, just as it was, and say so in the refusal."""
        present, restored = self._ground.job(), list[str]()
        if present is None and self._has_secrets():
            self.take_down()
        elif present and self._choosing.made_here(present):
            back = self._choosing.last_good()
            restored = self._restored(back) if back else []
            if back is None:
                self.take_down()
        log = str(refusal.fields.get("log", ""))
        detail = "; ".join([refusal.detail, *restored, *([f"its last words:\n{log}"] if log else [])])
        return Refused(refusal.code, detail, hint=refusal.hint, fields={**refusal.fields, "restored": restored})

    def _restored(self, back: Json) -> list[str]:
        names = " and ".join(sorted(marks.components_in(back)))
        words = f"{names} {(back.get('Meta') or {}).get(marks.RELEASE, '')} runs again"
        version = self._register(again(back))["Version"]
        try:
            self._follow(version)
        except FenceLost:
            raise
        except Refused as worse:
            return [f"{words}, but {worse.detail}"]
        self._mark(version)
        return [words]


def _same_meta(one: Json, other: Json) -> bool:
    return bool((one.get("Meta") or {}) == (other.get("Meta") or {}))
