"""/openapi.json says what is so: what schemathesis makes of it finds nothing."""

from collections.abc import Iterator
from typing import Any

import pytest

from mien.session import Metadata
from serving import PATIENT, StandIn, TestClient, build, picture, served

pytest.importorskip("schemathesis", reason="needs schemathesis")

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some

IMAGES = [picture((h, w), kind) for kind in ("PNG", "JPEG", "GIF") for h, w in ((9, 7), (48, 48))]
# Bytes at random are no valid body, though no schema can say so.
schemathesis.openapi.format("binary", some.sampled_from(IMAGES))
for kind in ("image/jpeg", "image/png", "image/webp", "application/octet-stream"):
    schemathesis.openapi.media_type(kind, some.sampled_from(IMAGES))


def stand_in() -> StandIn:
    """Give one whose model can answer everything that may be asked."""
    made, told = StandIn(), StandIn().reader.metadata
    outputs = tuple(type(o)(o.name, o.kind, o.labels, prior=(0.5, 0.5)) for o in told.outputs)
    made.reader.metadata = Metadata("expression", "stand-in", (48, 48), {}, outputs, (), "", {})
    return made


@pytest.fixture(scope="module")
def api() -> Iterator[Any]:
    with served(stand_in()) as (_, engine):
        yield schemathesis.openapi.from_asgi("/openapi.json", build(engine))


OPERATIONS = [
    ("/v1/predict", "POST"),
    ("/v1/occlude", "POST"),
    ("/v1/models", "GET"),
    ("/healthz", "GET"),
    ("/readyz", "GET"),
    ("/metrics", "GET"),
]


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_what_the_schema_says_is_so(
    api: Any, path: str, method: str, mode: schemathesis.GenerationMode
) -> None:
    if mode.is_negative and method == "GET":
        return  # nothing to get wrong: it takes no options

    @given(case=api[path][method].as_strategy(generation_mode=mode))
    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],  # to make a failure small would take minutes
        suppress_health_check=list(HealthCheck),
    )
    def agrees(case: Any) -> None:
        case.call_and_validate(timeout=PATIENT)

    agrees()


@pytest.fixture(scope="module")
def described() -> Iterator[dict[str, Any]]:
    with served(key="key") as (client, _):
        yield client.get("/openapi.json").json()


def test_every_path_is_described_with_examples(described: dict[str, Any]) -> None:
    paths = described["paths"]
    expected = {"/v1/predict", "/v1/occlude", "/v1/models", "/healthz", "/readyz", "/metrics"}
    assert set(paths) == expected
    for path in ("/v1/predict", "/v1/occlude"):
        answers = paths[path]["post"]["responses"]
        assert set(answers) == {"200", "400", "401", "413", "415", "422", "429", "503"}
        for status, answer in answers.items():
            example = answer["content"]["application/json"]["example"]
            assert ("error" in example) == (status != "200")
    assert "/v1/live" in described["info"]["description"]


def test_the_key_is_described_where_one_is_asked_for(described: dict[str, Any]) -> None:
    for path, methods in described["paths"].items():
        (method,) = methods.values()
        locked = path.startswith("/v1/") or path == "/metrics"
        assert bool(method.get("security")) == locked


def test_examples_are_as_real_answers_are() -> None:
    with served() as (client, _):
        real = client.post("/v1/predict", files={"images": picture()}).json()["results"][0]
        example = read_example(client)
    assert set(example) == set(real)
    assert set(example["faces"][0]) == set(real["faces"][0])


def read_example(client: TestClient) -> dict[str, Any]:
    described = client.get("/openapi.json").json()["paths"]["/v1/predict"]["post"]
    example = described["responses"]["200"]["content"]["application/json"]["example"]
    result: dict[str, Any] = example["results"][0]
    return result
