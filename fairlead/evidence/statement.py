"""The in-toto Statement v1, as we write it: RFC 8785 bytes, subjects by digest."""

from typing import Any, Final, Literal

from pydantic import Field

from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest, canonical, digest_bytes

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
STATEMENT_PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"


class Subject(Frozen):
    """What a statement is about. Readers match on the digest."""

    name: str
    digest: dict[str, str]


class Statement(Frozen):
    """An in-toto Statement v1."""

    type_: Literal["https://in-toto.io/Statement/v1"] = Field(default=STATEMENT_TYPE, alias="_type")
    subject: tuple[Subject, ...] = Field(min_length=1)
    predicate_type: str = Field(alias="predicateType")
    predicate: dict[str, Any]

    def payload(self) -> bytes:
        """The RFC 8785 bytes that are signed."""
        return canonical(
            {
                "_type": self.type_,
                "subject": [{"name": subject.name, "digest": subject.digest} for subject in self.subject],
                "predicateType": self.predicate_type,
                "predicate": self.predicate,
            }
        )

    @property
    def digest(self) -> Digest:
        """SHA-256 of the payload: what other statements name this one by."""
        return digest_bytes(self.payload())
