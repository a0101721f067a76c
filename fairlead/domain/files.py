"""The files that components name: part of the catalogue, and by their digests of a release's templates and thus of its identity."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fairlead.domain.blocks import Block
from fairlead.domain.codes import Code

FIELD = "file"
MAX_FILE_BYTES = 256 * 1024

_PATH = re.compile(r"(\./)?[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
PATH_RULE = "a path below the catalogue's folder, of letters, digits and ._-"


def is_path(text: str) -> bool:
    """Whether this may name a file of the catalogue: relative, without `..` and without what a shell or a server might read otherwise."""
    return len(text) <= 200 and _PATH.fullmatch(text) is not None


def digest_of_file(content: str) -> str:
    """`sha256:<hex>` of a file's bytes, as sha256sum tells it."""
    return "sha256:" + hashlib.sha256(content.encode()).hexdigest()


def named_files(document: object) -> tuple[str, ...]:
    """The paths that the components of a document name in their blocks, each once; what is no catalogue names none."""
    return tuple(dict.fromkeys(_named(document)))


def read_files(block: Block) -> dict[str, str]:
    """Path to content, of the block `files`."""
    files = block.strings("files")
    for path, content in files.items():
        if not is_path(path):
            block.flaw(Code.BAD_VALUE, f"{path!r:.80} is not {PATH_RULE}", "files", path)
        if len(content.encode(errors="replace")) > MAX_FILE_BYTES:
            block.flaw(Code.DOCUMENT_TOO_LARGE, f"{path!r:.80} is larger than {MAX_FILE_BYTES} bytes", "files", path)
    return files


def _named(document: object) -> Iterator[str]:
    for component in _mappings(_mapping(document).get("components")):
        for section in _mappings(component):
            path = section.get(FIELD)
            if isinstance(path, str):
                yield path


def _mappings(value: object) -> Iterator[Mapping[str, Any]]:
    return (inner for inner in _mapping(value).values() if isinstance(inner, Mapping))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
