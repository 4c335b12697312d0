import asyncio
from pathlib import Path

import pytest
import yaml

from hourglass_operator.client import AsyncClient, ConfigurationError
from hourglass_operator.client.environment import DEFAULT_PATTERN, Environment, read
from hourglass_operator.resources.names import grpc_endpoint

NAMESPACE = {"KUBERNETES_NAMESPACE": "avs"}
STATEFUL_SET = Path(__file__).parents[3] / "examples/executor/executor.yaml"


def test_the_default_pattern_gives_the_name_of_the_service() -> None:
    assert read(NAMESPACE).endpoint("ml", 8080) == grpc_endpoint("ml", "avs", 8080)


@pytest.mark.parametrize(
    ("variables", "namespace", "expected"),
    [
        pytest.param(NAMESPACE, None, Environment("avs"), id="the namespace of the variable"),
        pytest.param(NAMESPACE, "mine", Environment("mine"), id="the argument goes first"),
        pytest.param(
            {**NAMESPACE, "DEPLOYMENT_MODE": "kubernetes", "PERFORMER_SERVICE_PATTERN": ""},
            None,
            Environment("avs", DEFAULT_PATTERN),
            id="an empty pattern is the default",
        ),
        pytest.param(
            {**NAMESPACE, "PERFORMER_SERVICE_PATTERN": "{name}.example:{port}"},
            None,
            Environment("avs", "{name}.example:{port}"),
            id="a pattern of one's own",
        ),
    ],
)
def test_what_is_read(
    variables: dict[str, str], namespace: str | None, expected: Environment
) -> None:
    assert read(variables, namespace) == expected


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "KUBERNETES_NAMESPACE: expected the namespace"),
        ({"DEPLOYMENT_MODE": "docker"}, 'DEPLOYMENT_MODE: expected "kubernetes", found "docker"'),
        ({"PERFORMER_SERVICE_PATTERN": "performer:{port}"}, "expected {name}"),
        ({"PERFORMER_SERVICE_PATTERN": "{name}:{grpc}"}, "nothing else in braces"),
        ({"PERFORMER_SERVICE_PATTERN": "{name!r}"}, "nothing else in braces"),
        ({"PERFORMER_SERVICE_PATTERN": "{name"}, 'PERFORMER_SERVICE_PATTERN "{name"'),
    ],
)
def test_what_is_refused(variables: dict[str, str], said: str) -> None:
    complete = {**NAMESPACE, **variables} if variables else {}
    with pytest.raises(ConfigurationError) as raised:
        read(complete)
    assert said in str(raised.value)


def test_a_kubeconfig_that_is_not_there(tmp_path: Path) -> None:
    async def use() -> None:
        async with AsyncClient("avs", kubeconfig=tmp_path / "none", variables={}):
            pass

    with pytest.raises(ConfigurationError, match="no such file"):
        asyncio.run(use())


def test_the_examples_variables_are_these() -> None:
    documents = yaml.safe_load_all(STATEFUL_SET.read_text(encoding="utf-8"))
    (workload,) = [d for d in documents if d["kind"] == "StatefulSet"]
    container = workload["spec"]["template"]["spec"]["containers"][0]
    plain = {e["name"]: e["value"] for e in container["env"] if "value" in e}
    assert read({**plain, **NAMESPACE}) == Environment("avs")
