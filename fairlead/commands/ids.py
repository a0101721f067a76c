"""Where new ids and secrets come from."""

import base64
import hashlib
import secrets


def new_id() -> str:
    """12 lowercase base32 characters (60 random bits)."""
    return base64.b32encode(secrets.token_bytes(8)).decode().lower()[:12]


def id_from(text: str) -> str:
    """The id that this text always gives: for what must be made once, however often it is asked for."""
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()[:12]


def new_secret() -> str:
    """A bearer key: `flk_` and 32 random bytes in base32."""
    return "flk_" + base64.b32encode(secrets.token_bytes(32)).decode().lower().rstrip("=")
