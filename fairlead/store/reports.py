"""Imported reports about digests."""

from sqlmodel import Session, col, select

from fairlead.contracts.canonical import Digest
from fairlead.contracts.records import ReportRecord
from fairlead.store.rows import as_record
from fairlead.store.tables.facts import Report


def add(s: Session, report: ReportRecord) -> ReportRecord:
    """Keep a report; the document itself is an artifact."""
    s.add(Report(**report.model_dump()))
    s.flush()
    return report


def of_digest(s: Session, project: str, digest: Digest) -> list[ReportRecord]:
    """Reports about a digest, newest first."""
    about = select(Report).where(Report.project == project, Report.digest == digest)
    return [as_record(ReportRecord, row) for row in s.exec(about.order_by(col(Report.id).desc()))]
