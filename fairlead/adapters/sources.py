"""What a registry and an image layout have in common, to be told apart by nobody above images.py."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from fairlead.contracts.canonical import Digest

LAYOUT_PREFIX: Final = "oci-layout:"
CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Document:
    """A manifest as it was served: not yet checked. `stated` is the digest that the source gives for it."""

    data: bytes
    content_type: str | None = None
    stated: Digest | None = None


class Source(Protocol):
    """One repository, wherever it is."""

    def by_tag(self, tag: str) -> Document:
        """What a tag names now. Raises NotFound (tag_not_found)."""

    def by_digest(self, digest: Digest) -> Document:
        """A manifest. Raises NotFound (digest_not_found)."""

    def referrers(self, digest: Digest) -> Document | None:
        """The list of what others attached to a manifest: the source's own word, to be checked entry by entry. None where there is none."""

    def blob(self, digest: Digest) -> AbstractContextManager[Iterator[bytes]]:
        """A blob, in pieces. Raises NotFound (digest_not_found)."""
