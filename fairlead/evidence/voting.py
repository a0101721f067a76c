"""Votes as envelopes: signed by their voter, opened without trust, verified with a key (interface.md 6, "Vote").

Which of them are accepted and which count is decided by domain.votes.
"""

import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from pydantic import ValidationError

from fairlead.contracts.canonical import Digest, canonical, digest_bytes
from fairlead.contracts.votes import MAX_VOTE_BYTES, VOTE_PAYLOAD_TYPE, VotePayload
from fairlead.domain.blocks import is_text
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.domain.votes import Ballot, CastVote
from fairlead.evidence.envelope import OpenedEnvelope, read_envelope, sign
from fairlead.evidence.keys import key_id, load_public_key, verifies
from fairlead.evidence.limits import read_canonical, to_canonical
from fairlead.ports import Signer

_UTC_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


@dataclass(frozen=True, slots=True)
class OpenedVote:
    """A well-formed vote. Nothing in it is proven until `verify_vote`. `digest`: SHA-256 of the payload bytes."""

    payload: VotePayload
    keyid: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class ReceivedVote:
    """A vote that was not refused: the envelope verbatim, when it was received and the voter's groups then."""

    envelope: Mapping[str, Any]
    received: datetime
    groups: tuple[str, ...]


def sign_vote(signer: Signer, payload: VotePayload) -> dict[str, Any]:
    """The vote's DSSE envelope, as JSON."""
    return sign(signer, VOTE_PAYLOAD_TYPE, canonical(payload))


def open_vote(envelope: Any) -> OpenedVote:
    """Read any JSON value as a vote. Raises BadInput: vote_too_large, vote_unsigned, vote_malformed."""
    opened = _read(envelope)
    return OpenedVote(payload=_payload(opened), keyid=opened.keyid, digest=opened.digest)


def verify_vote(envelope: Any, public_pem: str) -> OpenedVote:
    """The vote, if this key signed it. Raises BadInput as `open_vote`, and vote_unknown_key, vote_bad_signature."""
    vote = open_vote(envelope)
    key = load_public_key(public_pem)
    if key_id(key) != vote.keyid:
        raise BadInput(Code.VOTE_UNKNOWN_KEY, "the vote names another key")
    opened = read_envelope(envelope)
    if not verifies(key, opened.signature, opened.signed_bytes):
        raise BadInput(Code.VOTE_BAD_SIGNATURE, "the signature does not fit the vote")
    return vote


def ballot_of(vote: OpenedVote, signer: str | None) -> Ballot:
    """What domain.votes.judge judges. `signer`: the subject whose key it is, None when nobody's."""
    said = vote.payload
    return Ballot(
        digest=vote.digest,
        signer=signer,
        project=said.project,
        promotion=said.promotion,
        environment=said.environment,
        release=said.release,
        plan=said.plan,
        choice=said.choice.value,
        voter=said.voter,
        assurance=said.assurance,
        time=said.time,
    )


def cast_vote(vote: OpenedVote, received: datetime, groups: tuple[str, ...]) -> CastVote:
    """What domain.votes.tally counts."""
    said = vote.payload
    return CastVote(vote.digest, said.voter, said.choice.value, groups, said.plan, received)


def vote_digest(envelope: Any) -> Digest:
    """What a vote is known by, also one that cannot be opened: of the payload bytes where there are some, else of the JSON value."""
    try:
        return read_envelope(envelope).digest
    except BadInput:
        pass
    try:
        return digest_bytes(to_canonical(envelope))
    except BadInput:
        # no JSON has it: too deep, or nothing that JSON can hold
        return digest_bytes(reprlib.repr(envelope).encode(errors="backslashreplace"))


def _read(envelope: Any) -> OpenedEnvelope:
    try:
        if len(to_canonical(envelope)) > MAX_VOTE_BYTES:
            raise BadInput(Code.VOTE_TOO_LARGE, f"a vote has at most {MAX_VOTE_BYTES} bytes")
        if isinstance(envelope, Mapping) and not envelope.get("signatures"):
            raise BadInput(Code.VOTE_UNSIGNED, "the vote carries no signature")
        return read_envelope(envelope)
    except BadInput as error:
        if error.code in {Code.VOTE_TOO_LARGE, Code.VOTE_UNSIGNED}:
            raise
        _malformed(error)


def _payload(opened: OpenedEnvelope) -> VotePayload:
    if opened.payload_type != VOTE_PAYLOAD_TYPE:
        raise BadInput(Code.VOTE_MALFORMED, f"the payload type of a vote is {VOTE_PAYLOAD_TYPE}")
    try:
        document = read_canonical(opened.payload, max_bytes=MAX_VOTE_BYTES)
        payload = VotePayload.model_validate_json(opened.payload, strict=True)
    except (BadInput, ValidationError) as error:
        _malformed(error)
    if not _UTC_INSTANT.fullmatch(str(document["time"])):
        raise BadInput(Code.VOTE_MALFORMED, "the time of a vote is RFC 3339 in UTC, with Z")
    # Signed or not: what no record can hold could not even be told as refused.
    if not all(is_text(value) for value in document.values()):
        raise BadInput(Code.VOTE_MALFORMED, "the text of a vote holds NUL")
    return payload


def _malformed(error: Exception) -> NoReturn:
    raise BadInput(
        Code.VOTE_MALFORMED, "this is no vote: an envelope around the fields of a vote, in RFC 8785 form"
    ) from error
