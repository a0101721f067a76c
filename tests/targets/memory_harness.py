"""The in-memory executor, put through the same behaviours as the real ones."""

import contextlib
from collections.abc import Iterator, Mapping

from agents.memory import MemoryHost, World
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.target import TargetAddress
from fairlead.domain.codes import Code
from fairlead.ports import FailPoints, Secrets
from tests.targets.harness import Image, Tally


class MemoryHarness:
    """tests.targets.harness.Harness on one World."""

    type = "memory"
    health_path = "/healthz"

    def __init__(self) -> None:
        self._world = World()
        self._world.lacking = {digest_of(code): code for code in (Code.DIGEST_NOT_FOUND, Code.PLATFORM_MISSING)}

    def endpoint(self, target: str) -> str:
        return "memory:host"

    def unreachable(self) -> str:
        return "memory:nowhere"

    def image(self, version: str) -> Image:
        return Image("memory/app", digest_of(version))

    def index(self, version: str) -> Image:
        return Image("memory/app", digest_of(["index", version]), {"linux/amd64": digest_of(version)})

    def altered(self) -> Image:
        self._world.altered.add(digest_of("altered"))
        return Image("memory/app", digest_of("altered"))

    def lacking(self) -> Mapping[Code, Image]:
        return {code: Image("memory/app", digest) for digest, code in self._world.lacking.items()}

    def executor(self, fail_points: FailPoints | None = None, secrets: Secrets | None = None) -> MemoryHost:
        return MemoryHost(self._world, fail_points, secrets)

    def given(self, address: TargetAddress, component: str, name: str) -> str | None:
        instances = self._world.place(address).instances
        return next(
            ({**i.spec.config.env, **i.secrets}).get(name) for i in instances if i.spec.name == component and i.running
        )

    def traces(self, address: TargetAddress) -> str:
        place = self._world.place(address)
        return str([place.journal, place.sticker, [i.spec for i in place.instances]])

    def tally(self, address: TargetAddress) -> Tally:
        place = self._world.place(address)
        return Tally(place.count("create"), place.count("start"))

    @contextlib.contextmanager
    def occupy(self, port: int) -> Iterator[None]:
        self._world.occupied.add(port)
        yield
        self._world.occupied.discard(port)

    def halt(self, address: TargetAddress) -> None:
        for instance in self._world.place(address).instances:
            instance.running = False

    def blur(self, address: TargetAddress) -> None:
        for instance in self._world.place(address).instances:
            instance.nameless = True

    def swap(self, address: TargetAddress, image: Image) -> None:
        [instance] = self._world.place(address).instances
        instance.spec = instance.spec.model_copy(update={"digest": image.digest, "platforms": {}})
        instance.running = True

    def clear(self, address: TargetAddress) -> None:
        self._world.place(address).instances.clear()
