"""The executor of ECS services (ports.Executor): one service for each target, its images by digest, followed to the end by us."""

import contextlib
import json
from collections.abc import Iterator
from typing import Final

from agents.ecs_service import addresses, delivery, document, forecast, hook_task, logs, reading
from agents.ecs_service.access import Access, Place
from agents.ecs_service.addresses import Addresses
from agents.ecs_service.checking import validate
from agents.ecs_service.cluster import Cluster, Definitions
from agents.ecs_service.fitness import facts_of
from agents.ecs_service.ground import Ground, claims_on
from agents.ecs_service.looking import Look
from agents.ecs_service.marks import Address, Json
from agents.ecs_service.sameness import asked
from agents.ecs_service.work import Work
from agents.probe import probe
from agents.secrets import opened, require_secrets
from fairlead.adapters.images import ImageStore
from fairlead.contracts.target import SentFile, Sticker, TargetAddress, TargetObservation, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, FairleadError, NotAllowed, Refused, Unavailable
from fairlead.domain.fence import Claim, require_highest
from fairlead.domain.fitness import TargetFacts
from fairlead.domain.forecast import Forecast
from fairlead.ports import Beat, FailPoints, NoFailPoints, NoSecrets, Secrets

MAX_LOG: Final = 64 * 1024
_LAYOUT: Final = "oci-layout:"
_NOBODY: Final = Claim(1, 1)
"""Whose name stands in what is only tried."""
_ARCHITECTURES: Final = {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}


class EcsService:
    """`images` is asked whether the digests are there: ECS pulls only when it is too late to refuse."""

    def __init__(
        self,
        images: ImageStore,
        fail_points: FailPoints | None = None,
        secrets: Secrets | None = None,
        access: Access | None = None,
    ) -> None:
        self._images, self._fail_points = images, fail_points or NoFailPoints()
        self._secrets = secrets or NoSecrets()
        self._access, self._known, self._addresses = access or Access(), Definitions(), Addresses()

    def prepare(self, spec: TargetSpec, beat: Beat) -> None:
        """Look for a foreign service and taken ports, for every image and secret, and whether AWS knows all that is asked. Changes nothing."""
        with self._connected(spec) as cluster:
            place = cluster.place
            validate("RegisterTaskDefinition", document.definition(spec, _NOBODY, place, {}))
            for component, hook in hook_task.all_of(spec):
                validate("RegisterTaskDefinition", hook_task.definition(spec, component, hook, _NOBODY, place, {}))
            validate("CreateService", {"serviceName": cluster.name, **document.service(spec)})
            delivery.require_reader(spec)
            self._refuse_taken(cluster, spec, Ground(cluster, spec).service())
            require_secrets(self._secrets, spec)
            self._require_images(spec, beat)

    def apply(self, spec: TargetSpec, claim: Claim, beat: Beat) -> tuple[SentFile, ...]:
        """Claim the target, then make it run the spec (ports.Executor.apply)."""
        with self._connected(spec) as cluster, opened(self._secrets, spec) as safe:
            work = Work(cluster, spec, claim, beat, self._fail_points, safe, self._looking(cluster))
            service = work.stake() or {}
            return (*_sent(cluster, spec, work.run(service)), *work.hooks.sent)

    def observe(self, address: TargetAddress) -> TargetObservation:
        """What really runs, by ECS's word and a probe now."""
        try:
            with self._connected(address) as cluster:
                service = Ground(cluster, address).service()
                running = reading.tasks(cluster.tasks()) if service else []
                short = service is not None and len(running) < service["desiredCount"]
                stopped = reading.tasks(cluster.tasks(stopped=True)) if short else []
                components = Look(cluster, self._addresses).at(service, running, stopped)
                fence = max(claims_on(service), default=None) if service else None
        except (Unavailable, Refused) as error:
            foreign = error.code == Code.FOREIGN_WORKLOAD
            return TargetObservation(target=address.target, reachable=foreign, detail=error.detail)
        return TargetObservation(
            target=address.target, reachable=True, fence=str(fence) if fence else None, components=components
        )

    def check(self, address: TargetAddress) -> TargetFacts:
        """Have ECS tell of the cluster (ports.Checks)."""
        with self._connected(address) as cluster:
            Ground(cluster, address).service()
            return facts_of(cluster)

    def forecast(self, spec: TargetSpec) -> Forecast:
        """What would be asked for beside what is (ports.Forecasts)."""
        with self._connected(spec) as cluster:
            service = Ground(cluster, spec).service()
            wanted = document.definition(spec, _NOBODY, cluster.place, {})
            found = cluster.held(reading.arn_of(service)) if service else None
            return Forecast(
                tuple(forecast.lines(spec, cluster.name, service, wanted, found)),
                self._hindrance(cluster, spec, service),
            )

    def logs(self, address: TargetAddress, component: str, lines: int) -> str:
        """The end of what the component's newest task printed, where it logs to CloudWatch Logs."""
        with self._connected(address) as cluster:
            if Ground(cluster, address).service() is None:
                return ""
            here = reading.tasks(cluster.tasks()) or reading.tasks(cluster.tasks(stopped=True))
            printed = logs.of_task(cluster, here[-1], component, lines) if here else []
            text = "\n".join(printed[-lines:] if lines else []).encode()[-MAX_LOG:]
            return text.decode(errors="ignore")

    def retire(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """Stop all tasks, forget what was registered; the empty service stays with the claim, so that lower ones are refused for ever."""
        with self._connected(spec) as cluster, opened(self._secrets, spec) as safe:
            work = Work(cluster, spec, claim, beat, self._fail_points, safe, self._looking(cluster))
            if work.stake(make=False):
                work.take_down()
                work.clean_up()

    def hand_over(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """Take our tags off the service, but for one that says so; its task definition stays, and what that reads."""
        with self._connected(spec) as cluster, opened(self._secrets, spec) as safe:
            ground = Ground(cluster, spec)
            if handed := ground.handed_over():
                require_highest(claim, handed)
                return
            work = Work(cluster, spec, claim, beat, self._fail_points, safe, self._looking(cluster))
            service = work.stake(make=False)
            if service is not None:
                work.forget_hooks()
                ground.mark_handed_over(claim, service)
                self._fail_points.reach("after_mark")
                ground.let_go(ground.ours())

    def read_sticker(self, address: TargetAddress) -> Sticker | None:
        """The record on the target."""
        with self._connected(address) as cluster:
            return Ground(cluster, address).sticker()

    def write_sticker(self, address: TargetAddress, sticker: Sticker, claim: Claim) -> None:
        """Leave the record."""
        with self._connected(address) as cluster:
            Ground(cluster, address).put_sticker(sticker, claim)

    @contextlib.contextmanager
    def _connected(self, address: Address) -> Iterator[Cluster]:
        try:
            yield Cluster(self._access, address, self._known)
        except FairleadError as error:
            if isinstance(error, NotAllowed) or error.code == Code.TARGET_DENIED:
                self._access.forget(Place.of(address))
            raise

    def _looking(self, cluster: Cluster) -> Look:
        return Look(cluster, self._addresses, probe)

    def _hindrance(self, cluster: Cluster, spec: TargetSpec, service: Json | None) -> Refused | None:
        """The first that prepare would refuse, as far as ECS alone can say."""
        try:
            delivery.require_reader(spec)
            self._refuse_taken(cluster, spec, service)
        except Refused as refusal:
            return refusal
        return None

    def _refuse_taken(self, cluster: Cluster, spec: TargetSpec, service: Json | None) -> None:
        """Raise Refused (port_taken) where no instance of the cluster has the ports free, as far as ECS knows. Our own make room."""
        wanted = document.host_ports(spec)
        instances = cluster.instances() if wanted else []
        tasks = reading.tasks(cluster.tasks()) if service and instances else []
        asked = {task.definition for task in tasks} | ({reading.arn_of(service)} if service else set())
        own = {port for arn in asked for port in addresses.host_ports(cluster.definition(arn))}
        lacking = addresses.taken(wanted - own, instances)
        if lacking:
            ports = ", ".join(str(port) for port in sorted(lacking))
            raise Refused(Code.PORT_TAKEN, f"no instance of the cluster {cluster.cluster} has the port {ports} free")

    def _require_images(self, spec: TargetSpec, beat: Beat) -> None:
        """Raise Refused (digest_not_found, digest_mismatch, platform_missing) or Unavailable for an image that no task could run.

        Going back asks no registry: the instances may have it still.
        """
        for component in (*spec.components, *hook_task.images_of(spec)):
            beat()
            if component.config.repository.startswith(_LAYOUT):
                detail = f"{component.config.repository}: ECS takes images from a registry, not from an image layout"
                raise BadInput(Code.NOT_SUPPORTED_YET, detail)
            if spec.is_rollback:
                continue
            self._images.fetch_manifest(component.config.repository, component.digest)
            _require_platform(spec, component.name, component.platforms)


def _require_platform(spec: TargetSpec, name: str, platforms: dict[str, str]) -> None:
    said = spec.options.get("definition", {}).get("runtimePlatform", {})
    wanted = _ARCHITECTURES.get(str(said.get("cpuArchitecture", "")))
    if wanted and platforms and wanted not in platforms:
        has = ", ".join(sorted(platforms))
        raise Refused(
            Code.PLATFORM_MISSING, f"{name} has nothing for {wanted}, which the target asks for; it has {has}"
        )


def _sent(cluster: Cluster, spec: TargetSpec, definition: Json) -> tuple[SentFile, ...]:
    """As `aws ecs ... --cli-input-json` takes them."""
    service = {"cluster": cluster.cluster, "serviceName": cluster.name, **document.service(spec)}
    named = {"task-definition": asked(definition), "service": service}
    return tuple(
        SentFile(name=f"{cluster.name}.{kind}.json", content=_text(content)) for kind, content in named.items()
    )


def _text(content: Json) -> str:
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
