"""The executor of Nomad jobs (ports.Executor): one job for each target, its images by digest, followed to the end by us."""

import json
import time
from typing import Final

from agents.nomad_job import forecast, hook_job, judging, looking, marks, template
from agents.nomad_job.connecting import connect
from agents.nomad_job.fitness import facts_of
from agents.nomad_job.ground import Ground
from agents.nomad_job.marks import Json
from agents.nomad_job.reading import places, present
from agents.nomad_job.server import Said, Server
from agents.nomad_job.work import Work
from agents.secrets import opened, require_secrets
from fairlead.adapters.images import ImageStore
from fairlead.contracts.target import SentFile, Sticker, TargetAddress, TargetObservation, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Refused, Unavailable
from fairlead.domain.fence import Claim
from fairlead.domain.fitness import TargetFacts
from fairlead.domain.forecast import Forecast
from fairlead.ports import Beat, FailPoints, NoFailPoints, NoSecrets, Secrets

MAX_LOG: Final = 64 * 1024
_PAUSE: Final = 0.2
_ENDING: Final = 5
_LAYOUT: Final = "oci-layout:"
_NOBODY: Final = Claim(1, 1)
"""Whose name stands in a job that is only tried."""


class NomadJob:
    """`images` is asked whether the digests are there: the nodes pull only when the old ones have been stopped already."""

    def __init__(
        self, images: ImageStore, fail_points: FailPoints | None = None, secrets: Secrets | None = None
    ) -> None:
        self._images, self._fail_points = images, fail_points or NoFailPoints()
        self._secrets = secrets or NoSecrets()

    def prepare(self, spec: TargetSpec, beat: Beat) -> None:
        """Ask for every image, then let Nomad validate and plan the job. Changes nothing."""
        with connect(spec, self._secrets) as server:
            Ground(server, spec).job()
            Ground(server, spec).refuse_handed_over()
            require_secrets(self._secrets, spec)
            self._require_images(spec, beat)
            job = template.job_of(server, spec, _NOBODY)
            for component, hook in hook_job.all_of(spec):
                _require_valid(server, hook_job.render(job, spec, component, hook, _NOBODY))
            _require_places(server, spec, job, beat)

    def apply(self, spec: TargetSpec, claim: Claim, beat: Beat) -> tuple[SentFile, ...]:
        """Claim the target, then make it run the spec (ports.Executor.apply)."""
        with connect(spec, self._secrets) as server:
            Ground(server, spec).refuse_handed_over()
            self._claim(server, spec, claim)
            with opened(self._secrets, spec) as safe:
                work = Work(server, spec, claim, beat, self._fail_points, safe)
                return (_sent(work.run()), *work.hooks.sent)

    def observe(self, address: TargetAddress) -> TargetObservation:
        """What really runs, by Nomad's word, which asks its nodes."""
        try:
            with connect(address, self._secrets) as server:
                ground = Ground(server, address)
                ground.refuse_handed_over()
                components, fence = looking.compared(server, ground, looking.look(server, ground)), ground.claim()
        except (Unavailable, Refused) as error:
            foreign = error.code == Code.FOREIGN_WORKLOAD
            return TargetObservation(target=address.target, reachable=foreign, detail=error.detail)
        return TargetObservation(
            target=address.target, reachable=True, fence=str(fence) if fence else None, components=components
        )

    def check(self, address: TargetAddress) -> TargetFacts:
        """Have the cluster tell of itself (ports.Checks)."""
        with connect(address, self._secrets) as server:
            Ground(server, address).sticker()
            return facts_of(server)

    def forecast(self, spec: TargetSpec) -> Forecast:
        """What Nomad itself says that registering the job would do (ports.Forecasts)."""
        with connect(spec, self._secrets) as server:
            ground = Ground(server, spec)
            ground.job()
            ground.refuse_handed_over()
            return forecast.told(ground.id, _planned(server, template.job_of(server, spec, _NOBODY)))

    def logs(self, address: TargetAddress, component: str, lines: int) -> str:
        """The end of what the component's newest allocation printed: what it wrote as errors, then the rest, for Nomad keeps them apart."""
        with connect(address, self._secrets) as server:
            ground = Ground(server, address)
            task = marks.components_in(ground.job() or {}).get(component, {}).get("task")
            here = present(places(server.allocations(ground.id))) if task else []
            if not task or not here:
                return ""
            streams = [server.log(here[-1].id, task, kind, MAX_LOG // 2).splitlines() for kind in ("stderr", "stdout")]
            return _tail(streams[0], streams[1], lines)

    def retire(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """Stop the job and forget it; the claim stays, so that lower ones are refused for ever."""
        with connect(spec, self._secrets) as server:
            Ground(server, spec).refuse_handed_over()
            ground = self._claim(server, spec, claim)
            with opened(self._secrets, spec) as safe:
                Work(server, spec, claim, beat, self._fail_points, safe).take_down()
            ground.put_sticker(None, claim)

    def hand_over(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """The variable says so. The job's meta stays as it is, since to change it is to replace every allocation. Ended hooks go."""
        with connect(spec, self._secrets) as server:
            ground = self._claim(server, spec, claim)
            with opened(self._secrets, spec) as safe:
                Work(server, spec, claim, beat, self._fail_points, safe).hooks.forget_ended()
            ground.hand_over(claim)

    def read_sticker(self, address: TargetAddress) -> Sticker | None:
        """The record on the target."""
        with connect(address, self._secrets) as server:
            return Ground(server, address).sticker()

    def write_sticker(self, address: TargetAddress, sticker: Sticker, claim: Claim) -> None:
        """Leave the record."""
        with connect(address, self._secrets) as server:
            Ground(server, address).put_sticker(sticker, claim)

    def _claim(self, server: Server, spec: TargetSpec, claim: Claim) -> Ground:
        ground = Ground(server, spec)
        ground.job()
        ground.stake(claim, spec.deployment)
        self._fail_points.reach("after_claim")
        return ground

    def _require_images(self, spec: TargetSpec, beat: Beat) -> None:
        """Raise Refused (digest_not_found, digest_mismatch) or Unavailable for an image that no node could pull.

        Going back asks no registry: the nodes most likely have it still.
        """
        for component in spec.components:
            beat()
            if component.config.repository.startswith(_LAYOUT):
                detail = f"{component.config.repository}: Nomad's nodes take images from a registry, not from an image layout"
                raise BadInput(Code.NOT_SUPPORTED_YET, detail)
            if not spec.is_rollback:
                self._images.fetch_manifest(component.config.repository, component.digest)
        for repository, digest in () if spec.is_rollback else hook_job.images_of(spec):
            beat()
            self._images.fetch_manifest(repository, digest)


def _require_valid(server: Server, job: Json) -> None:
    problem = server.validate(job)
    if problem:
        raise template.invalid(f"Nomad will not have the job: {problem}")


def _require_places(server: Server, spec: TargetSpec, job: Json, beat: Beat) -> None:
    """Raise Refused (placement_failed, port_taken). What of ours is stopping still has its ports: it is awaited."""
    grace = max((component.config.stop_grace for component in spec.components), default=0)
    until = time.monotonic() + grace + _ENDING
    while failed := _planned(server, job).get("FailedTGAllocs"):
        ending = any(not place.stays and not place.over for place in places(server.allocations(job["ID"])))
        if not ending or time.monotonic() > until:
            raise judging.unplaced(failed)
        beat()
        time.sleep(_PAUSE)


def _planned(server: Server, job: Json) -> Json:
    """What registering it would do. Raises Refused (job_invalid)."""
    _require_valid(server, job)
    try:
        return server.plan(job)
    except Said as no:
        raise template.invalid(f"Nomad will not have the job: {no.text}") from no


def _sent(job: Json) -> SentFile:
    return SentFile(name=f"{job['ID']}.nomad.json", content=json.dumps({"Job": job}, indent=2, sort_keys=True) + "\n")


def _tail(errors: list[str], printed: list[str], lines: int) -> str:
    """At most so many lines of both, of each at least half of them where it has that many."""
    most = max(lines // 2, lines - len(printed))
    kept = errors[-most:] if most else []
    rest = max(lines - len(kept), 0)
    return "\n".join([*kept, *(printed[-rest:] if rest else [])])
