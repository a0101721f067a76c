"""A repository that is an OCI image layout: a folder on this machine, inside the server's `layouts` folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from fairlead.adapters.manifests import MAX_MANIFEST, descriptor, invalid, read_object, referrers_tag
from fairlead.adapters.sources import CHUNK, LAYOUT_PREFIX, Document
from fairlead.contracts.canonical import Digest, is_digest
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, NotFound, Unavailable

REF_NAME: Final = "org.opencontainers.image.ref.name"


class Layout:
    """Implements Source for `oci-layout:PATH`."""

    def __init__(self, layouts: Path, repository: str) -> None:
        self._repository = repository
        root = layouts.resolve()
        self._folder = (root / repository.removeprefix(LAYOUT_PREFIX)).resolve()
        if self._folder == root or not self._folder.is_relative_to(root) or "\0" in repository:
            raise BadInput(Code.BAD_REFERENCE, f"{repository!r} does not lie inside the layouts folder")

    def by_tag(self, tag: str) -> Document:
        """What a tag names now: the manifest in index.json that is annotated with it."""
        absent = NotFound(Code.TAG_NOT_FOUND, f"{self._repository} has no tag {tag}")
        index = read_object(self._bytes("index.json", absent), f"index.json of {self._repository}")
        entries = index.get("manifests")
        if not isinstance(entries, list):
            raise invalid(f"index.json of {self._repository} has no list of manifests")
        found = {descriptor(e, self._repository) for e in entries if _tag_of(e) == tag}
        if not found:
            raise absent
        if len(found) > 1:
            raise invalid(f"{self._repository} has tag {tag} more than once")
        (entry,) = found
        return self._document(entry.digest, entry.media_type)

    def by_digest(self, digest: Digest) -> Document:
        """A manifest."""
        return self._document(digest)

    def referrers(self, digest: Digest) -> Document | None:
        """What others attached, under the tag that stands for it."""
        with suppress(NotFound):
            return self.by_tag(referrers_tag(digest))
        return None

    @contextmanager
    def blob(self, digest: Digest) -> Iterator[Iterator[bytes]]:
        """A blob, in pieces."""
        with self._open(_blob(digest), self._no_digest(digest)) as file:
            yield iter(lambda: file.read(CHUNK), b"")

    def _document(self, digest: Digest, media_type: str | None = None) -> Document:
        return Document(self._bytes(_blob(digest), self._no_digest(digest)), media_type, digest)

    def _bytes(self, name: str, absent: NotFound) -> bytes:
        with self._open(name, absent) as file:
            data = file.read(MAX_MANIFEST + 1)
        if len(data) > MAX_MANIFEST:
            raise invalid(f"{name} of {self._repository} is larger than {MAX_MANIFEST} bytes")
        return data

    @contextmanager
    def _open(self, name: str, absent: NotFound) -> Iterator[BinaryIO]:
        try:
            # A layout may come from anywhere: its links lead nowhere, and a fifo in it must not block us.
            fd = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            file = os.fdopen(fd, "rb")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise absent from error
        except OSError as error:
            raise Unavailable(Code.REGISTRY_UNAVAILABLE, f"cannot read {self._repository}: {error.strerror}") from error
        with file:
            yield file

    def _no_digest(self, digest: Digest) -> NotFound:
        return NotFound(Code.DIGEST_NOT_FOUND, f"{self._repository} has no {digest}")


def _blob(digest: Digest) -> str:
    if not is_digest(digest):
        raise BadInput(Code.BAD_REFERENCE, f"{digest!r} is not a sha256 digest")
    return "blobs/" + digest.replace(":", "/")


def _tag_of(entry: object) -> object:
    match entry:
        case {"annotations": dict(annotations)}:
            return annotations.get(REF_NAME)
    return None
