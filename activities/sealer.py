"""One promotion's statements on their way into the ledger: who signs what, and under which key."""

from datetime import datetime

from sqlmodel import Session

from activities import lookup
from fairlead.commands import sealing
from fairlead.contracts.canonical import Digest
from fairlead.contracts.records import EnvelopeRecord, ReleaseRecord
from fairlead.contracts.seals import Sealed
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, NotFound
from fairlead.evidence.statements import About, Statement
from fairlead.ports import Signer
from fairlead.store import ledger

SIGNED_BY_AGENT = frozenset({"deployment", "observation", "drift"})


class Sealer:
    """Seals in one transaction, at one time."""

    def __init__(self, s: Session, signers: "Signers", promotion: str, time: datetime) -> None:
        self.s = s
        self.time = time
        self.promotion = lookup.promotion(s, promotion)
        self.release = lookup.release(s, self.promotion.project, self.promotion.release_digest)
        self._signers = signers

    @property
    def about(self) -> About:
        """What all statements of the promotion have in common."""
        return About(
            promotion=self.promotion.id,
            environment=self.promotion.environment,
            manifest=self.release.manifest,
            time=self.time,
        )

    @property
    def release_statement(self) -> Digest:
        """The statement that the promoted release came to be."""
        return statement_of(self.release)

    def seal(self, key: str, kind: str, statement: Statement) -> Digest:
        """Sign with the key whose part it is, and append; answers the statement's digest."""
        return sealing.seal(
            self.s,
            self._signers.of(kind),
            project=self.promotion.project,
            key=key,
            kind=kind,
            promotion=self.promotion.id,
            statement=statement,
            time=self.time,
        )

    def find(self, key: str) -> EnvelopeRecord | None:
        """What has been sealed under a key."""
        return ledger.by_key(self.s, self.promotion.project, key)

    def require(self, key: str) -> Digest:
        """The statement under a key. Raises NotFound (digest_not_found)."""
        found = self.find(key)
        if found is None:
            raise NotFound(Code.DIGEST_NOT_FOUND, f"nothing has been sealed as {key}")
        return found.statement

    def earlier(self, last: str, *others: str) -> Sealed | None:
        """What this same step sealed when it ran before: the statement `last` after those whose keys start with `others`.

        Raises Conflict (history_conflict) when it was sealed at another time, so by another run.
        """
        found = self.find(last)
        if found is None:
            return None
        if found.time != self.time:
            raise Conflict(Code.HISTORY_CONFLICT, f"{last} was sealed by another run")
        of_promotion = ledger.of_promotion(self.s, self.promotion.id)
        before = [e.statement for e in of_promotion if e.key.startswith(others) and e.key != last]
        return Sealed(statements=(*before, found.statement))


class Signers:
    """The server's two signing keys that make statements."""

    def __init__(self, decision: Signer, agent: Signer) -> None:
        self._decision = decision
        self._agent = agent

    def of(self, kind: str) -> Signer:
        """Whose signature a statement of this kind needs (interface.md 6)."""
        return self._agent if kind in SIGNED_BY_AGENT else self._decision


def statement_of(release: ReleaseRecord) -> Digest:
    """The digest of a release's statement. Raises NotFound (digest_not_found)."""
    if release.statement is None:
        raise NotFound(Code.DIGEST_NOT_FOUND, f"release {release.version} has not been sealed")
    return release.statement
