"""The WSGI application: finds the resource, and makes every outcome a JSON answer."""

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from werkzeug.exceptions import MethodNotAllowed, NotFound, RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from rest_bridge.client import SidecarClient, caller
from rest_bridge.errors import Refusal, bad_request, unauthorized
from rest_bridge.json_body import Json, dumps, show
from rest_bridge.resources import Answer, Call
from rest_bridge.routes import ROUTES, Endpoint
from rest_bridge.v2 import errors as v2_errors

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MAX_BODY_BYTES = 64 * 1024

Refusing = Callable[[int, str], object]
"""Takes note of a request that was refused here: its status, the client's address. Any thread."""

_log = logging.getLogger(__name__)


def _untold(status: int, address: str) -> None:
    """Nobody counts."""


class Bridge:
    """Answers HTTP requests by calls to one sidecar. Any thread may call it.

    Args:
        client: of the sidecar.
        refused: told of requests that the sidecar was not asked about: status, client's address.
    """

    def __init__(self, client: SidecarClient, refused: Refusing = _untold) -> None:
        self._client = client
        self.refused = refused
        self._v2_client = client.speaking(v2_errors.WORDS)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Serve one request (PEP 3333)."""
        caller.set(str(environ.get("REMOTE_ADDR") or ""))
        return self.respond(Request(environ))(environ, start_response)

    def respond(self, request: Request) -> Response:
        """Return the answer to `request`; never raises."""
        try:
            outcome = _options(request) or self._authorized(request)
        except Refusal as refusal:
            if refusal.code is None:
                self.refused(refusal.status, caller.get())
            outcome = _told(refusal, request)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets JSON and the log the rest
            _log.exception("request failed: %s %s", request.method, request.path)
            message = "internal error, the bridge's log has the details"
            outcome = _told(Refusal(500, message), request)
        response = Response(
            outcome.body.encode("utf-8"),
            outcome.status,
            {"Cache-Control": "no-store"} | dict(outcome.headers),
            content_type=outcome.content_type,
        )
        if not outcome.body:
            del response.content_type  # there is nothing that could be of a type
        return response

    def _authorized(self, request: Request) -> Answer:
        """Answer, but below the APIs tell nothing to strangers, not even that a path is unknown."""
        authorization = request.headers.get("Authorization")
        secured = _below("/admin", request) or _below("/gateway", request)
        if secured and authorization is None:
            raise unauthorized("credentials are missing: HTTP Basic ones are needed")
        try:
            return self._answer(request, authorization)
        except Refusal as refusal:
            # The sidecar checks credentials first; where the bridge refused it was never asked.
            if secured and refusal.code is None:
                self._client.authenticate(authorization)
            raise

    def _answer(self, request: Request, authorization: str | None) -> Answer:
        endpoint, path = _match(request)
        second = _below("/gateway", request)
        for name, values in request.args.lists() if second else ():
            if len(values) > 1:  # one of them may make a rehearsal of it, and another not
                raise bad_request(f"query parameter {show(name)} is given {len(values)} times")
        call = Call(
            client=self._v2_client if second else self._client,
            path=path,
            everywhere=endpoint.everywhere,
            query=request.args.to_dict(),
            authorization=authorization,
            body=_body(request),
        )
        method = "GET" if request.method == "HEAD" else request.method
        return endpoint.resource[method](call)


def _below(base: str, request: Request) -> bool:
    return request.path == base or request.path.startswith(f"{base}/")


def _told(refusal: Refusal, request: Request) -> Answer:
    body: Json = {"message": str(refusal)}
    if _below("/gateway", request):
        body = v2_errors.body(refusal, request.method, request.path)
    return Answer(refusal.status, dumps(body), headers=refusal.headers)


def _options(request: Request) -> Answer | None:
    """Tell the methods of a path, which is no secret; None when that is not what was asked."""
    if request.method != "OPTIONS":
        return None
    allowed = ROUTES.bind("bridge").allowed_methods(_slashed(request.path))
    return Answer(204, headers={"Allow": _listed(allowed)}) if allowed else None


def _slashed(path: str) -> str:
    # Every rule ends in a slash, every path is taken with and without. werkzeug's own way of doing
    # so takes a wrong method for an unknown path.
    return path if path.endswith("/") else f"{path}/"


def _listed(methods: Iterable[str]) -> str:
    return ", ".join(sorted({*methods, "OPTIONS"}))


def _match(request: Request) -> tuple[Endpoint, dict[str, str]]:
    try:
        # WSGI has the path's bytes as Latin-1; what werkzeug cannot decode it replaces, and
        # different names would become one.
        request.environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        raise bad_request(f"the path {show(request.path, 200)} is not UTF-8") from None
    try:
        endpoint, path = ROUTES.bind("bridge").match(_slashed(request.path), request.method)
    except NotFound:
        raise Refusal(404, f"there is no path {show(request.path, 200)[1:-1]}") from None
    except MethodNotAllowed as error:
        allowed = _listed(error.valid_methods or ())
        raise Refusal(
            405,
            f"{request.method} is not a method of {request.path}, allowed are {allowed}",
            headers={"Allow": allowed},
        ) from None
    return endpoint, dict(path)


def _body(request: Request) -> bytes:
    request.max_content_length = MAX_BODY_BYTES
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise Refusal(
            413, f"the body is too long, at most {MAX_BODY_BYTES} bytes are allowed"
        ) from None
