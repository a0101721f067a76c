"""The executor of Compose hosts (ports.Executor): the team's compose file on one engine, every image by digest, stop-first."""

from agents.compose_host import forecast, images, locking
from agents.compose_host.health import look
from agents.compose_host.kept import Kept
from agents.compose_host.locking import Lock
from agents.compose_host.plugin import Compose, Project
from agents.compose_host.project import Ours, called
from agents.compose_host.rollout import Rollout
from agents.docker_host.engine import Engine, connect
from agents.docker_host.fitness import facts_of
from agents.docker_host.ground import Ground
from agents.docker_host.hands import Hands
from agents.docker_host.hooking import forget_ended
from agents.docker_host.observation import named_first, observe
from agents.handing import handed_over
from agents.secrets import opened, require_secrets
from fairlead.adapters.images import ImageStore
from fairlead.contracts.target import SentFile, Sticker, TargetAddress, TargetObservation, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.compose.stack import LOCK
from fairlead.domain.errors import BadInput, Refused, Unavailable
from fairlead.domain.fence import Claim
from fairlead.domain.fitness import TargetFacts
from fairlead.domain.forecast import Forecast
from fairlead.domain.health import Health
from fairlead.ports import Beat, FailPoints, NoFailPoints, NoSecrets, Secrets

MAX_LOG = 64 * 1024
_TRIAL = Claim(1, 1)


class ComposeHost:
    """`images` is asked first what a registry serves; `compose` makes and starts what is missing."""

    def __init__(
        self,
        images: ImageStore,
        compose: Compose,
        fail_points: FailPoints | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        self._images, self._compose = images, compose
        self._fail_points, self._secrets = fail_points or NoFailPoints(), secrets or NoSecrets()

    def prepare(self, spec: TargetSpec, beat: Beat) -> None:
        """Make the lock and have Compose read it, look for foreign containers and taken ports, pull every image by digest.

        Changes nothing that runs.
        """
        lock = locking.make(spec, _TRIAL)
        self._validate(spec, lock, beat)
        with connect(spec.endpoint) as engine:
            ours = Ours(engine, spec)
            ours.ground.refuse_handed_over()
            ours.refuse_foreign(lock)
            ours.refuse_taken_ports(lock)
            require_secrets(self._secrets, spec)
            images.bring(engine, self._images, spec, lock, beat)

    def apply(self, spec: TargetSpec, claim: Claim, beat: Beat) -> tuple[SentFile, ...]:
        """Claim the target, then make it run the spec (ports.Executor.apply)."""
        lock = locking.make(spec, claim)
        with connect(spec.endpoint) as engine:
            Ground(engine, spec).refuse_handed_over()
            if not spec.is_rollback:
                engine.require_room()
            ground = self._claimed(engine, spec, claim)
            images.bring(engine, self._images, spec, lock, beat)
            with opened(self._secrets, spec) as safe:
                printed = Rollout(engine, self._compose, spec, claim, safe, beat, self._fail_points).run(lock)
            ground.forget_lower(claim)
            return (SentFile(name=LOCK, content=lock.text), *printed)

    def observe(self, address: TargetAddress) -> TargetObservation:
        """What really runs, by the engine's word and a probe now. Services that are no component are told of when they are not well."""
        try:
            with connect(address.endpoint) as engine:
                ours = Ours(engine, address)
                if ours.ground.is_handed_over():
                    return TargetObservation(target=address.target, reachable=True, detail=handed_over(address).detail)
                boxes = ours.boxes()
                components = tuple(observe(engine, box, look) for box in named_first(b for b in boxes if b.component))
                others = [(called(box), *look(box, None)) for box in boxes if not box.component]
                fence = max(ours.ground.claims(), default=None)
        except Unavailable as error:
            return TargetObservation(target=address.target, reachable=False, detail=error.detail)
        unwell = [f"{name}: {words}" for name, health, words in others if health != Health.HEALTHY]
        return TargetObservation(
            target=address.target,
            reachable=True,
            fence=str(fence) if fence else None,
            components=components,
            detail="; ".join(unwell) or None,
        )

    def check(self, address: TargetAddress) -> TargetFacts:
        """Have the engine tell of itself (ports.Checks)."""
        with connect(address.endpoint) as engine:
            return facts_of(engine)

    def forecast(self, spec: TargetSpec) -> Forecast:
        """What would become of each service (ports.Forecasts)."""
        lock = locking.make(spec, _TRIAL)
        with connect(spec.endpoint) as engine:
            ours = Ours(engine, spec)
            ours.ground.refuse_handed_over()
            lines = tuple(forecast.lines(lock, Kept(engine, ours.ground, spec).lock(), ours.boxes()))
            try:
                ours.refuse_foreign(lock)
                ours.refuse_taken_ports(lock)
            except Refused as refusal:
                return Forecast(lines, refusal)
        return Forecast(lines)

    def logs(self, address: TargetAddress, component: str, lines: int) -> str:
        """The end of what the component's container printed, both streams as they came."""
        with connect(address.endpoint) as engine:
            boxes = Ground(engine, address).boxes(component)
            return "\n".join(engine.last_words(box.id, lines, MAX_LOG) for box in boxes)

    def retire(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """Stop and remove what we made there but for named volumes; the claim stays, so that lower ones are refused for ever."""
        with connect(spec.endpoint) as engine:
            Ground(engine, spec).refuse_handed_over()
            ground = self._claimed(engine, spec, claim)
            with opened(self._secrets, spec) as safe:
                Rollout(engine, self._compose, spec, claim, safe, beat, self._fail_points).take_down()
            ground.remove_stickers()
            ground.forget_lower(claim)

    def hand_over(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """As on a Docker host; the lock that was kept goes too."""
        with connect(spec.endpoint) as engine:
            ground = self._claimed(engine, spec, claim)
            forget_ended(ground, Hands(engine, ground, spec, claim, beat))
            ground.mark_handed_over(claim)
            self._fail_points.reach("after_mark")
            Kept(engine, ground, spec).remove()
            ground.let_go(claim)

    def read_sticker(self, address: TargetAddress) -> Sticker | None:
        """The record on the target."""
        with connect(address.endpoint) as engine:
            return Ground(engine, address).sticker()

    def write_sticker(self, address: TargetAddress, sticker: Sticker, claim: Claim) -> None:
        """Leave the record."""
        with connect(address.endpoint) as engine:
            Ground(engine, address).put_sticker(sticker, claim)

    def _claimed(self, engine: Engine, spec: TargetSpec, claim: Claim) -> Ground:
        ground = Ground(engine, spec)
        ground.stake(claim, spec.deployment)
        self._fail_points.reach("after_claim")
        return ground

    def _validate(self, spec: TargetSpec, lock: Lock, beat: Beat) -> None:
        """Have Compose itself read the lock, with nothing in the place of secrets."""
        trial = Project(lock.name, spec.endpoint, lock.text, dict.fromkeys(lock.variables(), "unknown"))
        ended = self._compose.validate(trial, beat)
        if ended.code:
            raise BadInput(Code.COMPOSE_REFUSED, f"Docker Compose does not take the file: {ended.words}")
