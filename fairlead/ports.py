"""The small Protocols between what decides and what acts."""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, runtime_checkable

from fairlead.contracts.canonical import Digest
from fairlead.contracts.release import SecretUse
from fairlead.contracts.target import SentFile, Sticker, TargetAddress, TargetObservation, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound
from fairlead.domain.fence import Claim
from fairlead.domain.fitness import TargetFacts
from fairlead.domain.forecast import Forecast

Beat = Callable[[], None]
"""Called often during long work; raises when the work has been cancelled or is no longer ours."""


class Executor(Protocol):
    """What every target type does (design decision 8). Methods block; all raise Refused or Unavailable, nothing else."""

    def prepare(self, spec: TargetSpec, beat: Beat) -> None:
        """Resolve, pull and verify everything, and look for what would be in the way (a foreign workload, a taken port).

        Changes nothing that runs.
        """

    def apply(self, spec: TargetSpec, claim: Claim, beat: Beat) -> tuple[SentFile, ...]:
        """Claim the target, then make it run the spec; return what was sent when every component is healthy.

        Idempotent. What is already just as asked and may be adopted (domain.fence.may_adopt) stays untouched. The old one is
        stopped with its grace, before the new one is started or (where a type can have both) once that is healthy; if it does not become
        so by the deadline the old one runs again and Refused is raised (unhealthy, start_failed). A higher claim on the target raises FenceLost.
        """

    def observe(self, address: TargetAddress) -> TargetObservation:
        """What really runs there, by the target's own word. An unreachable target is an answer, not an error."""

    def logs(self, address: TargetAddress, component: str, lines: int) -> str:
        """The last lines that a component printed, at most so many and 64 KiB, as they are: whoever shows them masks secrets.

        Empty where there are none. Raises Unavailable.
        """

    def retire(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """Stop and remove what we made there, and nothing else."""

    def hand_over(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """Leave what runs there as it is, and give up our rule over it.

        Idempotent. Sticker and claims go; what says that it was handed over counts as a claim, so that lower ones lose still. From then on it is
        foreign: `observe` shows nothing of it, and prepare, apply and retire raise Refused (foreign_workload) for as long as it is there. A
        higher claim on the target raises FenceLost.
        """

    def read_sticker(self, address: TargetAddress) -> Sticker | None:
        """The record on the target, None where there is none."""

    def write_sticker(self, address: TargetAddress, sticker: Sticker, claim: Claim) -> None:
        """Leave the record. A higher claim on the target raises FenceLost."""


@runtime_checkable
class Checks(Protocol):
    """What an executor may do beside: have a target tell of itself. Where it cannot, that the target answers is all that is known."""

    def check(self, address: TargetAddress) -> TargetFacts:
        """Connect, and ask; changes nothing. Raises Refused and Unavailable with what is in the way."""


@runtime_checkable
class Forecasts(Protocol):
    """What an executor may do beside: have a target tell what would change there. Of the others that is told by what `observe` sees."""

    def forecast(self, spec: TargetSpec) -> Forecast:
        """By what is there now and no secret's value; changes nothing. Raises Refused and Unavailable where nothing can be said."""


class Secrets(Protocol):
    """Where secrets are. A reference is a URL such as `vault://kv/shop#db_url`; a value is read where it is used, and kept nowhere."""

    def version(self, reference: str) -> str:
        """Which version a secret has now. Raises NotFound (secret_not_found), NotAllowed (secret_denied), Unavailable (secrets_unavailable)."""

    def read(self, use: SecretUse) -> str:
        """The value of one version. Raises as above; also NotFound when that version is gone."""


class NoSecrets:
    """There is no place for secrets here."""

    def version(self, reference: str) -> str:
        """Refuse."""
        raise NotFound(Code.SECRET_NOT_FOUND, f"there is nowhere to look for {reference}")

    def read(self, use: SecretUse) -> str:
        """Refuse."""
        raise NotFound(Code.SECRET_NOT_FOUND, f"there is nowhere to look for {use.reference}")


class Artifacts(Protocol):
    """Where the files that were sent to targets are kept, by project and digest. Raises Unavailable (artifacts_unavailable)."""

    def put(self, project: str, content: str) -> Digest:
        """Keep a file, once."""

    def get(self, project: str, digest: Digest) -> str:
        """A file as it was kept. Raises NotFound (digest_not_found)."""


class Images(Protocol):
    """Where images and artifacts come from: a registry or an OCI image layout. All content is checked against its digest."""

    def resolve(self, repository: str, tag: str) -> Digest:
        """The digest a tag names now. Raises NotFound (tag_not_found)."""

    def platforms(self, repository: str, digest: Digest) -> Mapping[str, Digest]:
        """`os/arch` to manifest digest for an index; empty for a single manifest. Raises NotFound (digest_not_found)."""

    def attached(self, repository: str, digest: Digest, most: int) -> Iterator[tuple[Digest, bytes]]:
        """What others attached to an image where it lies, by the digest of each: what is one document of at most `most` bytes."""


class Signer(Protocol):
    """An Ed25519 key that we hold. The key never leaves it."""

    @property
    def keyid(self) -> str:
        """SHA-256 hex of the SubjectPublicKeyInfo DER."""

    @property
    def public_pem(self) -> str:
        """SubjectPublicKeyInfo in PEM."""

    def sign(self, data: bytes) -> bytes:
        """The 64 signature bytes."""


class FailPoints(Protocol):
    """Places where tests kill the process. In production they do nothing."""

    def reach(self, name: str) -> None:
        """Say that this place has been reached."""


class NoFailPoints:
    """Reaching a place means nothing."""

    def reach(self, name: str) -> None:
        """Do nothing."""
