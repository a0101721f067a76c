"""Brings the images of a stack onto its engine, by digest: those of the release as on any Docker host, the others by the engine alone."""

from agents.compose_host.locking import Lock
from agents.docker_host import images
from agents.docker_host.engine import Engine
from agents.docker_host.hooking import images_of
from fairlead.adapters.images import ImageStore
from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.ports import Beat


def bring(engine: Engine, store: ImageStore, spec: TargetSpec, lock: Lock, beat: Beat) -> None:
    """Have every image there. Raises as agents.docker_host.images.bring does."""
    for component in (*spec.components, *images_of(spec)):
        beat()
        images.bring(engine, store, component, beat)
    for image in sorted({service.image for service in lock.services}):
        beat()
        _bring(engine, image, beat)


def _bring(engine: Engine, image: str, beat: Beat) -> None:
    if engine.has_image(image):
        return
    repository, _, digest = image.partition("@")
    engine.pull(repository, digest, beat)
    if not engine.has_image(image):
        raise Refused(Code.DIGEST_MISMATCH, f"the engine pulled something else than {image}")
