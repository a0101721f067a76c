"""The executor of Docker hosts (ports.Executor): containers on one engine, by digest."""

from agents.docker_host import container, images, labels
from agents.docker_host.engine import Engine
from agents.docker_host.fitness import facts_of
from agents.docker_host.ground import Ground
from agents.docker_host.hands import Hands, refuse_foreign
from agents.docker_host.hooking import forget_ended, images_of
from agents.docker_host.observation import named_first, observe_all
from agents.docker_host.placement import refuse_lacking, refuse_unsafe, seats
from agents.docker_host.ports import refuse_taken
from agents.docker_host.pruning import prune
from agents.docker_host.reaching import Opening, reach
from agents.docker_host.rollout import Rollout
from agents.handing import handed_over
from agents.secrets import opened, require_secrets
from fairlead.adapters.images import ImageStore
from fairlead.contracts.target import (
    SentFile,
    Sticker,
    TargetAddress,
    TargetObservation,
    TargetSpec,
)
from fairlead.domain.errors import FairleadError
from fairlead.domain.fence import Claim
from fairlead.domain.fitness import TargetFacts
from fairlead.ports import Beat, FailPoints, NoFailPoints, NoSecrets, Secrets

MAX_LOG = 64 * 1024


class DockerHost:
    """`images` is asked first what a registry serves, and why when the engine cannot pull it; `open` leads to the engine of an address."""

    def __init__(
        self,
        images: ImageStore,
        fail_points: FailPoints | None = None,
        secrets: Secrets | None = None,
        open: Opening | None = None,
    ) -> None:
        self._images, self._fail_points = images, fail_points or NoFailPoints()
        self._open = open or reach
        self._secrets = secrets or NoSecrets()

    def prepare(self, spec: TargetSpec, beat: Beat) -> None:
        """Look for foreign containers and taken ports, then pull every image by digest. Changes nothing that runs."""
        with self._open(spec) as engine:
            ground = Ground(engine, spec)
            ground.refuse_handed_over()
            refuse_unsafe(spec)
            for seat in seats(spec):
                refuse_foreign(engine, ground, labels.container_name(spec, *seat.slot))
            for component in spec.components:
                refuse_lacking(engine, spec, component)
                refuse_taken(engine, ground, component.name, container.published(component.config).keys())
            require_secrets(self._secrets, spec)
            self._pull(engine, spec, beat)

    def apply(self, spec: TargetSpec, claim: Claim, beat: Beat) -> tuple[SentFile, ...]:
        """Claim the target, then make it run the spec (ports.Executor.apply)."""
        with self._open(spec) as engine:
            refuse_unsafe(spec)
            Ground(engine, spec).refuse_handed_over()
            if not spec.is_rollback:
                engine.require_room()
            ground = self._claimed(engine, spec, claim)
            self._pull(engine, spec, beat)
            with opened(self._secrets, spec) as safe:
                printed = Rollout(engine, spec, claim, beat, self._fail_points, safe).run()
            ground.forget_lower(claim)
            prune(engine, ground, Hands(engine, ground, spec, claim, beat), spec, claim)
            return (*container.sent(spec, claim, bridge=engine.has_bridge()), *printed)

    def observe(self, address: TargetAddress) -> TargetObservation:
        """What really runs, by the engine's word and a probe now. An engine that does not let us in is not reachable either."""
        try:
            with self._open(address) as engine:
                ground = Ground(engine, address)
                if ground.is_handed_over():
                    return TargetObservation(target=address.target, reachable=True, detail=handed_over(address).detail)
                components = observe_all(engine, ground.boxes())
                fence = max(ground.claims(), default=None)
        except FairleadError as error:
            return TargetObservation(target=address.target, reachable=False, detail=error.detail)
        return TargetObservation(
            target=address.target, reachable=True, fence=str(fence) if fence else None, components=components
        )

    def check(self, address: TargetAddress) -> TargetFacts:
        """Have the engine tell of itself (ports.Checks)."""
        with self._open(address) as engine:
            return facts_of(engine)

    def logs(self, address: TargetAddress, component: str, lines: int) -> str:
        """The end of what the component's container printed, both streams as they came."""
        with self._open(address) as engine:
            boxes = named_first(Ground(engine, address).boxes(component))
            return "\n".join(engine.last_words(box.id, lines, MAX_LOG) for box in boxes)

    def retire(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """Stop and remove what we made there; the claim stays, so that lower ones are refused for ever."""
        with self._open(spec) as engine:
            Ground(engine, spec).refuse_handed_over()
            ground = self._claimed(engine, spec, claim)
            with opened(self._secrets, spec) as safe:
                Rollout(engine, spec, claim, beat, self._fail_points, safe).take_down()
            ground.remove_stickers()
            ground.forget_images()
            ground.forget_lower(claim)

    def hand_over(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """Leave a mark in the place of claims and sticker. Nobody can change the labels of containers: the mark says that they are void."""
        with self._open(spec) as engine:
            ground = self._claimed(engine, spec, claim)
            forget_ended(ground, Hands(engine, ground, spec, claim, beat))
            ground.mark_handed_over(claim)
            self._fail_points.reach("after_mark")
            ground.let_go(claim)

    def read_sticker(self, address: TargetAddress) -> Sticker | None:
        """The record on the target."""
        with self._open(address) as engine:
            return Ground(engine, address).sticker()

    def write_sticker(self, address: TargetAddress, sticker: Sticker, claim: Claim) -> None:
        """Leave the record."""
        with self._open(address) as engine:
            Ground(engine, address).put_sticker(sticker, claim)

    def _claimed(self, engine: Engine, spec: TargetSpec, claim: Claim) -> Ground:
        ground = Ground(engine, spec)
        ground.stake(claim, spec.deployment)
        self._fail_points.reach("after_claim")
        return ground

    def _pull(self, engine: Engine, spec: TargetSpec, beat: Beat) -> None:
        """Have every image there, before the first change."""
        for component in (*spec.components, *images_of(spec)):
            beat()
            images.bring(engine, self._images, component, beat)
