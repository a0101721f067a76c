"""What counts as a manifest, and how platforms are told apart."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.adapters.manifests import DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Index, Manifest, parse
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused

DIGEST = "sha256:" + "1" * 64
BLOB = {"mediaType": "application/octet-stream", "digest": "sha256:" + "2" * 64, "size": 3}
IMAGE = {"schemaVersion": 2, "config": BLOB, "layers": [BLOB]}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*IMAGE, *BLOB, "manifests", "platform"]), inner)
    ),
    max_leaves=12,
)


def read(document: object, content_type: str | None = None) -> Manifest | Index:
    return parse(DIGEST, json.dumps(document).encode(), content_type)


def entry(platform: object, kind: str = OCI_MANIFEST) -> dict[str, object]:
    return {**BLOB, "mediaType": kind, "platform": platform}


@pytest.mark.parametrize("kind", [OCI_MANIFEST, DOCKER_MANIFEST])
def test_both_kinds_of_image_are_read(kind: str) -> None:
    found = read({**IMAGE, "mediaType": kind})
    assert isinstance(found, Manifest)
    assert found.layers == (found.config,)


@pytest.mark.parametrize("kind", [OCI_INDEX, DOCKER_INDEX])
def test_both_kinds_of_index_are_read(kind: str) -> None:
    found = read({"mediaType": kind, "manifests": [entry({"os": "linux", "architecture": "amd64"})]})
    assert isinstance(found, Index)
    assert found.platforms == {"linux/amd64": BLOB["digest"]}


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ({"os": "linux", "architecture": "arm64"}, "linux/arm64"),
        ({"os": "linux", "architecture": "arm64", "variant": "v8"}, "linux/arm64"),
        ({"os": "linux", "architecture": "arm", "variant": "v7"}, "linux/arm/v7"),
        ({"os": "unknown", "architecture": "unknown"}, None),
        ({"os": "linux"}, None),
        (None, None),
    ],
)
def test_platforms_have_one_name(platform: object, name: str | None) -> None:
    found = read({"mediaType": OCI_INDEX, "manifests": [entry(platform)]})
    assert isinstance(found, Index)
    assert list(found.platforms) == ([name] if name else [])


@pytest.mark.parametrize(
    ("document", "content_type"),
    [
        ([], None),
        ({}, None),
        ({**IMAGE, "mediaType": "application/vnd.docker.distribution.manifest.v1+json"}, None),
        (IMAGE, "text/html"),
        ({**IMAGE, "mediaType": OCI_MANIFEST}, OCI_INDEX),
        ({**IMAGE, "mediaType": OCI_INDEX}, None),
        ({**IMAGE, "manifests": []}, None),
        ({**IMAGE, "layers": {}}, None),
        ({**IMAGE, "layers": [BLOB] * 300}, None),
        ({**IMAGE, "config": {**BLOB, "digest": "md5:1"}}, None),
        ({**IMAGE, "config": {**BLOB, "size": -1}}, None),
    ],
)
def test_what_is_no_manifest_is_refused(document: object, content_type: str | None) -> None:
    with pytest.raises(Refused) as refusal:
        read(document, content_type)
    assert refusal.value.code == Code.MANIFEST_INVALID


@given(JSON)
def test_any_json_is_read_or_refused(document: object) -> None:
    with suppress(Refused):
        assert isinstance(read(document), Manifest | Index)
