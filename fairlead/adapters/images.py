"""Images and artifacts by digest, from a registry or an OCI image layout. Every byte handed on has been checked against its digest."""

import hashlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from fairlead.adapters.layout import Layout
from fairlead.adapters.manifests import Index, Manifest, attached, invalid, parse, read_object
from fairlead.adapters.mirrors import NO_MIRRORS, Mirrored, Mirrors
from fairlead.adapters.platforms import host_platform
from fairlead.adapters.registry import NOBODY, Registry
from fairlead.adapters.registry_access import Login, RegistryAccess
from fairlead.adapters.sources import LAYOUT_PREFIX, Document, Source
from fairlead.contracts.canonical import Digest, digest_bytes, is_digest
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Refused
from fairlead.ports import Beat

MAX_CONFIG: Final = 1024 * 1024


class ImageStore:
    """Implements ports.Images. `layouts` is the folder that `oci-layout:PATH` repositories lie in; `access` lets us into registries and `mirrors`."""

    def __init__(self, layouts: Path, access: RegistryAccess = NOBODY, mirrors: Mirrors = NO_MIRRORS) -> None:
        self._layouts, self._access, self._mirrors = layouts, access, mirrors
        self._sources: dict[str, Source] = {}

    def login(self, repository: str) -> Login | None:
        """Who we are at a repository's registry, for an engine that pulls for us. Raises BadInput (registry_login)."""
        return None if repository.startswith(LAYOUT_PREFIX) else self._access.login(repository.partition("/")[0])

    def resolve(self, repository: str, tag: str) -> Digest:
        """The digest a tag names now. Raises NotFound (tag_not_found)."""
        document = self._source(repository).by_tag(tag)
        digest = digest_bytes(document.data)
        if document.stated is not None and document.stated != digest:
            raise _mismatch(repository, document.stated)
        parse(digest, document.data, document.content_type)
        return digest

    def platforms(self, repository: str, digest: Digest) -> Mapping[str, Digest]:
        """`os/arch` to manifest digest for an index; empty for a single manifest. Raises NotFound (digest_not_found)."""
        found = self.fetch_manifest(repository, digest)
        return found.platforms if isinstance(found, Index) else {}

    def fetch_manifest(self, repository: str, digest: Digest) -> Manifest | Index:
        """A manifest or index, checked."""
        document = self._document(repository, digest)
        return parse(digest, document.data, document.content_type)

    def select(self, repository: str, digest: Digest, platform: str | None = None) -> Manifest:
        """The manifest for a platform (default: this machine's). Raises Refused (platform_missing)."""
        wanted = platform or host_platform()
        found = self.fetch_manifest(repository, digest)
        if isinstance(found, Index):
            if wanted not in found.platforms:
                has = ", ".join(sorted(found.platforms)) or "no platform at all"
                raise Refused(Code.PLATFORM_MISSING, f"{repository}@{digest} has nothing for {wanted}; it has {has}")
            found = self.fetch_manifest(repository, found.platforms[wanted])
        if isinstance(found, Index):
            raise invalid(f"{repository}@{digest} is an index of indexes")
        return found

    def config(self, repository: str, manifest: Manifest, beat: Beat) -> Mapping[str, Any]:
        """The configuration document of an image; artifacts have an empty one."""
        if manifest.config.size > MAX_CONFIG:
            raise invalid(f"the configuration of {repository}@{manifest.digest} is larger than {MAX_CONFIG} bytes")
        data = io.BytesIO()
        self.download(repository, manifest.config.digest, manifest.config.size, data, beat)
        return read_object(data.getvalue(), f"the configuration of {repository}@{manifest.digest}")

    def download(self, repository: str, digest: Digest, size: int, to: BinaryIO, beat: Beat) -> None:
        """Write a blob to a file. Raises Refused (digest_mismatch) where size or content is another."""
        seen, total = hashlib.sha256(), 0
        with self._source(repository).blob(_checked(digest)) as pieces:
            for piece in pieces:
                beat()
                total += len(piece)
                if total > size:
                    raise _mismatch(repository, digest)
                seen.update(piece)
                to.write(piece)
        if total != size or "sha256:" + seen.hexdigest() != digest:
            raise _mismatch(repository, digest)

    def attached(self, repository: str, digest: Digest, most: int) -> Iterator[tuple[Digest, bytes]]:
        """What others attached to an image, one document after the other (ports.Images)."""
        listed = self._source(repository).referrers(_checked(digest))
        for name in attached(listed.data, f"the list of what refers to {repository}@{digest}") if listed else ():
            found = self.fetch_manifest(repository, name)
            # The list is the registry's word; what an artifact is attached to, its own.
            if isinstance(found, Manifest) and found.subject == digest and len(found.layers) == 1:
                [part] = found.layers
                if part.size <= most:
                    content = io.BytesIO()
                    self.download(repository, part.digest, part.size, content, _no_beat)
                    yield name, content.getvalue()

    def _document(self, repository: str, digest: Digest) -> Document:
        document = self._source(repository).by_digest(_checked(digest))
        if digest_bytes(document.data) != digest:
            raise _mismatch(repository, digest)
        return document

    def _source(self, repository: str) -> Source:
        if repository not in self._sources:
            is_layout = repository.startswith(LAYOUT_PREFIX)
            self._sources[repository] = Layout(self._layouts, repository) if is_layout else self._remote(repository)
        return self._sources[repository]

    def _remote(self, repository: str) -> Source:
        host, _, path = repository.partition("/")
        origin = Registry(repository, self._access)
        mirrors = [Registry(f"{mirror}/{path}", self._access) for mirror in self._mirrors.get(host, ())]
        return Mirrored(mirrors, origin) if mirrors else origin


def _no_beat() -> None:
    """Whoever asks waits for the answer."""


def _checked(digest: Digest) -> Digest:
    if not is_digest(digest):
        raise BadInput(Code.BAD_REFERENCE, f"{digest!r} is not a sha256 digest")
    return digest


def _mismatch(repository: str, digest: Digest) -> Refused:
    return Refused(Code.DIGEST_MISMATCH, f"{repository} serves other bytes than {digest} stands for")
