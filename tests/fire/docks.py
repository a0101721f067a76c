"""A project whose targets are Docker hosts on the private engine, and what the engine itself wrote down of them."""

import contextlib
import time
from typing import Any

from tests.fixtures.docker import DockerHarness
from tests.system.shop import Shop
from tests.system.whole import WholeSystem
from workers import packages
from workers.demo.images import Image, to_registry
from workers.demo.shop import BROKEN, container_image

__all__ = ["BROKEN", "DockerShop"]


class DockerShop(Shop):
    """Its image in version BROKEN answers 500, as its configuration asks for."""

    def __init__(self, system: WholeSystem, name: str, harness: DockerHarness) -> None:
        self._harness = harness
        super().__init__(system, name)

    def _component(self, name: str) -> dict[str, Any]:
        component = super()._component(name)
        component["health"]["http"] = "/cgi-bin/healthz"
        return component | {"repository": self._repository(name), "env": {"GREETING": "bonjour"}}

    def _target(self, target: str) -> dict[str, Any]:
        ports = super()._target(target)["config"]["ports"]
        return {"type": "docker_host", "endpoint": self._harness.engine.endpoint, "config": {"ports": ports}}

    def _repository(self, component: str) -> str:
        return f"{self._harness.registry.address}/{self.name}/{component}"

    def publish(self, version: str, *, broken: bool = False) -> dict[str, Image]:
        """Into the registry."""
        busybox = packages.program("busybox")
        assert busybox is not None
        images = {name: container_image(name, version, busybox) for name in self.document["components"]}
        for name, made in images.items():
            to_registry(made, self._repository(name), version)
        return images

    def happened(self, target: str, action: str) -> list[str]:
        """The digest of each container that the engine says was created, or started, on a target, in order."""
        labels = [f"fairlead.project={self.name}", f"fairlead.target={target}"]
        filters = {"type": "container", "event": action, "label": labels}
        said = self._harness.api.events(since=1, until=f"{time.time():.9f}", filters=filters, decode=True)
        with contextlib.closing(said):
            return [event["Actor"]["Attributes"]["fairlead.digest"] for event in said]

    def running(self, target: str) -> list[str]:
        """The digest of each container of the target, running or not; those that do not run say so."""
        labels = [f"fairlead.project={self.name}", f"fairlead.target={target}"]
        found = self._harness.api.containers.list(all=True, filters={"label": labels})
        return [
            each.labels["fairlead.digest"] if each.status == "running" else f"{each.name} {each.status}"
            for each in found
        ]
