"""Brings images onto an engine by digest. The engine checks what it pulls; when it will not have it, we look why."""

from typing import BinaryIO, cast

from agents.docker_host import container
from agents.docker_host.engine import Engine
from agents.docker_host.engine_errors import is_full
from fairlead.adapters.images import ImageStore
from fairlead.adapters.manifests import Manifest
from fairlead.contracts.target import ComponentSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Refused, Unavailable
from fairlead.ports import Beat

_LAYOUT = "oci-layout:"
_GROWS = 3
"""An image needs at least so many times the size of its packed layers while it is pulled."""


class _Nowhere:
    """Takes what is only read to be checked."""

    def write(self, data: bytes) -> int:
        return len(data)


def bring(engine: Engine, store: ImageStore, component: ComponentSpec, beat: Beat) -> None:
    """Have a component's image on the engine. One that is there was verified when it came: then no registry is asked.

    Raises Refused (digest_mismatch, digest_not_found, ...) or Unavailable (registry_unavailable).
    """
    repository, digest = component.config.repository, component.digest
    if repository.startswith(_LAYOUT):
        detail = f"{repository}: a Docker host takes images from a registry, not from an image layout"
        raise BadInput(Code.NOT_SUPPORTED_YET, detail)
    if engine.has_image(container.reference(component)):
        return
    manifest = store.select(repository, digest, engine.platform())
    try:
        engine.pull(repository, digest, beat, store.login(repository))
    except Unavailable as error:
        _audit(store, repository, manifest, beat)
        _require_room(engine, manifest, error)
        raise
    if not engine.has_image(container.reference(component)):
        raise Refused(Code.DIGEST_MISMATCH, f"the engine pulled something else than {repository}@{digest}")


def _audit(store: ImageStore, repository: str, manifest: Manifest, beat: Beat) -> None:
    """Read all of an image as the engine would have. Raises Refused (digest_mismatch) when the registry serves something else."""
    for blob in (manifest.config, *manifest.layers):
        store.download(repository, blob.digest, blob.size, cast(BinaryIO, _Nowhere()), beat)


def _require_room(engine: Engine, manifest: Manifest, error: Unavailable) -> None:
    """Raise Unavailable (target_full) if that is why: the registry serves all of it, and the engine has no room for it packed and unpacked."""
    if is_full(engine.room(), _GROWS * sum(layer.size for layer in manifest.layers)):
        detail = f"the disk of the Docker engine has no room for the image: {error.detail}"
        raise Unavailable(Code.TARGET_FULL, detail) from error
