"""Images from OCI layouts on disk."""

import json
import os
from pathlib import Path

import pytest

from fairlead.adapters.images import ImageStore
from fairlead.adapters.platforms import host_platform
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, NotFound, Refused
from tests.fixtures.images import alter, blob_path, demo_files, for_here_and_elsewhere, make_index, make_layout

WEB = "oci-layout:web"
ABSENT = "sha256:" + "0" * 64


def test_a_tag_names_a_digest(layouts: Path, image_store: ImageStore) -> None:
    made = make_layout(layouts / "web", "1.0.0", demo_files("1.0.0"))
    assert image_store.resolve(WEB, "1.0.0") == made.digest


def test_a_moved_tag_names_the_new_digest_and_the_old_one_stays_readable(
    layouts: Path, image_store: ImageStore
) -> None:
    old = make_layout(layouts / "web", "1.0.0", demo_files("1.0.0"))
    new = make_layout(layouts / "web", "1.0.0", demo_files("1.0.1"))
    assert image_store.resolve(WEB, "1.0.0") == new.digest
    assert image_store.platforms(WEB, old.digest) == {}


def test_an_index_names_its_platforms(layouts: Path, image_store: ImageStore) -> None:
    made = make_index(layouts / "web", "1.0.0", for_here_and_elsewhere("1.0.0"))
    assert image_store.platforms(WEB, made.digest) == made.platforms
    assert image_store.select(WEB, made.digest).digest == made.platforms[host_platform()]


def test_an_index_without_this_platform_is_refused(layouts: Path, image_store: ImageStore) -> None:
    made = make_index(layouts / "web", "1.0.0", {"plan9/mips": demo_files("1.0.0")})
    with pytest.raises(Refused, match="plan9/mips") as refusal:
        image_store.select(WEB, made.digest)
    assert refusal.value.code == Code.PLATFORM_MISSING


def test_what_is_not_there_is_not_found(layouts: Path, image_store: ImageStore) -> None:
    make_layout(layouts / "web", "1.0.0", demo_files("1.0.0"))
    for repository, tag in ((WEB, "2.0.0"), ("oci-layout:nothing", "1.0.0")):
        with pytest.raises(NotFound) as refusal:
            image_store.resolve(repository, tag)
        assert refusal.value.code == Code.TAG_NOT_FOUND
    with pytest.raises(NotFound) as refusal:
        image_store.platforms(WEB, ABSENT)
    assert refusal.value.code == Code.DIGEST_NOT_FOUND


@pytest.mark.parametrize("path", ["", ".", "..", "../web", "/etc", "web/../..", "link/web"])
def test_a_layout_outside_the_folder_is_refused(layouts: Path, image_store: ImageStore, path: str) -> None:
    (layouts / "link").symlink_to("/tmp")
    with pytest.raises(BadInput) as refusal:
        image_store.resolve(f"oci-layout:{path}", "1.0.0")
    assert refusal.value.code == Code.BAD_REFERENCE


@pytest.mark.parametrize(
    "digest", ["", "latest", "sha256:../../index.json", "sha512:" + "0" * 128, "sha256:" + "A" * 64]
)
def test_what_is_no_digest_is_refused(image_store: ImageStore, digest: str) -> None:
    with pytest.raises(BadInput):
        image_store.platforms(WEB, digest)


def test_an_altered_manifest_is_refused(layouts: Path, image_store: ImageStore) -> None:
    made = make_layout(layouts / "web", "1.0.0", demo_files("1.0.0"))
    alter(layouts / "web", made.digest)
    for read in (lambda: image_store.resolve(WEB, "1.0.0"), lambda: image_store.platforms(WEB, made.digest)):
        with pytest.raises(Refused) as refusal:
            read()
        assert refusal.value.code == Code.DIGEST_MISMATCH


def test_a_tag_that_stands_twice_is_refused(layouts: Path, image_store: ImageStore) -> None:
    folder = layouts / "web"
    make_layout(folder, "a", demo_files("a"))
    make_layout(folder, "b", demo_files("b"))
    index = folder / "index.json"
    index.write_text(index.read_text().replace('"b"', '"a"'))
    with pytest.raises(Refused) as refusal:
        image_store.resolve(WEB, "a")
    assert refusal.value.code == Code.MANIFEST_INVALID


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "[" * 100_000, json.dumps({"manifests": 1}), " " * (5 * 1024 * 1024)]
)
def test_a_broken_index_is_refused(layouts: Path, image_store: ImageStore, content: str) -> None:
    make_layout(layouts / "web", "1.0.0", demo_files("1.0.0"))
    (layouts / "web" / "index.json").write_text(content)
    with pytest.raises(Refused) as refusal:
        image_store.resolve(WEB, "1.0.0")
    assert refusal.value.code == Code.MANIFEST_INVALID


def test_a_blob_that_is_a_link_or_a_fifo_is_not_read(layouts: Path, image_store: ImageStore) -> None:
    made = make_layout(layouts / "web", "1.0.0", demo_files("1.0.0"))
    blob = blob_path(layouts / "web", made.digest)
    content = layouts / "elsewhere"
    blob.rename(content)
    for make in (lambda: blob.symlink_to(content), lambda: os.mkfifo(blob)):
        make()
        with pytest.raises(Exception, match="web"):
            image_store.platforms(WEB, made.digest)
        blob.unlink()
