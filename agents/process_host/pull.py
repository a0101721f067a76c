"""Brings images to a place: read and verified here, unpacked there."""

from collections.abc import Mapping

from agents.process_host.place import Orderer, Place, Stage
from agents.process_host.records import Job
from fairlead.adapters.images import ImageStore
from fairlead.adapters.manifests import invalid
from fairlead.adapters.unpack import Limits
from fairlead.contracts.canonical import Digest
from fairlead.domain.blocks import is_text
from fairlead.ports import Beat


def bring(images: ImageStore, place: Place, job: Job, repositories: Mapping[Digest, str], orderer: Orderer) -> None:
    """Have all trees of a job there; nothing of what is missing is put in its place before all of it has been verified."""
    missing = dict.fromkeys(place.missing(job))
    if missing:
        with place.staging(orderer) as stage:
            pulled = {d: _pull(images, stage, place, repositories[d], d, orderer.beat) for d in missing}
            stage.publish(pulled)


def _pull(images: ImageStore, stage: Stage, place: Place, repository: str, digest: Digest, beat: Beat) -> list[str]:
    """Unpack one image; returns its command."""
    manifest = images.select(repository, digest, place.platform)
    config = images.config(repository, manifest, beat)
    Limits().require_fits(layer.size for layer in manifest.layers)
    for layer in manifest.layers:
        stage.layer(
            digest,
            layer.media_type,
            lambda file, layer=layer: images.download(repository, layer.digest, layer.size, file, beat),  # type: ignore[misc]
        )
    return _command(digest, config.get("config"))


def _command(digest: Digest, settings: object) -> list[str]:
    """Entrypoint and Cmd, each a list of words or not there."""
    parts = [settings.get(name) for name in ("Entrypoint", "Cmd")] if isinstance(settings, dict) else []
    return [word for part in parts if part is not None for word in _words(digest, part)]


def _words(digest: Digest, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) and is_text(word) for word in value):
        raise invalid(f"the command of {digest} is not a list of words")
    return value
