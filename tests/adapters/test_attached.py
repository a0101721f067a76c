"""What others attached to an image: by the tag that stands for the list, as a real registry without one keeps it, and by the list itself."""

from pathlib import Path

import pytest

from fairlead.adapters.images import ImageStore
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from tests.fixtures.images import LyingRegistry, alter, attach, demo_files, make_layout, push
from workers.local_engine import LocalRegistry

MOST = 1000
OTHER = "sha256:" + "1" * 64


@pytest.fixture
def image(layouts: Path) -> str:
    return make_layout(layouts / "web", "1.0.0", demo_files("1.0.0")).digest


@pytest.mark.docker
def test_a_real_registry_keeps_what_was_attached_under_a_tag(
    layouts: Path, image: str, image_store: ImageStore, docker_registry: LocalRegistry
) -> None:
    repository = f"{docker_registry.address}/adapters/{layouts.parent.name.lower()}"
    push(layouts / "web", repository, "1.0.0")
    assert list(image_store.attached(repository, image, MOST)) == []
    [name] = attach(layouts / "web", image, b"one")
    push(layouts / "web", repository, image.replace(":", "-"))
    assert list(image_store.attached(repository, image, MOST)) == [(name, b"one")]


def test_a_registrys_own_list_goes_before_the_tag(
    layouts: Path, image: str, image_store: ImageStore, lying_registry: LyingRegistry
) -> None:
    [name] = attach(lying_registry.folder, image, b"one")
    listed = lying_registry.answer("/manifests/" + image.replace(":", "-"))
    attach(lying_registry.folder, image, b"other")
    lying_registry.lies[f"/referrers/{image}"] = lambda: listed
    assert list(image_store.attached(lying_registry.repository, image, MOST)) == [(name, b"one")]


def test_only_what_says_itself_that_it_belongs_to_the_image_does(
    layouts: Path, image: str, image_store: ImageStore
) -> None:
    attach(layouts / "web", image, b"one", subject=OTHER)
    assert list(image_store.attached("oci-layout:web", image, MOST)) == []


def test_what_is_too_large_is_not_even_read(layouts: Path, image: str, image_store: ImageStore) -> None:
    _, small = attach(layouts / "web", image, b"x" * (MOST + 1), b"small")
    assert list(image_store.attached("oci-layout:web", image, MOST)) == [(small, b"small")]


def test_other_bytes_than_were_attached_are_refused(layouts: Path, image: str, image_store: ImageStore) -> None:
    [name] = attach(layouts / "web", image, b"one")
    alter(layouts / "web", name)
    with pytest.raises(Refused) as refusal:
        list(image_store.attached("oci-layout:web", image, MOST))
    assert refusal.value.code == Code.DIGEST_MISMATCH
