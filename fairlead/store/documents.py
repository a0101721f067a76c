"""Plans, facts and artifacts: JSON values kept as their canonical bytes, under the digest of these."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from fairlead.contracts.canonical import Digest, digest_bytes
from fairlead.store.rows import canonical_or_refuse, insert_all_once, insert_once, read_canonical
from fairlead.store.tables.facts import ArtifactDocument, Document, FactsDocument, PlanDocument


def put_plan(s: Session, project: str, value: Any) -> Digest:
    """Keep a plan (JSON value or model)."""
    return _put(s, PlanDocument, project, value)


def plan(s: Session, digest: Digest) -> Any | None:
    """A plan as its JSON value."""
    return _read(s, PlanDocument, digest)


def plan_content(s: Session, digest: Digest) -> bytes | None:
    """A plan as its canonical bytes."""
    return _content(s, PlanDocument, digest)


def put_facts(s: Session, project: str, value: Any) -> Digest:
    """Keep facts (JSON value or model)."""
    return _put(s, FactsDocument, project, value)


def put_all_facts(s: Session, project: str, values: Sequence[Any]) -> list[Digest]:
    """Keep many facts in one statement."""
    return _put_all(s, FactsDocument, project, values)


def facts(s: Session, digest: Digest) -> Any | None:
    """Facts as their JSON value."""
    return _read(s, FactsDocument, digest)


def put_artifact(s: Session, project: str, value: Any) -> Digest:
    """Keep an artifact (JSON value or model)."""
    return _put(s, ArtifactDocument, project, value)


def put_all_artifacts(s: Session, project: str, values: Sequence[Any]) -> list[Digest]:
    """Keep many artifacts in one statement."""
    return _put_all(s, ArtifactDocument, project, values)


def artifact(s: Session, digest: Digest) -> Any | None:
    """An artifact as its JSON value."""
    return _read(s, ArtifactDocument, digest)


def put_file(s: Session, project: str, content: str) -> Digest:
    """Keep a text file among the artifacts, under the digest of its bytes."""
    data = content.encode()
    digest = digest_bytes(data)
    insert_once(s, ArtifactDocument(digest=digest, project=project, content=data))
    return digest


def file(s: Session, digest: Digest) -> str | None:
    """A kept file's text."""
    content = _content(s, ArtifactDocument, digest)
    return None if content is None else content.decode()


def file_of(s: Session, project: str, digest: Digest) -> str | None:
    """A kept file's text, of one project alone."""
    query = select(ArtifactDocument.content).where(
        ArtifactDocument.digest == digest, ArtifactDocument.project == project
    )
    content = s.exec(query).one_or_none()
    return None if content is None else content.decode()


def _put(s: Session, table: type[Document], project: str, value: Any) -> Digest:
    content = canonical_or_refuse(value)
    digest = digest_bytes(content)
    insert_once(s, table(digest=digest, project=project, content=content))
    return digest


def _put_all(s: Session, table: type[Document], project: str, values: Sequence[Any]) -> list[Digest]:
    """In the order of their digests, so that no two transactions wait for each other. A plan that is made again has most of them already."""
    contents = [canonical_or_refuse(value) for value in values]
    digests = [digest_bytes(content) for content in contents]
    there = set(s.exec(select(table.digest).where(table.project == project, col(table.digest).in_(set(digests)))))
    missing = {digest: content for digest, content in zip(digests, contents, strict=True) if digest not in there}
    rows = [table(digest=digest, project=project, content=content) for digest, content in sorted(missing.items())]
    insert_all_once(s, rows)
    return digests


def _read(s: Session, table: type[Document], digest: Digest) -> Any | None:
    content = _content(s, table, digest)
    return None if content is None else read_canonical(content)


def _content(s: Session, table: type[Document], digest: Digest) -> bytes | None:
    return s.exec(select(table.content).where(table.digest == digest).limit(1)).one_or_none()
