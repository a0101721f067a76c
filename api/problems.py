"""The one place where errors become RFC 9457 problem documents, whoever raised them."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from math import ceil
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, Flaw, Unauthenticated, Unavailable

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2
DESCRIBED: dict[str, Any] = {
    "description": "a problem document (RFC 9457) with a stable `code`",
    "content": {
        MEDIA_TYPE: {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "code", "detail"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "code": {"type": "string", "enum": [str(code) for code in Code]},
                    "detail": {"type": "string"},
                    "hint": {"type": "string"},
                    "fields": {"type": "object"},
                    "errors": {"type": "array", "items": {"type": "object"}},
                },
            }
        }
    },
}

_log = logging.getLogger(__name__)
_BY_STATUS = {404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED}
_BY_PYDANTIC_TYPE = {
    "extra_forbidden": Code.UNKNOWN_FIELD,
    "missing": Code.MISSING_FIELD,
    "json_invalid": Code.DOCUMENT_MALFORMED,
}


def from_error(error: FairleadError) -> JSONResponse:
    """The problem document of an error of our tree."""
    headers = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="fairlead"'
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(ceil(error.retry_after or RETRY_AFTER_SECONDS))
    extra: dict[str, Any] = {}
    if error.hint:
        extra["hint"] = error.hint
    if error.fields:
        extra["fields"] = error.fields
    errors = [_flaw(flaw) for flaw in error.flaws]
    return _problem(error.status, error.code, error.detail, errors=errors, headers=headers, **extra)


def install(app: FastAPI) -> None:
    """Map our errors, FastAPI's and everything unexpected."""
    app.add_exception_handler(FairleadError, _on_fairlead_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_bug)


async def _on_fairlead_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, FairleadError)  # noqa: S101 (registered for this type)
    return from_error(error)


async def _on_invalid_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 (registered for this type)
    errors = [_invalid(item) for item in error.errors()]
    detail = "; ".join(f"{item.get('pointer') or item.get('parameter') or 'body'}: {item['detail']}" for item in errors)
    return _problem(422, Code.BAD_REQUEST, detail, errors=errors)


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for this type)
    code = _BY_STATUS.get(error.status_code, Code.BAD_REQUEST)
    detail = f"{request.method} {request.url.path}: {str(error.detail).lower()}"
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and (verbs := _verbs(request)):
        headers["Allow"] = ", ".join(verbs)
    return _problem(error.status_code, code, detail, headers=headers)


async def _on_bug(request: Request, error: Exception) -> JSONResponse:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _problem(500, Code.INTERNAL_ERROR, "something of ours is broken; the server's log says what")


def _verbs(request: Request) -> list[str]:
    """What the path takes; each verb has a route of its own, and the one that answered knows only itself."""
    paths: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    asked = request.scope["path"]
    return sorted(verb.upper() for path, verbs in paths.items() if compile_path(path)[0].match(asked) for verb in verbs)


def _problem(
    status: int,
    code: Code,
    detail: str,
    *,
    errors: Sequence[dict[str, Any]] = (),
    headers: dict[str, str] | None = None,
    **extra: Any,
) -> JSONResponse:
    content = {
        "type": f"urn:fairlead:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": str(code),
        "detail": detail,
        **extra,
        **({"errors": list(errors)} if errors else {}),
    }
    return JSONResponse(content, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def _flaw(flaw: Flaw) -> dict[str, Any]:
    place = {"line": flaw.line, "column": flaw.column}
    known = {name: value for name, value in place.items() if value is not None}
    return {"code": str(flaw.code), "detail": flaw.detail, "pointer": flaw.pointer, **known}


def _invalid(item: dict[str, Any]) -> dict[str, Any]:
    """One of pydantic's findings: a pointer into the body, or the name of the parameter."""
    where, *path = item["loc"]
    code = _BY_PYDANTIC_TYPE.get(item["type"], Code.BAD_VALUE)
    found = {"code": str(code), "detail": str(item["msg"])}
    if where == "body":
        return {**found, "pointer": "".join(f"/{_escaped(str(step))}" for step in path)}
    return {**found, "parameter": ".".join(str(step) for step in path)}


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
