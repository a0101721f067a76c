"""The ledger: one checkpoint by its key, every envelope proved to be in it, nothing twice, and growth only at the end."""

from collections.abc import Iterator
from itertools import pairwise

from fairlead.domain.errors import BadInput
from fairlead.evidence.bundle import hashes
from fairlead.evidence.case import Case
from fairlead.evidence.checkpoint import Checkpoint, NoteSignature, key_hash, origin_of
from fairlead.evidence.keys import raw_bytes, verifies
from fairlead.evidence.ledger import extends, includes, leaf_data, leaf_hash
from fairlead.evidence.report import Rule
from fairlead.evidence.trust import LEDGER, TrustedKey


def _checkpoint(case: Case) -> Iterator[str]:
    yield from _note_problems(case, case.checkpoint, "the checkpoint")


def _note_problems(case: Case, note: Checkpoint, what: str) -> Iterator[str]:
    if note.origin != origin_of(case.trust.project):
        yield f"{what} is of the ledger {note.origin!r}, not {origin_of(case.trust.project)!r}"
    signed = [(key, line) for key in case.trust.with_role(LEDGER) for line in _lines_of(case, note, key)]
    if not signed:
        yield f"{what} is not signed by a ledger key of the trust file"
    for key, line in signed:
        if not verifies(case.trust.publics[key.keyid], line.signature, note.signed):
            yield f"a signature of {what} does not hold"
        elif note is case.checkpoint and _retired_before(case, key):
            yield f"{what} is signed with a key that was retired before the last statement in it"


def _lines_of(case: Case, note: Checkpoint, key: TrustedKey) -> Iterator[NoteSignature]:
    # lines of other names or keys belong to witnesses we do not know, and prove nothing to us
    name = origin_of(case.trust.project)
    mine = key_hash(name, raw_bytes(case.trust.publics[key.keyid]))
    return (line for line in note.signatures if line.name == name and line.key_hash == mine)


def _retired_before(case: Case, key: TrustedKey) -> bool:
    # a note bears no time; it was made after every statement that it proves
    last = max((entry.predicate.time for entry in case.entries), default=None)
    return last is not None and key.not_after is not None and key.not_after < last


def _inclusion(case: Case) -> Iterator[str]:
    for entry in case.entries:
        leaf = leaf_hash(leaf_data(entry.envelope))
        if not includes(case.checkpoint.root, case.checkpoint.size, entry.index, leaf, entry.proof):
            yield f"{entry}: the proof does not lead to the checkpoint's root"


def _order(case: Case) -> Iterator[str]:
    for earlier, later in pairwise(case.entries):
        if earlier.index >= later.index:
            yield f"{later} stands after index {earlier.index}"
    seen: set[str] = set()
    for entry in case.entries:
        if entry.digest in seen:
            yield f"{entry} stands twice"
        seen.add(entry.digest)


def _consistency(case: Case) -> Iterator[str]:
    old, held = case.since, case.consistency
    if old is None:
        return
    yield from _note_problems(case, old, "the older checkpoint")
    same = (old.size, old.root) == (case.checkpoint.size, case.checkpoint.root)
    if held is None and not same:
        yield "the bundle holds no consistency proof from the older checkpoint: export it with --since"
    elif not same and held is not None and not _extends(old, case.checkpoint, held.proof):
        yield "the ledger is not a continuation of the older checkpoint"


def _extends(old: Checkpoint, new: Checkpoint, proof: tuple[str, ...]) -> bool:
    try:
        return extends(old.root, old.size, new.root, new.size, hashes(proof))
    except BadInput:
        return False


RULES = (
    Rule("checkpoint", "the checkpoint is of this project's ledger and signed by its key", _checkpoint),
    Rule("inclusion", "every envelope is proved to be in the ledger", _inclusion),
    Rule("order", "envelopes stand in ledger order, none twice", _order),
    Rule("consistency", "the ledger continues the older checkpoint, where one is given", _consistency),
)
