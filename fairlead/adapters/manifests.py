"""Reads OCI and Docker v2 manifests and indexes. Takes bytes that were already checked against their digest."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from fairlead.contracts.canonical import Digest, is_digest
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused

OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
DOCKER_INDEX: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
INDEXES: Final = (OCI_INDEX, DOCKER_INDEX)
MANIFESTS: Final = (OCI_MANIFEST, DOCKER_MANIFEST)
ACCEPTED: Final = (*INDEXES, *MANIFESTS)
MAX_MANIFEST: Final = 4 * 1024 * 1024
MAX_LAYERS: Final = 256
MAX_ATTACHED: Final = 64


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a manifest says about a blob or another manifest."""

    media_type: str
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image or artifact for one platform. `subject`: what it is attached to."""

    digest: Digest
    config: Descriptor
    layers: tuple[Descriptor, ...]
    subject: Digest | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """The same thing for several platforms: `os/arch` (with the variant where it matters) to manifest digest."""

    digest: Digest
    platforms: Mapping[str, Digest]


def parse(digest: Digest, data: bytes, content_type: str | None = None) -> Manifest | Index:
    """Read a document. Raises Refused (manifest_invalid) for what is neither, or could be taken for both."""
    document = read_object(data, f"manifest {digest}")
    kind = document.get("mediaType") or content_type or (OCI_INDEX if "manifests" in document else OCI_MANIFEST)
    if kind not in ACCEPTED:
        raise invalid(f"manifest {digest} is of type {kind}, which is not an image or index we know")
    if content_type in ACCEPTED and content_type != kind:
        raise invalid(f"manifest {digest} was served as {content_type} but says it is {kind}")
    if ("manifests" in document) == ("layers" in document or "config" in document):
        raise invalid(f"manifest {digest} must be either an image or an index")
    if ("manifests" in document) != (kind in INDEXES):
        raise invalid(f"manifest {digest} says it is {kind} and does not look like it")
    return _index(digest, document) if kind in INDEXES else _manifest(digest, document)


def referrers_tag(digest: Digest) -> str:
    """The tag under which registries without a list of their own keep what is attached to a manifest (OCI distribution 1.1)."""
    return digest.replace(":", "-")


def attached(data: bytes, what: str) -> tuple[Digest, ...]:
    """The manifests that a list of referrers names, at most MAX_ATTACHED of them. Raises Refused (manifest_invalid)."""
    entries = read_object(data, what).get("manifests")
    if not isinstance(entries, list):
        raise invalid(f"{what} has no list of manifests")
    found = (descriptor(entry, what) for entry in entries[:MAX_ATTACHED])
    return tuple(entry.digest for entry in found if entry.media_type in MANIFESTS)


def read_object(data: bytes, what: str) -> dict[str, Any]:
    """A JSON object. Raises Refused (manifest_invalid)."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise invalid(f"{what} is not JSON") from error
    if not isinstance(value, dict):
        raise invalid(f"{what} is not a JSON object")
    return value


def descriptor(value: object, what: str) -> Descriptor:
    """Read one descriptor. Raises Refused (manifest_invalid)."""
    match value:
        case {"mediaType": str(kind), "digest": str(digest), "size": int(size)} if is_digest(digest) and size >= 0:
            return Descriptor(kind, digest, size)
    raise invalid(f"{what} has a descriptor without a media type, sha256 digest or size")


def invalid(detail: str) -> Refused:
    """The refusal of a document that is not what it should be."""
    return Refused(Code.MANIFEST_INVALID, detail)


def _manifest(digest: Digest, document: Mapping[str, Any]) -> Manifest:
    what, layers = f"manifest {digest}", document.get("layers")
    if not isinstance(layers, list) or len(layers) > MAX_LAYERS:
        raise invalid(f"{what} has no list of at most {MAX_LAYERS} layers")
    config, parts = descriptor(document.get("config"), what), tuple(descriptor(layer, what) for layer in layers)
    subject = descriptor(document["subject"], what).digest if document.get("subject") else None
    return Manifest(digest, config, parts, subject)


def _index(digest: Digest, document: Mapping[str, Any]) -> Index:
    what, entries = f"index {digest}", document["manifests"]
    if not isinstance(entries, list):
        raise invalid(f"{what} has no list of manifests")
    platforms: dict[str, Digest] = {}
    for entry in entries:
        found = descriptor(entry, what)
        name = _platform(entry.get("platform"))
        if name and found.media_type in MANIFESTS:
            platforms.setdefault(name, found.digest)
    return Index(digest, MappingProxyType(platforms))


def _platform(value: object) -> str | None:
    """`unknown/unknown` marks attestations that travel beside an image."""
    match value:
        case {"os": "unknown"} | {"architecture": "unknown"}:
            return None
        case {"os": str(os), "architecture": "arm", "variant": str(variant)}:
            return f"{os}/arm/{variant}"
        case {"os": str(os), "architecture": str(architecture)}:
            return f"{os}/{architecture}"
    return None
