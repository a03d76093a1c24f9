"""What every request passes first, and every answer last: the key, safe headers, counts."""

import base64
import binascii
import hmac
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mien.serve.problems import Problem
from mien.serve.uploads import drain

# The page may show pictures that it or the server made, and talk to this server alone.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' blob: data:; media-src 'self' blob:; worker-src 'self'; manifest-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
LOCKED = ("/v1/", "/metrics")
REFUSED = 1008
METHODS = ("GET", "HEAD", "POST", "OPTIONS")

Counted = Callable[[str, str, int, float], None]


class Guard:
    """Stands before an application; `counted` is told method, route, status and seconds."""

    def __init__(self, app: ASGIApp, counted: Counted, key: str | None = None) -> None:
        self._app, self._counted, self._key = app, counted, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        start, status = time.perf_counter(), 500
        # What answers GET answers HEAD: the server sends all of it but the body.
        asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope

        async def send_safely(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _headers(scope["path"]).items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            if problem := self._objection(scope):
                await drain(receive)
                body = JSONResponse(problem.to_dict(), problem.status, problem.headers)
                await body(scope, receive, send_safely)
            else:
                await self._app(asked, receive, send_safely)
        finally:
            route = getattr(asked.get("route"), "path", "page")
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._counted(method, route, status, time.perf_counter() - start)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _foreign(Headers(scope=scope)) or self._objection(scope):
            await receive()
            await send({"type": "websocket.close", "code": REFUSED})
        else:
            await self._app(scope, receive, send)

    def _objection(self, scope: Scope) -> Problem | None:
        locked = self._key is not None and scope["path"].startswith(LOCKED)
        if not locked or self._knows(scope):
            return None
        return Problem("unauthorized", "this server asks for a key")

    def _knows(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        given = [headers.get("x-api-key", ""), bearer.strip() if scheme.lower() == "bearer" else ""]
        protocols = scope.get("subprotocols", ())
        given += [_decoded(name[4:]) for name in protocols if name.startswith("key.")]
        expected = (self._key or "").encode()
        return any(hmac.compare_digest(key.encode(), expected) for key in given)


def _headers(path: str) -> dict[str, str]:
    # Answers are not to be kept; of the page's files a browser may ask whether they changed.
    kept = "no-store" if path.startswith(LOCKED) else "no-cache"
    return {**HEADERS, "Cache-Control": kept}


def _foreign(headers: Headers) -> bool:
    """Tell whether another site's page asks: browsers let any page open a WebSocket."""
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def _decoded(text: str) -> str:
    """Read a key that was written in letters that a subprotocol may have."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""
