"""Importing reports about images."""

import json
from typing import Any

import pytest

from fairlead.commands import reports
from fairlead.contracts.names import project_subject
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, NotFound
from fairlead.store import documents, history
from fairlead.store import reports as kept
from tests.commands.world import NOW, World, digest
from tests.domain.test_findings import A, B, openvex, statement, trivy


def bring(world: World, document: Any, about: str = A, project: str = "shop") -> Any:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return reports.import_report(world.db, project, about, content, actor="ana", now=NOW)


@pytest.mark.parametrize(
    ("document", "kind"), [(trivy(("CVE-1", "ssl", "HIGH")), "trivy"), (openvex(statement(A)), "openvex")]
)
def test_a_report_is_kept_with_its_document_and_an_event(world: World, document: Any, kind: str) -> None:
    record = bring(world, document)
    with world.db.session() as s:
        assert kept.of_digest(s, "shop", A) == [record]
        assert documents.artifact(s, record.document) == document
        event = history.events(s, project_subject("shop"))[-1]
    assert (record.kind, event.type, event.data["digest"]) == (kind, "report_imported", A)


@pytest.mark.parametrize(
    ("document", "about", "code"),
    [
        (b"not json", A, Code.DOCUMENT_MALFORMED),
        (b"\xff", A, Code.DOCUMENT_MALFORMED),
        (b'{"SchemaVersion": 2, "ArtifactName": NaN}', A, Code.DOCUMENT_MALFORMED),
        (b'{"SchemaVersion": 2, "SchemaVersion": 2, "ArtifactName": "x"}', A, Code.DUPLICATE_KEY),
        (b"[" * 200_000, A, Code.DOCUMENT_TOO_DEEP),
        (b" " * (reports.MAX_REPORT_BYTES + 1), A, Code.DOCUMENT_TOO_LARGE),
        ({**trivy(), "Size": 2**60}, A, Code.DOCUMENT_MALFORMED),
        ({**trivy(), "ArtifactName": "\ud800"}, A, Code.DOCUMENT_MALFORMED),
        ({"hello": "world"}, A, Code.REPORT_INVALID),
        ([], A, Code.REPORT_INVALID),
        ({**trivy(), "Results": "none"}, A, Code.REPORT_INVALID),
        (openvex({}), A, Code.DIGEST_MISMATCH),
        (trivy(about=B), A, Code.DIGEST_MISMATCH),
        (openvex(statement(B)), A, Code.DIGEST_MISMATCH),
        (trivy(), "1.0.0", Code.BAD_REFERENCE),
        (trivy(), "sha256:" + "A" * 64, Code.BAD_REFERENCE),
    ],
)
def test_what_is_no_report_about_this_image_is_refused(world: World, document: Any, about: str, code: Code) -> None:
    with pytest.raises(BadInput) as refused:
        bring(world, document, about)
    assert refused.value.code is code
    with world.db.session() as s:
        assert kept.of_digest(s, "shop", A) == []


def test_a_report_into_no_project_is_refused(world: World) -> None:
    with pytest.raises(NotFound):
        bring(world, trivy(), project="shpo")


def test_a_report_may_come_before_its_release(world: World) -> None:
    about = digest("web 9.9.9")
    assert bring(world, trivy(about=about), about).digest == about


def test_what_is_attached_to_a_releases_images_is_imported_once(world: World) -> None:
    image = world.release("1.0.0").manifest.components["web"].digest
    good, junk = json.dumps(trivy(about=image)).encode(), b'{"spdxVersion": "SPDX-2.3"}'
    world.images.documents[image] = [good, junk]
    found, again = (
        reports.import_attached(world.db, world.images, "shop", "1.0.0", actor="ana", now=NOW) for _ in range(2)
    )
    assert [(report.digest, report.kind) for report in found.imported] == [(image, "trivy")]
    assert [(other.digest, other.code) for other in found.passed_over] == [(image, "report_invalid")]
    assert again.imported == ()
