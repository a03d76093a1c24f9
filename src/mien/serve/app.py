"""The application: routes, what goes wrong on them, and the page."""

import asyncio
import re
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request, Response, Security, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import APIKeyHeader, HTTPBearer
from prometheus_client import generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from mien import __version__, occlusion
from mien.errors import unknown_name
from mien.serve import answers, hiding
from mien.serve.answers import answer, refusals
from mien.serve.counters import Counters
from mien.serve.engine import Engine, Reading
from mien.serve.guard import Guard
from mien.serve.limits import Limits
from mien.serve.live import Live
from mien.serve.problems import BY_STATUS, Problem
from mien.serve.uploads import Gate

PAGE = Path(__file__).parent / "page"
ABOUT = """Reads facial expressions from photographs, also when part of the face is hidden.

`/v1/live` is a WebSocket: frames (JPEG, PNG or WebP) in, predictions out, the newest frame first;
a text message with a JSON object sets `labels`, `mirror`, `balanced`, `points`, `smooth`, `occlude`
(a list of occluders) or `image`. Images are kept in memory until they are answered, nowhere else.
"""
IMAGE = {"type": "string", "format": "binary"}
BROUGHT = (
    *("bad_request", "too_large", "unsupported_type", "not_an_image", "broken_image"),
    *("too_many_pixels", "too_many_images", "too_many_faces", "invalid"),
)
LATE = ("busy", "timeout", "stopping")


def build(engine: Engine, *, key: str | None = None) -> ASGIApp:
    """Make the application; with a key, all but the page and the checks of health asks for it."""
    app = FastAPI(
        title="mien", version=__version__, description=ABOUT, docs_url=None, redoc_url=None
    )
    gate, live = Gate(engine), Live(engine)
    counters = Counters(gate, live)
    by_header = Security(APIKeyHeader(name="X-API-Key", auto_error=False))
    by_bearer = Security(HTTPBearer(auto_error=False))
    locked: dict[str, Any] = {"dependencies": [by_header, by_bearer] if key else []}
    _reading(app, gate, locked)
    _telling(app, gate, counters, locked)
    app.websocket("/v1/live")(_socket(live))
    _page(app)
    _failing(app)

    def counted(method: str, route: str, status: int, seconds: float) -> None:
        counters.requests.labels(method, route, status).inc()
        counters.seconds.labels(route).observe(seconds)

    return Guard(app, counted, key)


def _reading(app: FastAPI, gate: Gate, locked: dict[str, Any]) -> None:
    """Add what reads images."""
    engine, limits = gate.engine, gate.engine.limits
    balances = any(output.prior for output in engine.outputs.values())

    def asked(
        labels: Annotated[
            str,
            Query(
                description="Which set of expressions to answer by.",
                json_schema_extra={"enum": list(engine.outputs)},
            ),
        ] = engine.usual.labels,
        mirror: Annotated[
            bool, Query(description="Average each face with its mirror image.")
        ] = engine.usual.mirror,
        balanced: Annotated[
            bool,
            Query(
                description="Answer as if all expressions were equally frequent.",
                json_schema_extra={"enum": [False, True][: 1 + balances]},
            ),
        ] = False,
    ) -> Reading:
        return engine.checked(Reading(labels, mirror, balanced))

    def known(request: Request) -> None:
        """Refuse a misspelt option, which would change nothing and say nothing."""
        described = app.openapi()["paths"][request.scope["route"].path]["post"]["parameters"]
        names = [option["name"] for option in described]
        for name in request.query_params:
            if name not in names:
                raise Problem("invalid", unknown_name("option", name, names))

    strict: dict[str, Any] = {"dependencies": [*locked["dependencies"], Depends(known)]}
    Asked = Annotated[Reading, Depends(asked)]
    Points = Annotated[bool, Query(description="Add the 68 points of each face.")]

    @app.post(
        "/v1/predict",
        summary="Read the expression of every face of one image or several",
        description=(
            "An entry an image, in their order, each with its faces, largest first, or with what"
            " is wrong with it. Where none can be read, the status is that of the first. An unknown"
            " option is refused."
        ),
        responses=answer(answers.Predicted) | refusals(*BROUGHT, *LATE),
        openapi_extra={"requestBody": _predict_body(limits.images)},
        **strict,
    )
    async def predict(request: Request, reading: Asked, points: Points = False) -> Response:
        async with gate.entered(request) as visit:
            uploads = await visit.images()
            found = await engine.try_read([upload.data for upload in uploads], reading)
        names = [upload.name for upload in uploads]
        body = answers.predicted(names, found, points=points)
        first = found[0]
        if isinstance(first, Problem) and all(isinstance(one, Problem) for one in found):
            return _refusal(first, {**first.to_dict(names[0]), **body})
        return JSONResponse(body)

    @app.post(
        "/v1/occlude",
        summary="Hide parts of every face and read what is then seen",
        description=(
            "An entry an occluder, in their order: the picture, made smaller where it is large,"
            " with the faces hidden, and what is read off it. Boxes are in pixels of that picture."
            " An unknown option is refused."
        ),
        responses=answer(answers.Hidden) | refusals(*BROUGHT, *LATE),
        openapi_extra={"requestBody": _occlude_body(limits)},
        **strict,
    )
    async def occlude(
        request: Request,
        reading: Asked,
        points: Points = False,
        seed: Annotated[int, Query(ge=0, le=2**31 - 1, description="Draws others.")] = 0,
    ) -> Response:
        async with gate.entered(request) as visit:
            upload, text = await visit.image_and("with")
            specs = hiding.specs(text, limits)
            image = await engine.run(hiding.opened, upload.data, limits)
            (plain,) = await engine.read([image], reading)
            pictures = await asyncio.gather(
                *(engine.run(hiding.drawn, image, plain.predictions, spec, seed) for spec in specs)
            )
            others = [picture for picture in pictures if picture is not image]
            # No more at once than may wait.
            parts = [others[n : n + limits.queue] for n in range(0, len(others), limits.queue)]
            read = iter([one for part in parts for one in await engine.read(part, reading)])
            found = [plain if picture is image else next(read) for picture in pictures]
            urls = await asyncio.gather(*(engine.run(hiding.data_url, each) for each in pictures))
        height, width = image.shape[:2]
        results = [
            {
                "occluder": spec,
                "image": url,
                "width": width,
                "height": height,
                "faces": answers.faces(one.predictions, points=points),
            }
            for spec, url, one in zip(specs, urls, found, strict=True)
        ]
        return JSONResponse({"schema": answers.SCHEMA, "results": results})


def _telling(app: FastAPI, gate: Gate, counters: Counters, locked: dict[str, Any]) -> None:
    """Add what tells of the server itself."""
    engine = gate.engine

    @app.get(
        "/v1/models",
        summary="Tell the model that answers, its labels, the occluders and the limits",
        responses=answer(answers.Models) | refusals(),
        **locked,
    )
    async def models() -> Response:
        return JSONResponse(answers.models(engine))

    @app.get("/healthz", summary="Tell that the process lives", responses=answer(answers.Status))
    async def healthz() -> Response:
        return JSONResponse({"status": "ok"})

    @app.get(
        "/readyz",
        summary="Tell whether images are taken now",
        responses=answer(answers.Status) | refusals("busy", "stopping"),
    )
    async def readyz() -> Response:
        if not engine.open:
            raise Problem("stopping", "the server is being stopped")
        if gate.full or engine.waiting >= engine.limits.queue:
            raise Problem("busy", "no images are taken at this moment")
        return JSONResponse({"status": "ready"})

    @app.get(
        "/metrics",
        summary="Counts and times, for Prometheus",
        response_class=PlainTextResponse,
        responses=refusals(),
        **locked,
    )
    async def metrics() -> Response:
        return PlainTextResponse(generate_latest(counters.registry))


def _socket(live: Live) -> Any:
    async def serve(socket: WebSocket) -> None:
        await live.serve(socket)

    return serve


def _page(app: FastAPI) -> None:
    """Give the page's files; behind everything else, and in one folder alone."""
    files = StaticFiles(directory=PAGE, html=True, check_dir=False)

    async def file(request: Request) -> Response:
        return await files.get_response(request.path_params.get("file", "."), request.scope)

    app.router.add_route("/", file, methods=["GET"])
    app.router.add_route("/{file}", file, methods=["GET"])


def _failing(app: FastAPI) -> None:
    """Word everything that goes wrong in one way."""

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        return _refusal(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        wrong = [f"{part['loc'][-1]}: {part['msg']}" for part in error.errors()]
        return _refusal(Problem("invalid", "; ".join(wrong)))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        found = Problem(BY_STATUS.get(error.status_code, "bad_request"), str(error.detail))
        headers = dict(error.headers or {})
        if headers.get("Allow") == "GET":
            headers["Allow"] = "GET, HEAD"
        return JSONResponse(found.to_dict(), error.status_code, headers)

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=400)  # nobody reads it

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        return _refusal(Problem("internal", "something went wrong that should not"))


def _refusal(problem: Problem, body: dict[str, Any] | None = None) -> Response:
    return JSONResponse(body or problem.to_dict(), problem.status, problem.headers)


def _predict_body(most: int) -> dict[str, Any]:
    several = {"type": "array", "items": IMAGE, "minItems": 1, "maxItems": most}
    form = {"type": "object", "properties": {"images": several}, "required": ["images"]}
    single = ("image/jpeg", "image/png", "image/webp", "application/octet-stream")
    bodies = {kind: {"schema": IMAGE} for kind in single}
    return {"required": True, "content": {"multipart/form-data": {"schema": form}, **bodies}}


def _occlude_body(limits: Limits) -> dict[str, Any]:
    name = f"({'|'.join(map(re.escape, (*occlusion.names(), occlusion.NONE)))})"
    joined = rf"{name}(\+{name}){{0,{limits.joined - 1}}}"
    spec = {
        "type": "string",
        "pattern": f"^{joined}(,{joined}){{0,{limits.occluders - 1}}}$",
        "description": "Occluders with commas between them; + joins several into one.",
        "examples": ["none,mouth,eyes+mouth,surgical"],
    }
    form = {
        "type": "object",
        "properties": {"image": IMAGE, "with": spec},
        "required": ["image", "with"],
    }
    return {"required": True, "content": {"multipart/form-data": {"schema": form}}}
