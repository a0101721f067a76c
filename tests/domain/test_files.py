"""Files that components name belong to the catalogue, and by digest to a release's identity."""

import json
from typing import Any

import pytest

from fairlead.commands.catalogue import diff, document, load, parse
from fairlead.domain import files
from fairlead.domain.blocks import Block
from fairlead.domain.catalogue_document import template
from fairlead.domain.catalogue_rules import read
from fairlead.domain.codes import Code
from fairlead.domain.component_rules import read_template
from fairlead.domain.errors import BadInput
from fairlead.domain.target_kinds import SECTIONS
from tests.domain.documents import good_with

CONTENT = "services: {}\n"


def _reader(block: Block) -> dict[str, Any]:
    section = {"file": block.text("file", required=True)}
    block.close()
    return section


@pytest.fixture(autouse=True)
def _section(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SECTIONS, "trial", _reader)


def naming(path: str, given: dict[str, str]) -> dict[str, Any]:
    return {**good_with("components/web/trial", {"file": path}), "files": given}


def test_a_named_file_is_part_of_the_template() -> None:
    web = load(naming("deploy/web.yml", {"deploy/web.yml": CONTENT})).components["web"]
    assert web.files == {"deploy/web.yml": files.digest_of_file(CONTENT)}
    assert template(web)["files"] == web.files
    assert read_template("web", web.repository, template(web)) == web


def test_what_came_beside_the_catalogue_counts_first() -> None:
    text = json.dumps(naming("web.yml", {"web.yml": "old"}))
    assert parse(text, files={"web.yml": CONTENT}).files == {"web.yml": CONTENT}
    assert parse(text).files == {"web.yml": "old"}


def test_the_normal_form_reads_back() -> None:
    catalogue = load(naming("web.yml", {"web.yml": CONTENT}))
    assert load(document(catalogue)) == catalogue


def test_a_changed_file_is_a_change() -> None:
    old, new = (load(naming("web.yml", {"web.yml": content})) for content in ("a", "b"))
    assert [(change.kind, change.name, change.action) for change in diff(old, new)] == [("file", "web.yml", "change")]


def test_a_file_that_did_not_come_is_told_where_it_is_named() -> None:
    with pytest.raises(BadInput) as refused:
        load(naming("web.yml", {}))
    assert [(flaw.code, flaw.pointer) for flaw in refused.value.flaws] == [
        (Code.FILE_MISSING, "/components/web/trial/file")
    ]


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../x", "a/../b", "a//b", ".", "", "a b", "a\\b", "x" * 201, ".git/config"]
)
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    assert not files.is_path(path)
    assert Code.BAD_VALUE in {flaw.code for flaw in read(naming(path, {path: CONTENT})).flaws}


def test_a_large_file_is_refused() -> None:
    large = "x" * (files.MAX_FILE_BYTES + 1)
    assert {flaw.code for flaw in read(naming("a", {"a": large})).flaws} == {Code.DOCUMENT_TOO_LARGE}


@pytest.mark.parametrize(
    "document", [None, [], "x", {"components": 1}, {"components": {"web": {"trial": {"file": 3}}}}]
)
def test_what_is_no_catalogue_names_no_files(document: object) -> None:
    assert files.named_files(document) == ()
