"""Sealing statements into a project's ledger, and taking evidence out again: bundles, checkpoints, the trust file."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from fairlead.contracts.canonical import Digest
from fairlead.evidence.statements import Statement
from fairlead.ports import Signer


def seal(
    s: Session,
    signer: Signer,
    *,
    project: str,
    key: str,
    kind: str,
    promotion: str | None,
    statement: Statement,
    time: datetime,
) -> Digest:
    """Sign a statement and append it to the ledger, once per `key`; answers its digest. Another statement under the key: Conflict."""
    raise NotImplementedError


def statements_of(s: Session, project: str, promotion: str) -> tuple[Digest, ...]:
    """Every statement that the promotion's outcome must name, in ledger order: release statements and all that name the promotion."""
    raise NotImplementedError


def export_bundle(
    s: Session, ledger_signer: Signer, promotion: str, now: datetime, *, since: str | None = None
) -> dict[str, Any]:
    """The promotion's bundle, proved against a checkpoint made now. With `since` (a checkpoint's text) a consistency proof from there."""
    raise NotImplementedError


def checkpoint(s: Session, ledger_signer: Signer, project: str) -> str:
    """The ledger's head as a signed note."""
    raise NotImplementedError


def trust_file(
    s: Session, project: str, *, decision: Signer, ledger: Signer, agents: Mapping[str, Signer]
) -> dict[str, Any]:
    """The keys to trust: the server's (agents by name) and those of the people in the catalogue."""
    raise NotImplementedError
