"""Imported reports about digests."""

from sqlmodel import Session

from fairlead.contracts.canonical import Digest
from fairlead.contracts.records import ReportRecord


def add(s: Session, report: ReportRecord) -> ReportRecord:
    """Keep a report; the document itself is an artifact."""
    raise NotImplementedError


def of_digest(s: Session, project: str, digest: Digest) -> list[ReportRecord]:
    """Reports about a digest, newest first."""
    raise NotImplementedError
