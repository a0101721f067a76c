"""What the API takes besides JSON of its own: catalogues as text or with files, cursors and Idempotency-Keys."""

import base64
import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages import _read, _write
from fairlead.domain.errors import BadInput
from tests.api.office import SHOP_PATH, Office, catalogue_text
from tests.fixtures.postgres import FreshDatabase

BUNDLED = "application/vnd.fairlead.catalogue+json"
YAML = "application/yaml"
TEXT = catalogue_text()


def with_files(**files: object) -> str:
    return json.dumps({"catalogue": TEXT, "files": files})


CATALOGUES: dict[str, tuple[str, str | bytes, set[str]]] = {
    "10 MB": (YAML, TEXT + "# " + "x" * 10_000_000, {"document_too_large"}),
    "10 MB of files": (BUNDLED, with_files(**{"a.yml": "x" * 10_000_000}), {"document_too_large"}),
    "1,000 levels": (YAML, "project: shop\nx: " + "[" * 1000 + "]" * 1000, {"document_too_deep"}),
    "1,000 levels of JSON": (BUNDLED, "[" * 1000 + "]" * 1000, {"document_too_deep"}),
    "anchors": (YAML, "a: &a [1]\nb: [*a, *a]", {"document_malformed"}),
    "anchors in the catalogue of a bundle": (BUNDLED, json.dumps({"catalogue": "a: &a 1\nb: *a"}), {"document_malformed"}),
    "tags": (YAML, "project: !!python/name:os.system x", {"document_malformed"}),
    "a key twice": (YAML, TEXT + "project: shop\n", {"duplicate_key"}),
    "a key of a bundle twice": (BUNDLED, '{"catalogue": "a", "catalogue": "b"}', {"duplicate_key"}),
    "NUL": (YAML, TEXT.replace("serve", "a\0b"), {"document_malformed"}),
    "NUL in a bundle": (BUNDLED, json.dumps({"catalogue": "a\0b"}), {"document_malformed"}),
    "a surrogate": (BUNDLED, '{"catalogue": "\\ud800"}', {"document_malformed"}),
    "no UTF-8": (YAML, b"project: \xff", {"document_malformed"}),
    "no object": (BUNDLED, "[]", {"bad_request"}),
    "no catalogue": (BUNDLED, "{}", {"bad_request"}),
    "an unknown field": (BUNDLED, json.dumps({"catalogue": TEXT, "more": 1}), {"bad_request"}),
    "a file that is no text": (BUNDLED, with_files(**{"a.yml": 7}), {"bad_request"}),
    "a homoglyph": (YAML, TEXT.replace("dev-1", "d\u0435v-1"), {"bad_name", "bad_value"}),
    "a name out of its folder": (YAML, TEXT.replace("dev-1", "../dev"), {"bad_name", "bad_value"}),
    "a repository out of its folder": (YAML, TEXT.replace("oci-layout:shop", "oci-layout:.."), {"bad_value"}),
    "no number": (YAML, TEXT.replace("count: 2", "count: .nan"), {"bad_value"}),
    "a number without end": (YAML, TEXT.replace("count: 2", "count: 1e400"), {"bad_value"}),
    "a number too large": (YAML, TEXT.replace("count: 2", f"count: {2**63}"), {"bad_value"}),
    "less than nothing": (YAML, TEXT.replace("count: 2", "count: -0"), {"bad_value"}),
    "a duration without end": (YAML, TEXT.replace("50ms", "9" * 400 + "d"), {"bad_duration"}),
}  # fmt: skip

FILE_NAMES = [
    "../x.yml",
    "/etc/passwd",
    "a/../../x",
    "",
    ".",
    "a\\b",
    "a\u202eb",
    "\u0430.yml",
    "a" * 300,
    "a//b",
    "~/x",
]


@pytest.fixture
def office(postgres: FreshDatabase) -> Iterator[Office]:
    """The shop's API."""
    made = Office(postgres)
    yield made
    made.wakeups.close()


async def test_every_catalogue_that_is_none_is_refused_with_its_code(office: Office) -> None:
    taken = {}
    async with office.client("integration:ci", scope="admin") as admin:
        for name, (kind, content, codes) in CATALOGUES.items():
            answer = await admin.put(SHOP_PATH, content=content, headers={"Content-Type": kind})
            if answer.status_code != 422 or answer.json()["code"] not in codes:
                taken[name] = answer.status_code, answer.json().get("code")
        assert taken == {}
        assert (await admin.get(SHOP_PATH)).json()["revision"] == 1


async def test_no_file_of_a_catalogue_has_a_name_that_leads_elsewhere(office: Office) -> None:
    async with office.client("integration:ci", scope="admin") as admin:
        answers = [
            await admin.put(SHOP_PATH, content=with_files(**{name: "x"}), headers={"Content-Type": BUNDLED})
            for name in FILE_NAMES
        ]
    assert [answer.status_code for answer in answers] == [422] * len(FILE_NAMES)


PLACES = [
    "",
    "after:",
    "after:x",
    "after:nan",
    "after:1e400",
    f"after:{2**63}",
    "after:" + "9" * 60,
    "before:1",
    "after:\0",
]


@pytest.mark.parametrize("path", ["promotions", "releases"])
async def test_a_cursor_that_no_list_gave_is_refused(office: Office, path: str) -> None:
    async with office.client() as ana:
        for place in PLACES:
            cursor = base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")
            answer = await ana.get(f"{SHOP_PATH}/{path}", params={"cursor": cursor})
            assert (answer.status_code, answer.json()["code"] in {"bad_cursor", "bad_request"}) == (422, True), place


@given(st.text(max_size=100))
def test_any_text_is_a_cursor_or_none(text: str) -> None:
    try:
        place = _read(text)
    except BadInput:
        return
    assert isinstance(place, int)


@given(st.integers(0, 2**53))
def test_a_cursor_leads_back_to_its_place(place: int) -> None:
    assert _read(_write(place)) == place


KEYS = {"": 422, "a": 404, "~" * 255: 404, "x" * 256: 422, "a\tb": 422, "\xe4": 422, "\x7f": 422, "k" * 10_000: 422}


async def test_an_idempotency_key_is_short_printable_text(office: Office) -> None:
    async with office.client() as ana:
        for key, status in KEYS.items():
            headers = [(b"Idempotency-Key", key.encode("latin-1"))]
            wanted = {"release": "9", "environment": "dev"}
            answer = await ana.post(f"{SHOP_PATH}/promotions", json=wanted, headers=headers)
            assert answer.status_code == status, key
