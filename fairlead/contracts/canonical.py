"""The one canonical form (RFC 8785) and the one digest (`sha256:<hex>`)."""

import hashlib
import re
from typing import Annotated, Any

import rfc8785
from pydantic import BaseModel, StringConstraints

DIGEST_PATTERN = r"^sha256:[0-9a-f]{64}$"
Digest = Annotated[str, StringConstraints(pattern=DIGEST_PATTERN)]


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of a JSON value or of a model (by alias, in JSON mode, fields that are None left out).

    Raises rfc8785.CanonicalizationError for what JSON cannot hold.
    """
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", by_alias=True, exclude_none=True)
    return rfc8785.dumps(value)


def digest_bytes(data: bytes) -> str:
    """`sha256:<hex>` of bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def digest_of(value: Any) -> str:
    """`sha256:<hex>` of a JSON value's or model's canonical form."""
    return digest_bytes(canonical(value))


def is_digest(text: object) -> bool:
    """Whether this is a digest in our one notation."""
    return isinstance(text, str) and re.fullmatch(DIGEST_PATTERN, text) is not None
