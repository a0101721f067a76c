"""Layers become a tree, and nothing reaches out of it."""

import gzip
import io
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead.adapters import unpack as unpack_module
from fairlead.adapters.unpack import Limits, Unpacker
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from tests.fixtures.images import LAYER, entry, tar_of, tar_with

TAR = "application/vnd.oci.image.layer.v1.tar"
Entries = tuple[tuple[tarfile.TarInfo, bytes], ...]


def unpack(root: Path, *layers: bytes, limits: Limits | None = None, media_type: str = LAYER) -> None:
    unpacker = Unpacker(root, lambda: None, limits or Limits())
    for layer in layers:
        unpacker.apply(media_type, io.BytesIO(layer))


def link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, type=tarfile.SYMTYPE, linkname=target)


def hard(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, type=tarfile.LNKTYPE, linkname=target)


def folder(name: str) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, type=tarfile.DIRTYPE)


@pytest.fixture(params=[unpack_module._FLOOR, None], ids=["with tarfile's filter", "without"])
def floor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old patch releases of Python have no filter of their own; our rules must hold alone."""
    monkeypatch.setattr(unpack_module, "_FLOOR", request.param)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "outer" / "tree"
    root.mkdir(parents=True)
    return root


def test_layers_are_applied_in_order(root: Path) -> None:
    unpack(root, tar_of({"a": "1", "b/c": "1"}), tar_of({"b/c": "2"}))
    assert (root / "a").read_text() == "1"
    assert (root / "b/c").read_text() == "2"


def test_plain_archives_are_read_too(root: Path) -> None:
    unpack(root, gzip.decompress(tar_of({"a": "1"})), media_type=TAR)
    assert (root / "a").read_text() == "1"


def test_links_inside_the_tree_are_kept(root: Path) -> None:
    entries = (
        entry("bin/real", b"x"),
        link("bin/soft", "real"),
        link("deep/er/up", "../../bin/real"),
        hard("hard", "bin/real"),
    )
    unpack(root, tar_with(folder("./"), *entries))
    assert (root / "bin/soft").read_text() == "x"
    assert (root / "deep/er/up").read_text() == "x"
    assert (root / "hard").stat().st_ino == (root / "bin/real").stat().st_ino


def test_modes_are_harmless_and_readable(root: Path) -> None:
    unpack(
        root,
        tar_with(
            entry("run", b"x", mode=0o6777), entry("data", b"x", mode=0o600), entry("d", type=tarfile.DIRTYPE, mode=0)
        ),
    )
    modes = {name: stat.S_IMODE((root / name).stat().st_mode) for name in ("run", "data", "d")}
    assert modes == {"run": 0o755, "data": 0o644, "d": 0o755}


def test_a_whiteout_hides_what_lower_layers_brought(root: Path) -> None:
    unpack(root, tar_of({"a": "1", "d/e": "1", "keep": "1"}), tar_of({".wh.a": "", ".wh.d": ""}))
    assert os.listdir(root) == ["keep"]


def test_a_whiteout_leaves_what_its_own_layer_brings(root: Path) -> None:
    unpack(root, tar_of({"d/old": "1"}), tar_of({"d/new": "2", "d/.wh..wh..opq": "", "d/.wh.new": ""}))
    assert os.listdir(root / "d") == ["new"]


def test_an_upper_layer_may_replace_a_folder_by_a_file_and_back(root: Path) -> None:
    unpack(root, tar_of({"x/y": "1", "z": "1"}), tar_with(entry("x", b"2"), folder("z"), entry("z/a", b"2")))
    assert ((root / "x").read_text(), (root / "z/a").read_text()) == ("2", "2")


def test_replacing_one_name_of_a_file_leaves_the_other(root: Path) -> None:
    unpack(root, tar_with(entry("a", b"1"), hard("b", "a")), tar_of({"a": "2"}))
    assert ((root / "a").read_text(), (root / "b").read_text()) == ("2", "1")


@pytest.mark.parametrize(
    "entries",
    [
        (entry("../out", b"x"),),
        (entry("a/../../out", b"x"),),
        (entry("/out", b"x"),),
        (entry("a/" * 70 + "deep", b"x"),),
        (entry("n" * 256, b"x"),),
        (entry("./", b"x"),),
        (link("out", "/etc/passwd"),),
        (link("out", "../../etc"),),
        (link("out", "x/../.."),),
        (link(".", "x"),),
        (link("here", "."), link("out", "here/..")),
        (link("d", "e"), entry("d/file", b"x")),
        (folder("e"), link("d", "e"), entry("d/file", b"x")),
        (entry("f", b"x"), link("d/up", "../f"), hard("up", "d/up")),
        (hard("a", "../../secret"),),
        (hard("a", "/etc/passwd"),),
        (hard("a", "nothing"),),
        (folder("d"), hard("a", "d")),
        (entry("dev", type=tarfile.CHRTYPE),),
        (entry("dev", type=tarfile.BLKTYPE),),
        (entry("pipe", type=tarfile.FIFOTYPE),),
        (entry(".wh.."),),
        (entry(".wh..."),),
        (entry("d/.wh."),),
        (entry("../.wh.tree"),),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("floor")
def test_what_could_reach_out_is_refused(root: Path, entries: Entries) -> None:
    (root.parent / "secret").write_text("x")
    with pytest.raises(Refused) as refusal:
        unpack(root, tar_with(*entries))
    assert refusal.value.code == Code.LAYER_UNSAFE
    assert os.listdir(root.parent.parent) == ["outer"]
    assert sorted(os.listdir(root.parent)) == ["secret", "tree"]


def bomb(size: int) -> bytes:
    """Small to carry, large to unpack."""
    member = tarfile.TarInfo("bomb")
    member.size = size
    return gzip.compress(member.tobuf() + bytes(size), compresslevel=1)


def long_header() -> bytes:
    """An extended header that a reader takes into memory whole."""
    member = tarfile.TarInfo("a")
    member.pax_headers = {"comment": "x" * 2 * 1024 * 1024}
    return member.tobuf(tarfile.PAX_FORMAT)


@pytest.mark.parametrize(
    ("layer", "limits"),
    [
        (tar_of({"a": "x" * 101}), Limits(left_bytes=100)),
        (tar_of({"a": "x" * 60, "b": "x" * 60}), Limits(left_bytes=100)),
        (tar_of({str(n): "" for n in range(11)}), Limits(left_entries=10)),
        (bomb(80 * 1024 * 1024), Limits(left_bytes=100)),
        (gzip.compress(long_header()), Limits()),
    ],
    ids=["bytes", "sum", "entries", "bomb", "header"],
)
def test_what_would_fill_disk_or_memory_is_refused_before_anything_is_written(
    root: Path, layer: bytes, limits: Limits
) -> None:
    with pytest.raises(Refused) as refusal:
        unpack(root, layer, limits=limits)
    assert refusal.value.code == Code.LAYER_TOO_LARGE
    assert os.listdir(root) == []


def test_a_negative_size_is_refused(root: Path) -> None:
    member = tarfile.TarInfo("a")
    member.size = -1024
    with pytest.raises(Refused):
        unpack(root, gzip.compress(member.tobuf(tarfile.GNU_FORMAT) * 2))


def test_limits_hold_over_all_layers_together(root: Path) -> None:
    with pytest.raises(Refused) as refusal:
        unpack(root, tar_of({"a": "x" * 60}), tar_of({"b": "x" * 60}), limits=Limits(left_bytes=100))
    assert refusal.value.code == Code.LAYER_TOO_LARGE


@pytest.mark.parametrize(
    ("layer", "media_type"),
    [
        (b"", LAYER),
        (b"no archive", LAYER),
        (b"no archive" * 100, TAR),
        (tar_of({"a": "x" * 10_000})[:-20], LAYER),
        (tar_of({"a": "x"}), LAYER.replace("gzip", "zstd")),
        (tar_of({"a": "x"}), "application/octet-stream"),
    ],
    ids=["empty", "noise", "plain noise", "cut short", "zstd", "unknown"],
)
def test_what_is_no_layer_is_refused(root: Path, layer: bytes, media_type: str) -> None:
    with pytest.raises(Refused) as refusal:
        unpack(root, layer, media_type=media_type)
    assert refusal.value.code == Code.MANIFEST_INVALID


PARTS = st.sampled_from(["a", "b", "..", ".", "", ".wh.a", ".wh..wh..opq", ".wh..."])
NAMES = st.lists(PARTS, min_size=1, max_size=5).map("/".join)
TYPES = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
LAYERS = st.lists(st.lists(st.tuples(NAMES, TYPES, NAMES), max_size=8), max_size=3)


def everything(root: Path) -> Iterator[Path]:
    for at, folders, files in os.walk(root):
        yield from (Path(at, name) for name in folders + files)


@pytest.mark.usefixtures("floor")
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LAYERS)
def test_no_archive_whatever_reaches_out_of_its_tree(layers: list[list[tuple[str, bytes, str]]]) -> None:
    with tempfile.TemporaryDirectory() as outer:
        root = Path(outer, "x/y/tree")
        root.mkdir(parents=True)
        with suppress(Refused):
            for members in layers:
                unpack(root, tar_with(*(entry(name, type=kind, linkname=target) for name, kind, target in members)))
        assert [os.listdir(folder) for folder in (outer, root.parent.parent, root.parent)] == [["x"], ["y"], ["tree"]]
        assert all(path.resolve().is_relative_to(root.resolve()) for path in everything(root) if not is_loop(path))


def is_loop(path: Path) -> bool:
    """A link that leads to itself leads nowhere."""
    try:
        path.resolve(strict=True)
    except FileNotFoundError:
        return False
    except (OSError, RuntimeError):
        return True
    return False
