"""Sealing statements into a project's ledger, and taking evidence out again: bundles, checkpoints, the trust file."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from fairlead.commands.catalogue import of_project
from fairlead.contracts.canonical import Digest
from fairlead.contracts.records import EnvelopeRecord
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound
from fairlead.evidence import bundle, envelope, statements
from fairlead.evidence.checkpoint import sign_checkpoint
from fairlead.evidence.keys import key_id, load_public_key
from fairlead.evidence.ledger import Tree
from fairlead.evidence.predicates import DeploymentPredicate, KeyPredicate, OutcomePredicate, RollbackPredicate
from fairlead.evidence.statement import Statement
from fairlead.evidence.trust import AGENT_PREFIX, DECISION, LEDGER, VOTER_PREFIX
from fairlead.ports import Signer
from fairlead.store import ledger, promotions, releases

ADDED = "added"
RETIRED = "retired"


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
    record = ledger.seal(
        s,
        project=project,
        key=key,
        kind=kind,
        promotion=promotion,
        statement=statement.digest,
        envelope=envelope.seal(signer, statement),
        time=time,
    )
    return record.statement


def statements_of(s: Session, project: str, promotion: str) -> tuple[Digest, ...]:
    """Every statement that the promotion's outcome must name, in ledger order: release statements and all that name the promotion."""
    kept = _bundled(s, project, promotion)
    return tuple(record.statement for record in kept if record.kind != OutcomePredicate.KIND)


def export_bundle(s: Session, ledger_signer: Signer, promotion: str, *, since: str | None = None) -> dict[str, Any]:
    """The promotion's bundle, proved against a checkpoint made now. With `since` (a checkpoint's text) a consistency proof from there.

    Raises NotFound (promotion_not_found) and BadInput for a `since` that is no checkpoint of this ledger's past.
    """
    record = promotions.get(s, promotion)
    if record is None:
        raise NotFound(Code.PROMOTION_NOT_FOUND, f"there is no promotion {promotion}")
    tree = Tree(ledger.leaf_hashes(s, record.project))
    # what was sealed since the leaves were read is not in this tree, nor in this bundle
    kept = {item.index: item.envelope for item in _bundled(s, record.project, promotion) if item.index < tree.size}
    note = sign_checkpoint(ledger_signer, record.project, tree.size, tree.root())
    return bundle.build(promotion, kept, tree, note, since=since)


def checkpoint(s: Session, ledger_signer: Signer, project: str) -> str:
    """The ledger's head as a signed note."""
    tree = Tree(ledger.leaf_hashes(s, project))
    return sign_checkpoint(ledger_signer, project, tree.size, tree.root())


def trust_file(
    s: Session, project: str, *, decision: Signer, ledger: Signer, agents: Mapping[str, Signer]
) -> dict[str, Any]:
    """The keys to trust: the server's (agents by name), those of the people in the catalogue, and what was retired (`record_keys`).

    Raises NotFound (project_not_found).
    """
    current = _current_keys(s, project, decision=decision, ledger=ledger, agents=agents)
    retired = [
        {"keyid": said.keyid, "public_key": said.public_key, "roles": list(said.roles), "not_after": _instant(said)}
        for said in _last_words(s, project).values()
        if said.change == RETIRED and said.keyid not in current
    ]
    keys = [{"keyid": keyid, "public_key": pem, "roles": roles} for keyid, (pem, roles) in current.items()]
    return {"project": project, "keys": [*keys, *retired]}


def record_keys(
    s: Session,
    project: str,
    *,
    decision: Signer,
    ledger: Signer,
    agents: Mapping[str, Signer],
    actor: str,
    time: datetime,
) -> None:
    """Seal which trusted keys came and went since this was called last, so that a retired key keeps its place in the trust file.

    Raises NotFound (project_not_found).
    """
    current = _current_keys(s, project, decision=decision, ledger=ledger, agents=agents)
    number = len(list(_key_records(s, project)))
    for offset, changed in enumerate(_changed_keys(s, project, current)):
        statement = statements.key(project=project, actor=actor, time=time, **changed)
        seal(
            s,
            decision,
            project=project,
            key=_key_place(number + offset),
            kind=KeyPredicate.KIND,
            promotion=None,
            statement=statement,
            time=time,
        )


def _bundled(s: Session, project: str, promotion: str) -> list[EnvelopeRecord]:
    own = ledger.of_promotion(s, promotion)
    stated = [_release_statement(s, project, digest) for digest in _releases(s, promotion, own)]
    return sorted([*stated, *own], key=lambda record: record.index)


def _releases(s: Session, promotion: str, own: Sequence[EnvelopeRecord]) -> list[Digest]:
    """The release that is promoted, and those that targets went back to."""
    record = promotions.get(s, promotion)
    found = [record.release_digest] if record else []
    for sealed in own:
        if sealed.kind in {DeploymentPredicate.KIND, RollbackPredicate.KIND}:
            found += [target["release_digest"] for target in _predicate(sealed)["targets"]]
    return list(dict.fromkeys(found))


def _release_statement(s: Session, project: str, release: Digest) -> EnvelopeRecord:
    record = releases.by_digest(s, project, release)
    found = ledger.by_statement(s, project, record.statement) if record and record.statement else None
    if found is None:
        raise NotFound(Code.DIGEST_NOT_FOUND, f"no statement of release {release} has been sealed")
    return found


def _predicate(sealed: EnvelopeRecord) -> dict[str, Any]:
    predicate: dict[str, Any] = json.loads(envelope.read_envelope(sealed.envelope).payload)["predicate"]
    return predicate


def _current_keys(
    s: Session, project: str, *, decision: Signer, ledger: Signer, agents: Mapping[str, Signer]
) -> dict[str, tuple[str, list[str]]]:
    """Keyid to key and roles; a key that serves twice has both roles."""
    held = [(decision.public_pem, DECISION), (ledger.public_pem, LEDGER)]
    held += [(agent.public_pem, AGENT_PREFIX + name) for name, agent in agents.items()]
    people = of_project(s, project).people
    held += [(pem, VOTER_PREFIX + subject) for subject, person in people.items() for pem in person.keys]
    found: dict[str, tuple[str, list[str]]] = {}
    for pem, role in held:
        found.setdefault(key_id(load_public_key(pem)), (pem, []))[1].append(role)
    return found


def _changed_keys(s: Session, project: str, current: Mapping[str, tuple[str, list[str]]]) -> Iterator[dict[str, Any]]:
    """What `statements.key` says of each key that came or went since this was last sealed."""
    listed = {keyid: said for keyid, said in _last_words(s, project).items() if said.change == ADDED}
    for keyid, (pem, roles) in current.items():
        if keyid not in listed:
            yield {"keyid": keyid, "public_key": pem, "roles": roles, "change": ADDED}
    for keyid, said in listed.items():
        if keyid not in current:
            yield {"keyid": keyid, "public_key": said.public_key, "roles": list(said.roles), "change": RETIRED}


def _last_words(s: Session, project: str) -> dict[str, KeyPredicate]:
    """What was sealed last about each key."""
    said = (KeyPredicate.model_validate(_predicate(record)) for record in _key_records(s, project))
    return {predicate.keyid: predicate for predicate in said}


def _key_records(s: Session, project: str) -> Iterator[EnvelopeRecord]:
    number = 0
    while record := ledger.by_key(s, project, _key_place(number)):
        yield record
        number += 1


def _key_place(number: int) -> str:
    return f"keys/{number}"


def _instant(said: KeyPredicate) -> str:
    return str(said.model_dump(mode="json")["time"])
