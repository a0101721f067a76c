"""Layers and configurations that lie about themselves, bit by bit and in numbers: refused, in bounded memory, and nothing is left outside."""

import gzip
import io
import json
import os
import tarfile
import tempfile
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.process_host.lookup import Lookup, User
from agents.process_host.pull import _pull
from agents.process_host.site import Site
from agents.process_host.trees import Trees
from fairlead.adapters.images import ImageStore
from fairlead.adapters.manifests import OCI_MANIFEST
from fairlead.adapters.platforms import host_platform
from fairlead.adapters.unpack import Limits, Unpacker
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from tests.fixtures.images import LAYER, entry, make_layout, put

TAR = "application/vnd.oci.image.layer.v1.tar"
MIB = 1024 * 1024


def plain(*entries: tuple[tarfile.TarInfo, bytes], kind: int = tarfile.PAX_FORMAT) -> bytes:
    """An archive without compression."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=kind) as archive:
        for member, content in entries:
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()


def extended(**records: str) -> bytes:
    """A file with an extended header."""
    member = tarfile.TarInfo("holes")
    member.size, member.pax_headers = 512, {name.replace("_", "."): value for name, value in records.items()}
    return plain((member, bytes(512)))


GOOD = [
    plain(entry("bin/a", b"x" * 700), entry("b", type=tarfile.SYMTYPE, linkname="bin/a"), kind=kind)
    for kind in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT)
]
GOOD += [plain(entry("n" * 200, b"x")), extended(path="a" * 120)]


def unpack(layer: bytes, root: Path, kind: str = TAR) -> None:
    Unpacker(root, lambda: None, Limits(left_bytes=MIB)).apply(kind, io.BytesIO(layer))


def unpacked(layer: bytes, kind: str = TAR) -> list[str]:
    """What is left beside the tree afterwards, whether it was refused or not."""
    with tempfile.TemporaryDirectory() as outer:
        root = Path(outer, "tree")
        root.mkdir()
        with suppress(Refused):
            unpack(layer, root, kind)
        return os.listdir(outer)


@settings(max_examples=250, deadline=None)
@given(st.data(), st.sampled_from(GOOD))
def test_an_archive_with_any_bytes_changed_is_unpacked_or_refused(data: st.DataObject, layer: bytes) -> None:
    changed = bytearray(layer)
    for place, byte in data.draw(st.lists(st.tuples(st.integers(0, 1535), st.integers(0, 255)), max_size=4)):
        changed[place] = byte
    if data.draw(st.booleans()):
        for start in range(0, 1536, 512):  # let the headers be read in spite of what was changed
            changed[start + 148 : start + 156] = checksum(changed[start : start + 512])
    assert unpacked(bytes(changed)) == ["tree"]


def checksum(block: bytes | bytearray) -> bytes:
    total = 256 + sum(block[:148]) + sum(block[156:512])
    return b"%06o\0 " % total


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from(GOOD))
def test_an_archive_cut_anywhere_is_unpacked_or_refused(data: st.DataObject, layer: bytes) -> None:
    packed = gzip.compress(layer, mtime=0)
    assert unpacked(layer[: data.draw(st.integers(0, len(layer)))]) == ["tree"]
    assert unpacked(packed[: data.draw(st.integers(0, len(packed)))], LAYER) == ["tree"]


HOLES = [
    {"GNU_sparse_map": "0,10,100,10", "GNU_sparse_size": "512"},
    {"GNU_sparse_map": "x", "GNU_sparse_size": "512"},
    {"GNU_sparse_map": "0,1,2", "GNU_sparse_size": "512"},
    {"GNU_sparse_map": "-5,10", "GNU_sparse_size": "512"},
    {"GNU_sparse_map": "0,10", "GNU_sparse_size": "-1"},
    {"GNU_sparse_map": f"0,{10**30}", "GNU_sparse_size": "9" * 30},
    {"GNU_sparse_map": ",".join(["0,1"] * 1000), "GNU_sparse_size": "512"},
    {"GNU_sparse_major": "1", "GNU_sparse_minor": "0", "GNU_sparse_realsize": "9" * 20},
    {"size": "-1"},
    {"size": "9" * 30},
    {"path": "/etc/passwd"},
    {"path": "../out"},
    {"path": "a\0b"},
    {"linkpath": "x" * 70_000},
]


@pytest.mark.parametrize("records", HOLES)
def test_an_extended_header_that_lies_is_unpacked_or_refused(records: dict[str, str]) -> None:
    assert unpacked(extended(**records)) == ["tree"]


@pytest.mark.soak
def test_one_entry_too_many_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    block = tarfile.TarInfo("a").tobuf()
    layer = gzip.compress(block * (Limits().left_entries + 1), compresslevel=1)
    with pytest.raises(Refused) as refusal:
        Unpacker(tmp_path, lambda: None).apply(LAYER, io.BytesIO(layer))
    assert (refusal.value.code, os.listdir(tmp_path)) == (Code.LAYER_TOO_LARGE, [])


def test_a_bomb_takes_little_memory(tmp_path: Path) -> None:
    member = tarfile.TarInfo("bomb")
    member.size = 64 * MIB
    layer = io.BytesIO(gzip.compress(member.tobuf() + bytes(member.size), compresslevel=1))
    tracemalloc.start()
    try:
        with pytest.raises(Refused):
            Unpacker(tmp_path, lambda: None, Limits(left_bytes=MIB)).apply(LAYER, layer)
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()


def test_a_map_of_holes_is_not_even_read(tmp_path: Path) -> None:
    """It would be taken into memory whole."""
    records = {"GNU_sparse_major": "1", "GNU_sparse_minor": "0", "GNU_sparse_realsize": "1"}
    member = tarfile.TarInfo("holes")
    member.size, member.pax_headers = 16 * MIB, {name.replace("_", "."): value for name, value in records.items()}
    holes = member.tobuf(tarfile.PAX_FORMAT) + b"9" * 9 + b"\n" + b"0\n" * 8 * MIB
    layer = io.BytesIO(gzip.compress(holes, compresslevel=1))
    tracemalloc.start()
    try:
        with pytest.raises(Refused) as refusal:
            Unpacker(tmp_path, lambda: None).apply(LAYER, layer)
        assert (refusal.value.code, tracemalloc.get_traced_memory()[1] < 4 * MIB) == (Code.LAYER_UNSAFE, True)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "settings_",
    [
        {"Entrypoint": "sh -c evil"}, {"Cmd": "serve"}, {"Entrypoint": ["a"], "Cmd": {"b": 1}}, {"Cmd": [1]},
        {"Cmd": 7}, {"Cmd": ["a\0b"]}, {"Entrypoint": [["a"]]}, {"Cmd": ["\ud800"]},
    ],
)  # fmt: skip
def test_a_command_that_is_no_list_of_words_is_refused(
    layouts: Path, image_store: ImageStore, tmp_path: Path, settings_: dict[str, object]
) -> None:
    made = make_layout(layouts / "web", "1", {"a": "1"}, settings_)
    with pytest.raises(Refused) as refusal:
        pull(tmp_path / "host", image_store, made.digest)
    assert refusal.value.code is Code.MANIFEST_INVALID


def pull(host: Path, images: ImageStore, digest: str) -> None:
    site, trees = Site(host, Lookup(User(None, None), ())), Trees(host)
    with trees.staging(lambda: None) as stage:
        _pull(images, stage, site, "oci-layout:web", digest, lambda: None)


def test_layers_that_say_they_are_too_large_are_not_even_fetched(
    layouts: Path, image_store: ImageStore, tmp_path: Path
) -> None:
    config = put(layouts / "web", b"{}")
    layer = {"mediaType": LAYER, "digest": "sha256:" + "0" * 64, "size": 2**62}
    manifest = {"mediaType": OCI_MANIFEST, "config": {"mediaType": "x/y", "digest": config, "size": 2}}
    digest = put(layouts / "web", json.dumps({**manifest, "layers": [layer]}).encode())
    with pytest.raises(Refused) as refusal:
        pull(tmp_path / "host", image_store, digest)
    assert refusal.value.code is Code.LAYER_TOO_LARGE


@pytest.mark.parametrize("depth", [1, 2, 50])
def test_an_index_of_indexes_is_refused_however_deep(layouts: Path, image_store: ImageStore, depth: int) -> None:
    os_, _, architecture = host_platform().partition("/")
    digest = put(layouts / "web", b'{"manifests":[]}')
    for _ in range(depth):
        child = {"mediaType": OCI_MANIFEST, "digest": digest, "size": 1}
        platform = {"os": os_, "architecture": architecture}
        digest = put(layouts / "web", json.dumps({"manifests": [{**child, "platform": platform}]}).encode())
    with pytest.raises(Refused) as refusal:
        image_store.select("oci-layout:web", digest)
    assert refusal.value.code is Code.MANIFEST_INVALID
