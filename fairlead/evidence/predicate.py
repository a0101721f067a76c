"""What all predicates have in common, and the names that they use for things (interface.md 6)."""

from typing import Any, ClassVar, Final

from pydantic import AwareDatetime

from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest

VSA_TYPE: Final = "https://slsa.dev/verification_summary/v1"
VSA_EXTENSION: Final = "urn:fairlead:vsa-ext:v1"
STATEMENT_URI: Final = "urn:fairlead:statement"
FACTS_URI: Final = "urn:fairlead:facts"


def hex_of(digest: Digest) -> str:
    """The digest without its algorithm, as in-toto's digest sets want it."""
    return digest.removeprefix("sha256:")


def verifier_id(project: str) -> str:
    """Who judges gates: whoever holds the project's decision key."""
    return f"urn:fairlead:decision:{project}"


def release_uri(project: str, version: str) -> str:
    """The release as a resource."""
    return f"urn:fairlead:release:{project}/{version}"


def gate_uri(gate: str) -> str:
    """The gate as a policy."""
    return f"urn:fairlead:gate:{gate}"


def level_of(gate: str) -> str:
    """The level that passing a gate verifies; SLSA keeps names that begin with SLSA_ for itself."""
    return f"FAIRLEAD_{gate.upper()}"


class Predicate(Frozen):
    """What all predicates of ours name. `inputs`: digests of the statements and facts it rests on, in the order of the table."""

    KIND: ClassVar[str]
    WRITTEN_OUT: ClassVar[frozenset[str]] = frozenset()
    """Fields that stand in the document even when they are null."""

    project: str
    time: AwareDatetime
    inputs: tuple[Digest, ...]

    def document(self) -> dict[str, Any]:
        """The JSON that is sealed; what does not apply is left out."""
        document: dict[str, Any] = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {**dict.fromkeys(self.WRITTEN_OUT), **document}


class PromotionPredicate(Predicate):
    """A predicate of a promotion."""

    promotion: str
    environment: str
