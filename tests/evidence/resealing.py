"""A forger who holds our keys: changes statements of a real ledger, seals all that rests on them anew, and exports it."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from fairlead.contracts.canonical import canonical
from fairlead.evidence import bundle, envelope
from fairlead.evidence.checkpoint import sign_checkpoint
from fairlead.evidence.ledger import Tree, leaf_data, leaf_hash
from fairlead.evidence.report import Report
from fairlead.evidence.statement import STATEMENT_PAYLOAD_TYPE
from fairlead.evidence.trust import read_trust
from fairlead.evidence.verify import verify
from tests.evidence.real import Real, statement_of

Change = Callable[[dict[str, Any]], object]


def name_of(statement: Mapping[str, Any]) -> str:
    """What a statement of one promotion is called here, such as `observation prod-1 of rollback`."""
    said = statement["predicate"]
    ours = said.get("urn:fairlead:vsa-ext:v1")
    words = ["verdict", ours["gate"]] if ours else [statement["predicateType"].split(":")[2]]
    if "target" in said:
        words.append(said["target"])
    return " ".join([*words, "of rollback"] if said.get("is_rollback") else words)


def promotion_of(statement: Mapping[str, Any]) -> str | None:
    """The promotion that a statement names."""
    said = statement["predicate"]
    named: str | None = said.get("urn:fairlead:vsa-ext:v1", said).get("promotion")
    return named


class Resealed:
    """A ledger with the same statements but for `changes` and `dropped`, both by name, of the promotion that went back.

    `signed_by` says who signs a statement, by name; else whoever did. What names a changed statement names the new one.
    `then` is sealed at the end: envelopes.
    """

    def __init__(
        self,
        real: Real,
        changes: Mapping[str, Change] | None = None,
        *,
        dropped: tuple[str, ...] = (),
        signed_by: Mapping[str, str] | None = None,
        then: tuple[Mapping[str, Any], ...] = (),
    ) -> None:
        self._real, self._changes, self._dropped = real, changes or {}, dropped
        self._signed_by = signed_by or {}
        self._by_keyid = {signer.keyid: signer for signer in (real.signers | real.people).values()}
        self._renamed: dict[str, str] = {}
        self.leaves: list[Mapping[str, Any]] = []
        self.own: dict[int, Mapping[str, Any]] = {}
        unused = (set(self._changes) | set(dropped) | set(self._signed_by)) - self._names()
        assert not unused, unused
        for leaf in real.leaves:
            self._take(leaf)
        for more in then:
            self.own[len(self.leaves)] = more
            self.leaves.append(more)

    def bundle(self) -> dict[str, Any]:
        """What export would write."""
        tree = self.tree()
        note = sign_checkpoint(self._real.signers["ledger"], "shop", tree.size, tree.root())
        return json.loads(bundle.write(bundle.build(self._real.went_back, self.own, tree, note)))

    def tree(self) -> Tree:
        return Tree([leaf_hash(leaf_data(leaf)) for leaf in self.leaves])

    def _names(self) -> set[str]:
        stated = map(statement_of, self._real.leaves)
        return {name_of(statement) for statement in stated if promotion_of(statement) == self._real.went_back}

    def _take(self, leaf: dict[str, Any]) -> None:
        bundled = any(leaf == item["envelope"] for item in self._real.bundle["envelopes"])
        is_own = promotion_of(statement_of(leaf)) == self._real.went_back
        sealed = self._anew(leaf) if is_own else leaf
        if sealed is None:
            return
        if bundled:
            self.own[len(self.leaves)] = sealed
        self.leaves.append(sealed)

    def _anew(self, leaf: dict[str, Any]) -> dict[str, Any] | None:
        before = envelope.read_envelope(leaf)
        name = name_of(json.loads(before.payload))
        if name in self._dropped:
            self._renamed[before.digest] = ""
            return None
        statement = self._following(json.loads(before.payload))
        self._changes.get(name, lambda _: None)(statement)
        signer = self._by_keyid[before.keyid]
        if name in self._signed_by:
            signer = (self._real.signers | self._real.people)[self._signed_by[name]]
        sealed = envelope.sign(signer, STATEMENT_PAYLOAD_TYPE, canonical(statement))
        self._rename(before.digest, envelope.read_envelope(sealed).digest)
        return sealed

    def _rename(self, before: str, after: str) -> None:
        self._renamed |= {before: after, before.removeprefix("sha256:"): after.removeprefix("sha256:")}

    def _following(self, value: Any) -> Any:
        """The value with digests of what was changed replaced, and of what was dropped left out."""
        if isinstance(value, dict):
            return {key: self._following(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [new for inner in value if (new := self._following(inner)) != ""]
        return self._renamed.get(value, value) if isinstance(value, str) else value


def judged(
    real: Real, document: Mapping[str, Any] | bytes, trust: Mapping[str, Any] | None = None, **asked: Any
) -> Report:
    """The verifier's report on a bundle."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return verify(data, read_trust(trust or real.trust), **asked)
