"""Importing what others found out about an image: Trivy reports and OpenVEX documents, each about one manifest digest."""

from datetime import datetime

from fairlead.contracts.records import ReportRecord
from fairlead.store.database import Database

MAX_REPORT_BYTES = 16 * 1024 * 1024


def import_report(
    db: Database, project: str, digest: str, content: bytes, *, actor: str, now: datetime
) -> ReportRecord:
    """Keep a report about an image.

    Raises NotFound (project_not_found) and BadInput (document_too_large, document_malformed, bad_reference, report_invalid,
    digest_mismatch when the report says that it is about another image).
    """
    raise NotImplementedError
