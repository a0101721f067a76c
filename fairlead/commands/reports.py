"""Importing what others found out about an image: Trivy reports and OpenVEX documents, each about one manifest digest."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from fairlead.commands.catalogue import of_project
from fairlead.commands.releases import require_release
from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest, digest_of, is_digest
from fairlead.contracts.names import project_subject
from fairlead.contracts.records import ReportRecord
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.domain.findings import TRIVY, ReportError, kind_of, named_digests, read_openvex, read_trivy
from fairlead.evidence.limits import read_json
from fairlead.ports import Images
from fairlead.store import documents, history, reports
from fairlead.store.database import Database

MAX_REPORT_BYTES = 64 * 1024 * 1024


def import_report(
    db: Database, project: str, digest: str, content: bytes, *, actor: str, now: datetime
) -> ReportRecord:
    """Keep a report about an image.

    Raises NotFound (project_not_found) and BadInput (bad_reference, those of evidence.limits.read_json,
    report_invalid, report_unbound when it does not say which image it is about, digest_mismatch when it is another).
    """
    if not is_digest(digest):
        raise BadInput(Code.BAD_REFERENCE, f"{digest!r:.80} is not sha256: and 64 hex digits")
    document = read_json(content, max_bytes=MAX_REPORT_BYTES)
    kind = _check(document, digest)
    with db.session() as s:
        of_project(s, project)
        record = ReportRecord(
            project=project,
            digest=digest,
            kind=kind,
            document=_keep(s, project, document),
            imported_at=now,
            imported_by=actor,
        )
        data = {"digest": digest, "kind": kind, "document": record.document}
        history.append_next(
            s, subject=project_subject(project), type="report_imported", time=now, actor=actor, data=data
        )
        return reports.add(s, record)


class PassedOver(Frozen):
    """Something that is attached to an image, and is no report about it."""

    digest: Digest
    attached: Digest
    code: str
    detail: str


class Fetched(Frozen):
    """What was found in the registries."""

    imported: tuple[ReportRecord, ...]
    passed_over: tuple[PassedOver, ...]


def import_attached(db: Database, images: Images, project: str, version: str, *, actor: str, now: datetime) -> Fetched:
    """Import the reports that are attached to a release's images in their registries (OCI referrers). What is here already is not imported again.

    Raises NotFound (release_not_found), and what the registries answer.
    """
    with db.session() as s:
        pinned = require_release(s, project, version).manifest.components.values()
    wanted = {(p.repository, digest) for p in pinned for digest in (p.digest, *(p.platforms or {}).values())}
    imported: list[ReportRecord] = []
    passed: list[PassedOver] = []
    for repository, digest in sorted(wanted):
        for name, content in images.attached(repository, digest, MAX_REPORT_BYTES):
            try:
                if not _is_here(db, project, digest, content):
                    imported.append(import_report(db, project, digest, content, actor=actor, now=now))
            except BadInput as error:
                passed.append(PassedOver(digest=digest, attached=name, code=str(error.code), detail=error.detail))
    return Fetched(imported=tuple(imported), passed_over=tuple(passed))


def _is_here(db: Database, project: str, digest: Digest, content: bytes) -> bool:
    try:
        name = digest_of(read_json(content, max_bytes=MAX_REPORT_BYTES))
    except ValueError:  # without a canonical form: importing it says so
        return False
    with db.session() as s:
        return any(known.document == name for known in reports.of_digest(s, project, digest))


def _keep(s: Session, project: str, document: Any) -> Digest:
    try:
        return documents.put_artifact(s, project, document)
    except ValueError as error:
        raise BadInput(Code.DOCUMENT_MALFORMED, f"the report has no canonical form: {error}") from error


def _check(document: Any, digest: str) -> str:
    """What kind of report it is, once it is one and about this image."""
    kind = kind_of(document)
    if kind is None:
        raise BadInput(Code.REPORT_INVALID, "neither a Trivy report (JSON, schema version 2) nor OpenVEX")
    try:
        if kind == TRIVY:
            _check_trivy(document, digest)
        elif not read_openvex(document, digest):
            raise BadInput(Code.DIGEST_MISMATCH, f"no statement has a product with {digest}")
    except ReportError as error:
        raise BadInput(Code.REPORT_INVALID, str(error)) from error
    return kind


def _check_trivy(document: Any, digest: str) -> None:
    named = named_digests(document)
    if not named:
        detail = "the report names no manifest digest, so it may be about any image"
        raise BadInput(Code.REPORT_UNBOUND, detail, hint="scan the image in its registry: trivy image HOST/PATH@DIGEST")
    if digest not in named:
        raise BadInput(Code.DIGEST_MISMATCH, f"the report is about {', '.join(sorted(named))}")
    read_trivy(document, digest)
