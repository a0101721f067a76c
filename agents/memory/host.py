"""The executor on targets in memory (ports.Executor)."""

from agents.handing import handed_over
from agents.memory.work import Work
from agents.memory.world import Address, Instance, Place, World, ports_of
from agents.secrets import opened, require_secrets
from fairlead.contracts.target import (
    ComponentObservation,
    SentFile,
    Sticker,
    TargetAddress,
    TargetObservation,
    TargetSpec,
)
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable
from fairlead.domain.fence import Claim, require_highest
from fairlead.domain.forecast import Forecast
from fairlead.ports import Beat, FailPoints, NoFailPoints, NoSecrets, Secrets


class MemoryHost:
    """ports.Executor on a World."""

    def __init__(self, world: World, fail_points: FailPoints | None = None, secrets: Secrets | None = None) -> None:
        self._world, self._fail_points = world, fail_points or NoFailPoints()
        self._secrets = secrets or NoSecrets()

    def prepare(self, spec: TargetSpec, beat: Beat) -> None:
        """Check digests and ports; change nothing."""
        place = self._ours(spec)
        for component in spec.components:
            beat()
            if lacking := self._world.lacking.get(component.digest):
                raise Refused(lacking, f"there is nothing for {component.digest}")
            if component.digest in self._world.altered:
                raise Refused(Code.DIGEST_MISMATCH, f"other bytes than {component.digest} stands for are served")
            taken = ports_of(component) & (self._world.occupied | self._others_ports(place))
            if taken:
                raise Refused(Code.PORT_TAKEN, f"port {min(taken)} is taken", fields={"port": min(taken)})
        require_secrets(self._secrets, spec)

    def apply(self, spec: TargetSpec, claim: Claim, beat: Beat) -> tuple[SentFile, ...]:
        """Claim the target, then make it run the spec (ports.Executor.apply)."""
        place = self._claimed(self._ours(spec), claim)
        if place.refuses:
            raise Refused(place.refuses, f"{spec.target} was told to refuse")
        with opened(self._secrets, spec) as safe:
            Work(self._world, place, spec, claim, beat, self._fail_points, safe).run()
        place.claims -= {lower for lower in place.claims if lower < claim}
        return (SentFile(name=f"{spec.target}.json", content=spec.model_dump_json()),)

    def logs(self, address: TargetAddress, component: str, lines: int) -> str:
        """What instances in memory print: that they listen."""
        running = [i for i in self._reach(address).instances if i.spec.name == component and i.running]
        return "\n".join(["listening"] * len(running))

    def observe(self, address: TargetAddress) -> TargetObservation:
        """What runs, by the world's word."""
        try:
            place = self._reach(address)
        except Unavailable as error:
            return TargetObservation(target=address.target, reachable=False, detail=error.detail)
        if place.is_handed_over:
            return TargetObservation(target=address.target, reachable=True, detail=handed_over(address).detail)
        with self._world.lock:
            shown = {i.spec.name: i for i in sorted(place.instances, key=lambda i: not i.parked)}
            seen = tuple(_observed(i) for _, i in sorted(shown.items()))
            fence = max(place.claims, default=None)
        return TargetObservation(
            target=address.target, reachable=True, fence=str(fence) if fence else None, components=seen
        )

    def forecast(self, spec: TargetSpec) -> Forecast:
        """What a new claim would do with what runs (ports.Forecasts)."""
        there = {instance.spec.name for instance in self._ours(spec).instances}
        wanted = [component.name for component in spec.components]
        lines = [f"{name} is {'replaced' if name in there else 'new'}" for name in wanted]
        return Forecast((*lines, *(f"{name} goes" for name in sorted(there - {*wanted}))))

    def retire(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """Remove what runs there; the claim stays."""
        place = self._claimed(self._ours(spec), claim)
        Work(self._world, place, spec, claim, beat, self._fail_points).remove(list(place.instances))
        place.sticker = None

    def hand_over(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """Forget the claims and the sticker; what runs stays."""
        place = self._claimed(self._reach(spec), claim)
        with self._world.lock:
            place.handed_over, place.sticker = claim, None
            place.claims.clear()

    def read_sticker(self, address: TargetAddress) -> Sticker | None:
        """The record on the target."""
        place = self._reach(address)
        return place.sticker[1] if place.sticker else None

    def write_sticker(self, address: TargetAddress, sticker: Sticker, claim: Claim) -> None:
        """Leave the record."""
        place = self._reach(address)
        with self._world.lock:
            require_highest(claim, place.laid)
            place.sticker = (claim, sticker)

    def _claimed(self, place: Place, claim: Claim) -> Place:
        with self._world.lock:
            require_highest(claim, place.laid)
            place.claims.add(claim)
        self._fail_points.reach("after_claim")
        return place

    def _ours(self, spec: TargetSpec) -> Place:
        place = self._reach(spec)
        if place.is_handed_over:
            raise handed_over(spec)
        return place

    def _reach(self, address: Address) -> Place:
        place = self._world.place(address)
        if place.unreachable or address.endpoint == "memory:nowhere":
            raise Unavailable(Code.TARGET_UNREACHABLE, f"{address.target} does not answer")
        return place

    def _others_ports(self, place: Place) -> set[int]:
        others = (p for p in self._world.places.values() if p is not place and p.endpoint == place.endpoint)
        return {port for other in others for i in other.instances if i.running for port in i.ports}


def _observed(instance: Instance) -> ComponentObservation:
    health, words = instance.health
    digest = next(iter(instance.spec.platforms.values()), instance.spec.digest)
    return ComponentObservation(
        name=instance.spec.name,
        health=health,
        digest=None if instance.nameless else digest,
        config=instance.spec.config_digest,
        release=instance.release,
        fence=str(instance.claim),
        instance=instance.id,
        created=instance.created,
        since=instance.started,
        restarts=instance.restarts,
        detail=words,
    )
