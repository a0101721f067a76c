"""Ledger checkpoints: C2SP tlog-checkpoint bodies in C2SP signed notes, signed with Ed25519 (signature type 0x01)."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.evidence.keys import load_public_key, raw_bytes
from fairlead.evidence.limits import MAX_NOTE_BYTES, MAX_NOTE_SIGNATURES, decode_base64, encode_base64
from fairlead.ports import Signer

_ED25519: Final = b"\x01"
_SIGNATURE = re.compile("\u2014 ([^ +\\s]+) ([A-Za-z0-9+/=]+)")
_HASH_BYTES: Final = 4
_ROOT_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """A signature line. `key_hash` is a hint at the key."""

    name: str
    key_hash: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A ledger's head. `signed`: the bytes that the signatures are over."""

    origin: str
    size: int
    root: bytes
    signed: bytes
    signatures: tuple[NoteSignature, ...]


def origin_of(project: str) -> str:
    """The name of a project's ledger, and of the key that signs its checkpoints."""
    return f"fairlead/{project}"


def key_hash(name: str, public: bytes) -> bytes:
    """The four bytes that name a key in signed notes. `public`: the raw 32 bytes."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:_HASH_BYTES]


def sign_checkpoint(signer: Signer, project: str, size: int, root: bytes) -> str:
    """The note's text."""
    name = origin_of(project)
    body = f"{name}\n{size}\n{encode_base64(root)}\n"
    public = raw_bytes(load_public_key(signer.public_pem))
    signature = key_hash(name, public) + signer.sign(body.encode())
    return f"{body}\n\u2014 {name} {encode_base64(signature)}\n"


def read_checkpoint(note: str) -> Checkpoint:
    """Read a note without trusting it. Raises BadInput (document_malformed, document_too_large)."""
    if len(note) > MAX_NOTE_BYTES:
        raise BadInput(Code.DOCUMENT_TOO_LARGE, "the checkpoint is too large")
    body, found, signatures = note.rpartition("\n\n")
    lines = body.split("\n")
    if not found or len(lines) < 3 or not re.fullmatch("0|[1-9][0-9]{0,15}", lines[1]) or not lines[0]:
        raise BadInput(Code.DOCUMENT_MALFORMED, "a checkpoint is an origin, a size, a root and signatures")
    root = decode_base64(lines[2])
    if len(root) != _ROOT_BYTES:
        raise BadInput(Code.DOCUMENT_MALFORMED, "the root of a checkpoint has 32 bytes")
    return Checkpoint(
        origin=lines[0],
        size=int(lines[1]),
        root=root,
        signed=f"{body}\n".encode(),
        signatures=_read_signatures(signatures),
    )


def _read_signatures(text: str) -> tuple[NoteSignature, ...]:
    lines = text.split("\n")
    if lines.pop() != "" or not 0 < len(lines) <= MAX_NOTE_SIGNATURES:
        raise BadInput(Code.DOCUMENT_MALFORMED, "a checkpoint ends with its signature lines")
    return tuple(_read_signature(line) for line in lines)


def _read_signature(line: str) -> NoteSignature:
    match = _SIGNATURE.fullmatch(line)
    data = decode_base64(match[2]) if match else b""
    if match is None or len(data) <= _HASH_BYTES:
        raise BadInput(Code.DOCUMENT_MALFORMED, "a signature line of the checkpoint cannot be read")
    return NoteSignature(name=match[1], key_hash=data[:_HASH_BYTES], signature=data[_HASH_BYTES:])
