"""The route class of the whole API: bounded, strictly read bodies, and POST answered once per Idempotency-Key."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.bodies import MAX_BODY, BoundedRequest
from api.idempotency import HEADER, answer_once


class Route(APIRoute):
    """Does before the endpoint what every endpoint needs."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler of this route."""
        handle = super().get_route_handler()
        marks = getattr(self.endpoint, "__dict__", {})

        async def handler(request: Request) -> Response:
            bounded = BoundedRequest(request.scope, request.receive)
            bounded.max_body = marks.get("max_body", MAX_BODY)
            # Read here: what goes wrong in FastAPI's own reading would lose its code.
            if await bounded.body() and not marks.get("raw_body"):
                await bounded.json()
            if request.method == "POST" and HEADER in request.headers:
                return await answer_once(bounded, handle)
            return await handle(bounded)

        return handler
