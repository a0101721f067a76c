"""Mirrors of a registry: two real ones, and what is asked of whom."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fairlead.adapters.images import ImageStore
from fairlead.adapters.mirrors import Mirrored, read_mirrors
from fairlead.adapters.sources import Document
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, FairleadError, NotFound, Refused, Unavailable
from tests import components
from tests.fixtures.docker import need
from tests.fixtures.images import demo_files, make_layout, push
from workers.local_engine import LocalRegistry

DIGEST = "sha256:" + "0" * 64


@pytest.fixture(scope="module")
def registries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], LocalRegistry]]:
    """Starts registries by name, each with a folder of its own."""
    need(components.lacking(["docker-registry"], root=False))
    started: list[LocalRegistry] = []

    def start(name: str) -> LocalRegistry:
        started.append(LocalRegistry(tmp_path_factory.mktemp(name), bound=True))
        started[-1].start()
        return started[-1]

    yield start
    for registry in started:
        registry.stop()


@pytest.mark.docker
def test_what_has_a_digest_is_had_from_a_mirror_while_the_registry_is_down(
    registries: Callable[[str], LocalRegistry], tmp_path: Path
) -> None:
    origin, mirror = registries("origin"), registries("mirror")
    make_layout(tmp_path / "web", "1.0.0", demo_files("1.0.0"))
    push(tmp_path / "web", f"{origin.address}/shop/web", "1.0.0")
    push(tmp_path / "web", f"{mirror.address}/copies/shop/web", "1.0.0")
    repository = f"{origin.address}/shop/web"
    digest = ImageStore(tmp_path).resolve(repository, "1.0.0")
    origin.stop()
    store = ImageStore(
        tmp_path, mirrors=read_mirrors(f"{origin.address}=localhost:1,{origin.address}={mirror.address}/copies")
    )
    assert store.config(repository, store.select(repository, digest), lambda: None)
    with pytest.raises(Unavailable):
        store.resolve(repository, "1.0.0")  # a tag is the registry's own word
    with pytest.raises(Unavailable):
        ImageStore(tmp_path).fetch_manifest(repository, digest)


class Shelf:
    """A source in memory. `answer`: its one document, or what it raises."""

    def __init__(self, answer: bytes | FairleadError) -> None:
        self._answer = answer

    def by_digest(self, digest: str) -> Document:
        if isinstance(self._answer, FairleadError):
            raise self._answer
        return Document(self._answer)

    by_tag = by_digest


@pytest.mark.parametrize(
    "answer",
    [
        NotFound(Code.DIGEST_NOT_FOUND, "no"),
        Refused(Code.REGISTRY_REFUSED, "no"),
        Unavailable(Code.REGISTRY_UNAVAILABLE, "no"),
    ],
    ids=lambda answer: str(answer.code),
)
def test_whatever_a_mirror_answers_but_bytes_the_next_is_asked(answer: FairleadError) -> None:
    source = Mirrored([Shelf(answer), Shelf(b"mirror")], Shelf(b"origin"))
    assert source.by_digest(DIGEST).data == b"mirror"
    assert Mirrored([Shelf(answer)], Shelf(b"origin")).by_digest(DIGEST).data == b"origin"
    assert source.by_tag("1").data == b"origin"


def test_mirrors_are_read_in_their_order() -> None:
    said = "a.example=m1.example/x/, b.example=m2.example,a.example=m3.example"
    assert read_mirrors(said) == {"a.example": ("m1.example/x", "m3.example"), "b.example": ("m2.example",)}
    assert read_mirrors("") == {}


@pytest.mark.parametrize("said", ["a.example", "=m", "a.example=", "a.example/x=m", "a.example=/"])
def test_what_names_no_mirror_is_refused(said: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read_mirrors(said)
    assert refusal.value.code == Code.BAD_VALUE
