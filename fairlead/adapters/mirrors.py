"""Mirrors of registries: asked first for what has a digest, which is all that they can be trusted with. A tag is asked of the registry itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Final, TypeVar

from fairlead.adapters.sources import Document, Source
from fairlead.contracts.canonical import Digest
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, FairleadError

T = TypeVar("T")

Mirrors = Mapping[str, tuple[str, ...]]
"""Of the host of a registry, where else its repositories lie, `HOST[/PREFIX]`, in the order in which they are asked."""

NO_MIRRORS: Final[Mirrors] = {}


class Mirrored:
    """Implements Source. Whatever a mirror answers but bytes, the next one is asked, the registry itself last."""

    def __init__(self, mirrors: Sequence[Source], origin: Source) -> None:
        self._mirrors, self._origin = mirrors, origin

    def by_tag(self, tag: str) -> Document:
        """What a tag names now."""
        return self._origin.by_tag(tag)

    def by_digest(self, digest: Digest) -> Document:
        """A manifest."""
        return self._first(lambda source: source.by_digest(digest))

    def referrers(self, digest: Digest) -> Document | None:
        """What others attached: as with a tag, a mirror may be behind."""
        return self._origin.referrers(digest)

    @contextmanager
    def blob(self, digest: Digest) -> Iterator[Iterator[bytes]]:
        """A blob, in pieces. Once its first bytes have come from one place, the rest does too."""
        with ExitStack() as opened:
            yield self._first(lambda source: opened.enter_context(source.blob(digest)))

    def _first(self, ask: Callable[[Source], T]) -> T:
        for mirror in self._mirrors:
            with suppress(FairleadError):
                return ask(mirror)
        return ask(self._origin)


def read_mirrors(said: str) -> Mirrors:
    """Of `HOST=MIRROR[/PREFIX]`, with commas between; a host may stand there more than once. Raises BadInput (bad_value)."""
    found: dict[str, tuple[str, ...]] = {}
    for part in filter(None, (part.strip() for part in said.split(","))):
        host, _, mirror = part.partition("=")
        if not host or not mirror.strip("/") or "/" in host:
            raise BadInput(
                Code.BAD_VALUE, f"{part!r:.80} is not HOST=MIRROR[/PREFIX]", hint="FAIRLEAD_REGISTRY_MIRRORS"
            )
        found[host] = (*found.get(host, ()), mirror.strip("/"))
    return found
