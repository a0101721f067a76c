"""Which version of a job a claim asks for: the one that stands, a verified one to go back to, or none that is there."""

from agents.nomad_job import document, looking, marks
from agents.nomad_job.ground import Ground
from agents.nomad_job.marks import Json
from agents.nomad_job.server import Server
from agents.nomad_job.versions import again, altered, last_marked, marked
from fairlead.contracts.target import TargetSpec
from fairlead.domain.fence import Claim, may_adopt
from fairlead.domain.health import Health


class Choosing:
    """For one claim."""

    def __init__(self, server: Server, ground: Ground, spec: TargetSpec, claim: Claim) -> None:
        self._server, self._ground, self._spec, self._claim = server, ground, spec, claim

    def adoptable(self) -> Json | None:
        """The job as it stands, where it is as asked and may be kept."""
        job = self._ground.job()
        if job is None or job.get("Stop") or not self._fits(job):
            return None
        made_by = marks.claim_in(job)
        if made_by is None or not may_adopt(self._claim, made_by, is_rollback=self._spec.is_rollback):
            return None
        if made_by.number == self._claim.number:
            return job
        return job if self.all_healthy() and not self._is_altered() else None

    def earlier(self) -> Json | None:
        """For a rollback the verified version that is as asked: what still runs of it is not touched when it is registered just as it was."""
        if not self._spec.is_rollback:
            return None
        fitting = [v for v in marked(self._server.versions(self._ground.id)) if self._fits(v)]
        return again(fitting[0]) if fitting else None

    def _fits(self, job: Json) -> bool:
        """By its meta, and by the images that it names: meta can be left by hand as it was."""
        tasks = {task["Name"]: task for group in job["TaskGroups"] for task in group.get("Tasks") or []}
        said = marks.components_in(job)
        return said.keys() == {component.name for component in self._spec.components} and all(
            (said[c.name].get("digest"), said[c.name].get("config")) == (c.digest, c.config_digest)
            and (tasks.get(said[c.name].get("task", ""), {}).get("Config") or {}).get("image") == document.reference(c)
            for c in self._spec.components
        )

    def _is_altered(self) -> bool:
        return bool(altered(self._server.versions(self._ground.id), self._ground.sticker()))

    def all_healthy(self) -> bool:
        seen = looking.look(self._server, self._ground)
        return bool(seen) and all(component.health == Health.HEALTHY for component in seen)

    def last_good(self) -> Json | None:
        """The version with our highest mark; where no mark is left, Nomad's newest stable one of another number."""
        versions = [
            v for v in self._server.versions(self._ground.id) if marks.owns(self._spec, v) and not v.get("Stop")
        ]
        stable = (v for v in versions if v.get("Stable") and not self.made_here(v))
        return last_marked(versions) or next(stable, None)

    def made_here(self, version: Json) -> bool:
        made_by = marks.claim_in(version)
        return made_by is not None and made_by.number == self._claim.number
