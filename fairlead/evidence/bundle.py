"""The bundle: a promotion's envelopes, each proved against one checkpoint, as one JSON file."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import Field, NonNegativeInt, ValidationError

from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import canonical
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.evidence.checkpoint import read_checkpoint
from fairlead.evidence.ledger import Tree
from fairlead.evidence.limits import (
    MAX_BUNDLE_BYTES,
    MAX_ENVELOPES,
    MAX_PROOF_HASHES,
    decode_base64,
    encode_base64,
    read_json,
)

MEDIA_TYPE: Final = "application/vnd.fairlead.bundle.v1+json"


class BundledEnvelope(Frozen):
    """An envelope and the proof that it is leaf `index` of the ledger."""

    envelope: dict[str, Any]
    index: NonNegativeInt
    proof: tuple[str, ...] = Field(max_length=MAX_PROOF_HASHES)


class ConsistencyProof(Frozen):
    """That the ledger at `since` (an older checkpoint's text) is the beginning of the bundle's."""

    since: str
    proof: tuple[str, ...] = Field(max_length=2 * MAX_PROOF_HASHES)


class Bundle(Frozen):
    """`checkpoint` is the text of the note that all proofs are against."""

    media_type: Literal["application/vnd.fairlead.bundle.v1+json"] = Field(alias="mediaType")
    promotion: str
    envelopes: tuple[BundledEnvelope, ...] = Field(max_length=MAX_ENVELOPES)
    checkpoint: str
    consistency: ConsistencyProof | None = None


def build(
    promotion: str, leaves: Mapping[int, Mapping[str, Any]], tree: Tree, checkpoint: str, *, since: str | None = None
) -> dict[str, Any]:
    """The bundle of these envelopes, given by their index. Raises BadInput where `since` is no checkpoint, or later than the tree."""
    bundle: dict[str, Any] = {
        "mediaType": MEDIA_TYPE,
        "promotion": promotion,
        "envelopes": [
            {"envelope": envelope, "index": index, "proof": _encoded(tree.inclusion(index))}
            for index, envelope in sorted(leaves.items())
        ],
        "checkpoint": checkpoint,
    }
    if since is not None:
        old = read_checkpoint(since).size
        if old > tree.size:
            raise BadInput(Code.BAD_REQUEST, f"the ledger has {tree.size} entries, the checkpoint {old}")
        bundle["consistency"] = {"since": since, "proof": _encoded(tree.consistency(old))}
    return bundle


def write(bundle: Mapping[str, Any]) -> bytes:
    """The bundle's file."""
    return canonical(dict(bundle))


def read_bundle(data: bytes) -> Bundle:
    """Read a bundle without trusting it. Raises BadInput (document_too_large, document_too_deep, duplicate_key, document_malformed)."""
    document = read_json(data, max_bytes=MAX_BUNDLE_BYTES)
    envelopes = document.get("envelopes") if isinstance(document, dict) else None
    if isinstance(envelopes, list) and len(envelopes) > MAX_ENVELOPES:
        raise BadInput(Code.DOCUMENT_TOO_LARGE, f"a bundle holds at most {MAX_ENVELOPES} envelopes")
    try:
        return Bundle.model_validate_json(data, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(str(step) for step in first["loc"])
        raise BadInput(Code.DOCUMENT_MALFORMED, f"no bundle: {where}: {first['msg']}") from error


def hashes(proof: Sequence[str]) -> list[bytes]:
    """Decode a proof. Raises BadInput (document_malformed) where it is no list of SHA-256 hashes in canonical base64."""
    decoded = [decode_base64(text) for text in proof]
    if any(len(node) != 32 for node in decoded):
        raise BadInput(Code.DOCUMENT_MALFORMED, "a proof is made of hashes of 32 bytes")
    return decoded


def _encoded(proof: Sequence[bytes]) -> list[str]:
    return [encode_base64(node) for node in proof]
