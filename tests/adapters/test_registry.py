"""Images from registries: a real one, and a double that lies."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from fairlead.adapters.images import ImageStore
from fairlead.adapters.manifests import MAX_MANIFEST, OCI_MANIFEST, Manifest
from fairlead.adapters.registry import is_loopback
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, FairleadError, NotFound, Refused, Unavailable
from tests.fixtures.images import (
    Answer,
    LyingRegistry,
    blob_path,
    demo_files,
    for_here_and_elsewhere,
    make_index,
    make_layout,
    push,
)
from tests.targets.harness import free_port
from workers.local_engine import LocalRegistry

ABSENT = "sha256:" + "0" * 64


def no_beat() -> None:
    pass


@pytest.mark.docker
def test_a_real_registry_serves_what_was_pushed(
    layouts: Path, image_store: ImageStore, docker_registry: LocalRegistry
) -> None:
    repository = f"{docker_registry.address}/adapters/{layouts.parent.name.lower()}"
    made = make_index(layouts / "web", "1.0.0", for_here_and_elsewhere("1.0.0"))
    push(layouts / "web", repository, "1.0.0")
    assert image_store.resolve(repository, "1.0.0") == made.digest
    assert image_store.platforms(repository, made.digest) == made.platforms
    manifest = image_store.select(repository, made.digest)
    image_store.download(repository, manifest.layers[0].digest, manifest.layers[0].size, io.BytesIO(), no_beat)


@pytest.mark.docker
def test_a_real_registry_has_no_other_tags_or_digests(image_store: ImageStore, docker_registry: LocalRegistry) -> None:
    repository = f"{docker_registry.address}/adapters/none"
    with pytest.raises(NotFound) as refusal:
        image_store.resolve(repository, "1.0.0")
    assert refusal.value.code == Code.TAG_NOT_FOUND
    with pytest.raises(NotFound) as refusal:
        image_store.platforms(repository, ABSENT)
    assert refusal.value.code == Code.DIGEST_NOT_FOUND


def test_a_registry_that_is_down_is_unavailable(image_store: ImageStore) -> None:
    with pytest.raises(Unavailable) as error:
        image_store.resolve(f"127.0.0.1:{free_port()}/shop/web", "1.0.0")
    assert error.value.code == Code.REGISTRY_UNAVAILABLE


def redirect(location: str) -> Callable[[], Answer]:
    return lambda: (307, {"Location": location}, b"")


def asks_for_a_token_from(realm: str) -> Callable[[], Answer]:
    return lambda: (401, {"WWW-Authenticate": f'Bearer realm="{realm}"'}, b"")


def status(number: int) -> Callable[[], Answer]:
    return lambda: (number, {}, b"{}")


@pytest.mark.parametrize(
    ("lie", "kind", "code"),
    [
        (status(401), Refused, Code.REGISTRY_REFUSED),
        (status(403), Refused, Code.REGISTRY_REFUSED),
        (status(404), NotFound, Code.TAG_NOT_FOUND),
        (status(418), Refused, Code.REGISTRY_REFUSED),
        (status(429), Unavailable, Code.REGISTRY_UNAVAILABLE),
        (status(500), Unavailable, Code.REGISTRY_UNAVAILABLE),
        (status(503), Unavailable, Code.REGISTRY_UNAVAILABLE),
        (redirect("http://registry.example/v2/"), Refused, Code.REGISTRY_REFUSED),
        (redirect("file:///etc/passwd"), Refused, Code.REGISTRY_REFUSED),
        (redirect("1.0.0"), Refused, Code.REGISTRY_REFUSED),
        (redirect("https://xn--/v2/"), Refused, Code.REGISTRY_REFUSED),
        (asks_for_a_token_from("https://xn--/token"), Refused, Code.REGISTRY_REFUSED),
        (lambda: (200, {"Content-Length": "99"}, b"{"), Unavailable, Code.REGISTRY_UNAVAILABLE),
        (lambda: (200, {}, b" " * (MAX_MANIFEST + 1)), Refused, Code.MANIFEST_INVALID),
        (lambda: (200, {"Content-Type": "text/html"}, b"<html>"), Refused, Code.MANIFEST_INVALID),
        (lambda: (200, {"Docker-Content-Digest": ABSENT}, b"{}"), Refused, Code.DIGEST_MISMATCH),
    ],
)
def test_each_bad_answer_has_its_error(
    image_store: ImageStore,
    lying_registry: LyingRegistry,
    lie: Callable[[], Answer],
    kind: type[FairleadError],
    code: Code,
) -> None:
    lying_registry.lies["/manifests/1.0.0"] = lie
    with pytest.raises(kind) as error:
        image_store.resolve(lying_registry.repository, "1.0.0")
    assert error.value.code == code


def test_a_redirect_on_loopback_is_followed(
    layouts: Path, image_store: ImageStore, lying_registry: LyingRegistry
) -> None:
    made = make_layout(layouts / "web", "1.0.0", demo_files("1.0.0"))
    lying_registry.lies["/manifests/moved"] = redirect("1.0.0")
    assert image_store.resolve(lying_registry.repository, "moved") == made.digest


def test_a_manifest_with_other_bytes_is_refused(
    layouts: Path, image_store: ImageStore, lying_registry: LyingRegistry
) -> None:
    made = make_layout(layouts / "web", "1.0.0", demo_files("1.0.0"))
    other = make_layout(layouts / "web", "2.0.0", demo_files("2.0.0"))
    lying_registry.lies[made.digest] = lambda: lying_registry.answer(f"/{other.digest}")
    with pytest.raises(Refused) as refusal:
        image_store.platforms(lying_registry.repository, made.digest)
    assert refusal.value.code == Code.DIGEST_MISMATCH


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b"x" + b[1:]])
def test_a_blob_with_other_bytes_is_refused(
    layouts: Path, image_store: ImageStore, lying_registry: LyingRegistry, change: Callable[[bytes], bytes]
) -> None:
    made = make_layout(layouts / "web", "1.0.0", demo_files("1.0.0"))
    content = blob_path(layouts / "web", made.layers[0]).read_bytes()
    lying_registry.lies[made.layers[0]] = lambda: (200, {}, change(content))
    with pytest.raises(Refused) as refusal:
        image_store.download(lying_registry.repository, made.layers[0], len(content), io.BytesIO(), no_beat)
    assert refusal.value.code == Code.DIGEST_MISMATCH


def test_a_manifest_without_a_media_type_is_known_by_how_it_is_served(
    layouts: Path, image_store: ImageStore, lying_registry: LyingRegistry
) -> None:
    made = make_layout(layouts / "web", "1.0.0", demo_files("1.0.0"))
    lying_registry.lies[made.digest] = lambda: (200, {"Content-Type": f"{OCI_MANIFEST}; charset=utf-8"}, data)
    data = blob_path(layouts / "web", made.digest).read_bytes()
    assert isinstance(image_store.fetch_manifest(lying_registry.repository, made.digest), Manifest)


@pytest.mark.parametrize(
    "repository",
    [
        "",
        "web",
        "localhost",
        "localhost:5000/",
        "localhost:5000/Web",
        "http://localhost/web",
        "a b/c",
        "h/../x",
        "h/a?b",
        "u@h/w",
    ],
)
def test_what_is_no_repository_is_refused(image_store: ImageStore, repository: str) -> None:
    with pytest.raises(BadInput) as refusal:
        image_store.resolve(repository, "1.0.0")
    assert refusal.value.code == Code.BAD_REFERENCE


@pytest.mark.parametrize("tag", ["", ".", "../x", "a/b", "a?b", "a" * 129])
def test_what_is_no_tag_is_refused(image_store: ImageStore, lying_registry: LyingRegistry, tag: str) -> None:
    with pytest.raises(BadInput):
        image_store.resolve(lying_registry.repository, tag)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("[::1]", True), ("::1", True),
     ("localhost.example", False), ("10.0.0.1", False), ("registry", False), ("0.0.0.0", False)],
)  # fmt: skip
def test_only_loopback_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
