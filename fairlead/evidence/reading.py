"""From a bundle's bytes to a case, refusing every second spelling on the way. Nothing is trusted yet."""

from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from fairlead.contracts.canonical import Digest, canonical
from fairlead.contracts.release import Plan, ReleaseManifest
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.evidence import predicates as p
from fairlead.evidence.bundle import Bundle, BundledEnvelope, ConsistencyProof, hashes, read_bundle
from fairlead.evidence.case import Case, Entry
from fairlead.evidence.checkpoint import Checkpoint, read_checkpoint
from fairlead.evidence.envelope import read_envelope
from fairlead.evidence.limits import MAX_BUNDLE_BYTES, MAX_VOTES, read_canonical
from fairlead.evidence.statement import STATEMENT_PAYLOAD_TYPE, Statement
from fairlead.evidence.trust import Trust

LIMITS: Final = "limits"
FORMAT: Final = "format"
PAYLOAD: Final = "payload"
STATEMENT: Final = "statement"

READING_RULES: Final = {
    LIMITS: "no larger, deeper or longer than is taken at most",
    FORMAT: "a bundle in strict JSON: no key twice, canonical base64, a readable checkpoint",
    PAYLOAD: "every envelope is DSSE with one signature, canonical base64, a known payload type and an RFC 8785 payload",
    STATEMENT: "every payload is an in-toto Statement v1 of a known kind with all that its kind demands",
}

M = TypeVar("M", bound=BaseModel)

_LIMIT_CODES = {Code.DOCUMENT_TOO_LARGE, Code.DOCUMENT_TOO_DEEP}


class Unreadable(BadInput):
    """Reading ended at this rule."""

    def __init__(self, rule: str, problem: str) -> None:
        super().__init__(Code.DOCUMENT_MALFORMED, problem)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Since:
    """What consistency is asked with: an older checkpoint's text and, unless the bundle holds it, the proof."""

    checkpoint: str
    proof: tuple[str, ...] | None = None


def read_case(data: bytes, trust: Trust, since: Since | None = None) -> Case:
    """Read a bundle. Raises Unreadable, naming the rule that failed."""
    try:
        bundle = read_bundle(data)
        checkpoint = read_checkpoint(bundle.checkpoint)
        old, consistency = _consistency(bundle, since)
    except BadInput as error:
        _unreadable(FORMAT, error)
    entries = tuple(_read_entry(position, item) for position, item in enumerate(bundle.envelopes))
    return Case(
        trust=trust,
        promotion=bundle.promotion,
        entries=entries,
        checkpoint=checkpoint,
        manifests=_manifests(entries),
        plan=_plan(entries),
        since=old,
        consistency=consistency,
    )


def _consistency(bundle: Bundle, since: Since | None) -> tuple[Checkpoint | None, ConsistencyProof | None]:
    held = bundle.consistency
    if since is None:
        return (read_checkpoint(held.since), held) if held else (None, None)
    old = read_checkpoint(since.checkpoint)
    if since.proof is not None:
        return old, ConsistencyProof(since=since.checkpoint, proof=since.proof)
    fits = held is not None and read_checkpoint(held.since).signed == old.signed
    return old, held if fits else None


def _read_entry(position: int, item: BundledEnvelope) -> Entry[p.AnyPredicate]:
    where = f"envelope {position}"
    try:
        proof = tuple(hashes(item.proof))
    except BadInput as error:
        _unreadable(FORMAT, error, where)
    try:
        opened = read_envelope(item.envelope)
        if opened.payload_type != STATEMENT_PAYLOAD_TYPE:
            raise BadInput(Code.DOCUMENT_MALFORMED, f"payload type {opened.payload_type!r} is not known")
        read_canonical(opened.payload, max_bytes=MAX_BUNDLE_BYTES)
    except BadInput as error:
        _unreadable(PAYLOAD, error, where)
    statement = _parsed(Statement, opened.payload, where)
    return Entry(
        position=position,
        index=item.index,
        proof=proof,
        envelope=item.envelope,
        opened=opened,
        statement=statement,
        predicate=_predicate(statement, where),
    )


def _predicate(statement: Statement, where: str) -> p.AnyPredicate:
    model = p.PREDICATES.get(statement.predicate_type)
    if model is None:
        raise Unreadable(STATEMENT, f"{where}: predicate type {statement.predicate_type!r} is not known")
    predicate = _parsed(model, canonical(statement.predicate), where)
    if isinstance(predicate, p.VotesPredicate) and len(predicate.votes) > MAX_VOTES:
        raise Unreadable(LIMITS, f"{where}: more than {MAX_VOTES} votes")
    return predicate


def _manifests(entries: tuple[Entry[p.AnyPredicate], ...]) -> dict[Digest, ReleaseManifest]:
    return {
        entry.predicate.release: _verbatim(ReleaseManifest, entry.predicate.manifest, str(entry))
        for entry in entries
        if isinstance(entry.predicate, p.ReleasePredicate)
    }


def _plan(entries: tuple[Entry[p.AnyPredicate], ...]) -> Plan | None:
    for entry in entries:
        if isinstance(entry.predicate, p.DecisionPredicate) and entry.predicate.plan_document is not None:
            return _verbatim(Plan, entry.predicate.plan_document, str(entry))
    return None


def _verbatim(model: type[M], document: dict[str, Any], where: str) -> M:
    return _parsed(model, canonical(document), where)


def _parsed(model: type[M], data: bytes, where: str) -> M:
    try:
        return model.model_validate_json(data, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        field = "/".join(str(step) for step in first["loc"])
        raise Unreadable(STATEMENT, f"{where}: {field}: {first['msg']}") from error


def _unreadable(rule: str, error: BadInput, where: str = "") -> NoReturn:
    found = LIMITS if error.code in _LIMIT_CODES else rule
    raise Unreadable(found, f"{where}: {error.detail}" if where else error.detail) from error
