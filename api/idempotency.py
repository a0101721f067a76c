"""Idempotency-Key: the same key and request get the answer of the first time, another request is refused.

Every answer that a command gave is kept, refusals too; what never reached one (bad shape, no key, a server error) is not.
"""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakValueDictionary

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from api import problems
from api.auth import caller_of, owner_of
from api.services import Services
from fairlead.contracts.canonical import digest_bytes
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict, NotFound
from fairlead.store import idempotency

HEADER = "Idempotency-Key"
MAX_KEY = 255

Handler = Callable[[Request], Awaitable[Response]]

_in_flight: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()


def update_id(request: Request, owner: str) -> str:
    """The id of the update that a request becomes: the same for a repeated request, fresh without a key."""
    key = request.headers.get(HEADER)
    return _hashed(owner, key) if key else secrets.token_hex(32)


async def answer_once(request: Request, handle: Handler) -> Response:
    """Handle a request that carries a key, or give the answer it got before. Raises BadInput (idempotency_mismatch)."""
    owner, key = owner_of(await caller_of(request)), _key(request)
    services: Services = request.app.state.services
    fingerprint = digest_bytes(_request_line(request) + await request.body())
    lock = _in_flight.setdefault((owner, key), asyncio.Lock())
    async with lock:
        before = await run_in_threadpool(_find, services, owner, key, fingerprint)
        if before is not None:
            return before
        response = await _answered(request, handle)
        await run_in_threadpool(_keep, services, owner, key, fingerprint, response)
        return response


def _key(request: Request) -> str:
    key = request.headers[HEADER]
    if not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise BadInput(Code.BAD_REQUEST, f"{HEADER} is 1 to {MAX_KEY} printable ASCII characters")
    return key


def _request_line(request: Request) -> bytes:
    return f"{request.method} {request.url.path}?{request.url.query}\n".encode()


def _hashed(owner: str, key: str) -> str:
    return hashlib.sha256(json.dumps([owner, key]).encode()).hexdigest()


async def _answered(request: Request, handle: Handler) -> Response:
    """What a command refused is an answer like any other; all else goes on to the error handlers and is not kept."""
    try:
        return await handle(request)
    except (BadInput, Conflict, NotFound) as error:
        return problems.from_error(error)


def _find(services: Services, owner: str, key: str, fingerprint: str) -> Response | None:
    with services.database.session() as s:
        kept = idempotency.find(s, owner, key)
    if kept is None:
        return None
    known, status, answer = kept
    if known != fingerprint:
        raise BadInput(Code.IDEMPOTENCY_MISMATCH, f"this {HEADER} came before with another request")
    headers = {**answer["headers"], "Idempotent-Replayed": "true"}
    return JSONResponse(answer["content"], status_code=status, headers=headers, media_type=answer["media_type"])


def _keep(services: Services, owner: str, key: str, fingerprint: str, response: Response) -> None:
    headers = {"Location": response.headers["Location"]} if "Location" in response.headers else {}
    content = json.loads(bytes(response.body)) if response.body else None
    answer = {
        "headers": headers,
        "media_type": response.headers.get("content-type", "application/json"),
        "content": _without_secrets(content),
    }
    with services.database.session() as s:
        idempotency.keep(s, owner, key, fingerprint, response.status_code, answer, services.now())


def _without_secrets(content: Any) -> Any:
    """A new key's secret is shown once; what we keep must not hold it."""
    return {**content, "key": None} if isinstance(content, dict) and "key" in content else content
