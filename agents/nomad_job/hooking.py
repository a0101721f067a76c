"""Hooks on Nomad: batch jobs of their own, one after the other, each registered once in a deployment and never run again by Nomad.

A hook's job stays until the next deployment. How far they are stands in the variable with the fence, for Nomad forgets dead jobs, and a job that
somebody has purged must not be taken for one that was never registered.
"""

import contextlib
import time
from typing import Final

from agents.cutting import READ, end_of
from agents.nomad_job import delivery, hook_job, judging, marks, reading, template
from agents.nomad_job.ground import Ground
from agents.nomad_job.marks import Json
from agents.nomad_job.reading import Place
from agents.nomad_job.server import Said, Server, Silent
from agents.secrets import Safe
from fairlead.contracts.target import ComponentSpec, SentFile, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, NotAllowed, Refused, Unavailable
from fairlead.domain.fence import Claim
from fairlead.domain.target_kinds.hooks import KEPT_LENGTH, KEPT_LINES, Hook, failed
from fairlead.ports import Beat, FailPoints

_PAUSE: Final = 0.2
BEGUN, ENDED = "begun", "ended"
"""What is said of a hook, once its job is known to have been registered, and once it ended well. Before that: when it was about to be, in seconds."""
SURE: Final = 900
"""For so many seconds Nomad surely keeps a job that has ended: what is not there then never arrived."""
_GONE: Final = "has been begun for this deployment already, and its job is gone"


class Hooks:
    """Those of one task. `printed`: what each printed, masked, by the name of a file."""

    def __init__(
        self,
        server: Server,
        ground: Ground,
        spec: TargetSpec,
        claim: Claim,
        beat: Beat,
        fail_points: FailPoints,
        safe: Safe,
    ) -> None:
        self._server, self._ground, self._spec, self._claim, self._beat = server, ground, spec, claim, beat
        self._fail_points, self._safe = fail_points, safe
        self.printed: dict[str, str] = {}

    def run(self, when: str, around: Json) -> None:
        """Run them in start order, around a job. Raises Refused (hook_failed)."""
        for component, hook in hook_job.all_of(self._spec):
            if hook.when == when:
                self._run(around, component, hook)

    def quiet(self) -> None:
        """End and forget what earlier deployments left."""
        number, states = self._ground.hooks()
        if number < self._claim.number and states:
            for hook in states:
                self._purge(marks.hook_job_id(self._spec, number, hook))
            self._ground.put_hooks(number, {}, self._claim)

    def forget_ended(self) -> None:
        """Forget those of which nothing runs, nor can come to run any more. What runs is left alone."""
        number, states = self._ground.hooks()
        for id in (marks.hook_job_id(self._spec, number, hook) for hook in states):
            job, places = self._server.job(id), reading.places(self._server.allocations(id))
            if job and marks.owns(self._spec, job) and all(place.over for place in places):
                self._ground.require(self._claim)
                self._server.deregister(id, purge=True)
                self._drop_secrets(id)

    @property
    def sent(self) -> tuple[SentFile, ...]:
        """What they printed, to be kept."""
        return tuple(SentFile(name=name, content=text) for name, text in self.printed.items())

    def _run(self, around: Json, component: ComponentSpec, hook: Hook) -> None:
        state, id = self._states().get(hook.id, ""), self._id(hook)
        job = self._job(id)
        if state == ENDED:
            self.printed |= {hook.log: self._words(place)} if job and (place := self._place(id)) else {}
            return
        if job is None:
            self._begin(around, component, hook, state)
        place = self._ended(hook, id)
        self._drop_secrets(id)
        self._judge(hook, place)
        self._note(hook, ENDED)

    # how far they are

    def _states(self) -> dict[str, str]:
        self._ground.require(self._claim)
        number, states = self._ground.hooks()
        return states if number == self._claim.number else {}

    def _note(self, hook: Hook, state: str) -> None:
        self._ground.put_hooks(self._claim.number, {**self._states(), hook.id: state}, self._claim)

    def _id(self, hook: Hook) -> str:
        return marks.hook_job_id(self._spec, self._claim.number, hook.id)

    # its job

    def _job(self, id: str) -> Json | None:
        job = self._server.job(id)
        if job is not None and not marks.owns(self._spec, job):
            raise Refused(
                Code.FOREIGN_WORKLOAD, f"a job named {id} is there, and is not one of ours", fields={"job": id}
            )
        return job

    def _begin(self, around: Json, component: ComponentSpec, hook: Hook, state: str) -> None:
        """Register it, if there is none: what was about to be registered just now and is not there never arrived."""
        if state == BEGUN or (state and time.time() > int(state) + SURE):
            raise self._failed(hook, None, _GONE)
        if not state:
            self._note(hook, str(int(time.time())))
        job = hook_job.render(around, self._spec, component, hook, self._claim)
        where = delivery.path_of(job["ID"])
        delivery.deliver_alone(self._server, where, component, self._safe, lambda: self._ground.require(self._claim))
        self._ground.require(self._claim)
        self._register(job)
        self._note(hook, BEGUN)
        self._fail_points.reach("after_hook_start")

    def _register(self, job: Json) -> None:
        """What becomes of a call that was refused or got no answer is read back."""
        try:
            self._server.register(job, 0)
        except (Said, Silent) as error:
            if self._job(job["ID"]) is not None:
                return
            problem = isinstance(error, Said) and self._server.validate(job)
            if problem:
                raise template.invalid(f"Nomad will not have the hook {job['Name']}: {problem}") from error
            raise

    def _ended(self, hook: Hook, id: str) -> Place:
        """Its allocation when that has ended. Its time begins when its task does; before that it is placed, and its image pulled."""
        until, runs = time.monotonic() + self._spec.healthy_deadline, False
        while True:
            self._beat()
            self._ground.require(self._claim)
            place = self._place(id)
            if place and place.over:
                return place
            if place is None and self._job(id) is None:
                raise self._failed(hook, None, _GONE)
            if place and place.started and not runs:
                until, runs = time.monotonic() + hook.timeout, True
            if time.monotonic() > until:
                raise self._late(hook, id, place, runs=runs)
            time.sleep(_PAUSE)

    def _late(self, hook: Hook, id: str, place: Place | None, *, runs: bool) -> Refused:
        if place is None:
            why = judging.unplaced(reading.why_unplaced(self._server.evaluations(id))).detail
            what = f"did not start: {why}"
        else:
            what = f"did not end within {hook.timeout:g} s" if runs else f"did not start: {place.words()}"
        self._stop(id)
        return self._failed(hook, self._place(id), what)

    def _place(self, id: str) -> Place | None:
        found = reading.places(self._server.allocations(id))
        return found[-1] if found else None

    # away with it

    def _stop(self, id: str) -> None:
        """Let it end, and see that it has."""
        self._ground.require(self._claim)
        self._server.deregister(id, purge=False)
        grace = max(component.config.stop_grace for component in self._spec.components)
        until = time.monotonic() + grace + 60
        while any(not place.over for place in reading.places(self._server.allocations(id))):
            self._beat()
            if time.monotonic() > until:
                raise Unavailable(Code.TARGET_UNREACHABLE, f"the hook {id} does not end")
            time.sleep(_PAUSE)

    def _purge(self, id: str) -> None:
        if self._job(id) is not None:
            self._stop(id)
            self._server.deregister(id, purge=True)
        self._drop_secrets(id)

    def _drop_secrets(self, id: str) -> None:
        """A token needs the right only where there are secrets."""
        with contextlib.suppress(NotAllowed):
            self._server.drop_variable(delivery.path_of(id))

    # what came of it

    def _judge(self, hook: Hook, place: Place) -> None:
        """By the exit code of its task, where that ended by itself."""
        code = place.exit_code
        self.printed[hook.log] = self._words(place)
        if code:
            raise self._failed(hook, place, f"ended with exit code {code}")
        if code is None or place.status != "complete":
            raise self._failed(hook, place, f"did not come to its end: {place.words() or place.status}")

    def _words(self, place: Place) -> str:
        """What it printed, then what it wrote as errors: Nomad keeps them apart."""
        try:
            streams = [(task, stream) for task in place.tasks for stream in ("stdout", "stderr")]
            said = "".join(self._server.log(place.id, task, stream, READ) for task, stream in streams)
        except FairleadError:  # who may run jobs may not always read logs
            return ""
        lines = self._safe.mask_output(said.strip()).splitlines()
        return end_of("\n".join(lines[-KEPT_LINES:]), KEPT_LENGTH)

    def _failed(self, hook: Hook, place: Place | None, what: str) -> Refused:
        """Whoever goes back adds the last words."""
        return failed(hook, what, self._words(place) if place else "")
