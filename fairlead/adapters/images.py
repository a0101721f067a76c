"""Images and artifacts by digest, from a registry or an OCI image layout. Every byte handed on has been checked against its digest."""

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from fairlead.contracts.canonical import Digest
from fairlead.ports import Beat


class ImageStore:
    """Implements ports.Images. `layouts` is the folder that `oci-layout:PATH` repositories lie in."""

    def __init__(self, layouts: Path) -> None:
        self._layouts = layouts

    def resolve(self, repository: str, tag: str) -> Digest:
        """The digest a tag names now. Raises NotFound (tag_not_found)."""
        raise NotImplementedError

    def platforms(self, repository: str, digest: Digest) -> Mapping[str, Digest]:
        """`os/arch` to manifest digest for an index; empty for a single manifest. Raises NotFound (digest_not_found)."""
        raise NotImplementedError

    def download(self, repository: str, digest: Digest, size: int, to: BinaryIO, beat: Beat) -> None:
        """Write a blob to a file, checked for size and digest."""
        raise NotImplementedError
