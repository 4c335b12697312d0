"""Where settings come from, and what is said of wrong ones."""

from pathlib import Path
from typing import Any

import pytest

from hourglass_operator.resources.pod import PodDefaults
from hourglass_operator.runtime.process.settings import (
    RuntimeSettings,
    SettingsError,
    host_and_port,
    load,
)


def file_with(folder: Path, text: str) -> Path:
    file = folder / "settings.yaml"
    file.write_text(text, encoding="utf-8")
    return file


SOURCES: list[tuple[str, dict[str, Any], dict[str, str], str, int]] = [
    ("nothing is given: the default", {}, {}, "", 16),
    ("the file is given", {}, {}, "workers: 3", 3),
    ("the environment goes before the file", {}, {"HOURGLASS_WORKERS": "4"}, "workers: 3", 4),
    ("a flag goes before both", {"workers": "5"}, {"HOURGLASS_WORKERS": "4"}, "workers: 3", 5),
    ("a flag that is not given counts for nothing", {"workers": None}, {}, "workers: 3", 3),
    ("other variables are none of ours", {}, {"WORKERS": "4", "HOURGLASS_X": "1"}, "", 16),
]


@pytest.mark.parametrize(
    ("flags", "environ", "text", "workers"), [s[1:] for s in SOURCES], ids=[s[0] for s in SOURCES]
)
def test_the_first_source_counts(
    flags: dict[str, Any], environ: dict[str, str], text: str, workers: int, tmp_path: Path
) -> None:
    assert load(flags, environ, file_with(tmp_path, text)).workers == workers


def test_several_namespaces() -> None:
    assert load({"namespace": ("a", "b")}, {}, None).namespace == ("a", "b")
    assert load({}, {"HOURGLASS_NAMESPACE": "a,b"}, None).namespace == ("a", "b")


def test_a_namespace_that_is_given_twice_is_served_once() -> None:
    assert load({"namespace": ("b", "a", "b")}, {}, None).namespace == ("b", "a")


CONTEXTS: list[tuple[str, dict[str, Any], dict[str, str], str]] = [
    ("a flag", {"default_security_context": '{"capabilities": {"drop": ["ALL"]}}'}, {}, ""),
    (
        "a variable",
        {},
        {"HOURGLASS_DEFAULT_SECURITY_CONTEXT": '{"capabilities": {"drop": ["ALL"]}}'},
        "",
    ),
    ("the file", {}, {}, "default-security-context: {capabilities: {drop: [ALL]}}"),
]


@pytest.mark.parametrize(
    ("flags", "environ", "text"), [c[1:] for c in CONTEXTS], ids=[c[0] for c in CONTEXTS]
)
def test_a_default_security_context_by(
    flags: dict[str, Any], environ: dict[str, str], text: str, tmp_path: Path
) -> None:
    defaults = load(flags, environ, file_with(tmp_path, text)).pod_defaults
    assert defaults == PodDefaults(security_context={"capabilities": {"drop": ["ALL"]}})


WRONG: list[tuple[str, dict[str, Any], dict[str, str], str]] = [
    (
        "a flag of the wrong type",
        {"workers": "x"},
        {},
        "--workers: must be a valid integer, unable to parse string as an integer, found 'x'",
    ),
    (
        "a variable out of range",
        {},
        {"HOURGLASS_WORKERS": "0"},
        "HOURGLASS_WORKERS: must be greater than or equal to 1, found '0'",
    ),
    (
        "a word that is none of the words",
        {"log_format": "xml"},
        {},
        "--log-format: must be 'text' or 'json', found 'xml'",
    ),
    (
        "a liveness check that there is not",
        {"default_liveness_check": "HTTP"},
        {},
        "--default-liveness-check: must be 'TCP', 'GRPC' or 'None', found 'HTTP'",
    ),
    (
        "a security context that is no object",
        {"default_security_context": "restricted"},
        {},
        "--default-security-context: must be an object in JSON, found 'restricted'",
    ),
    (
        "a security context with a field of the pod's",
        {"default_security_context": '{"fsGroup": 1}'},
        {},
        "--default-security-context: must be a SecurityContext: unknown field fsGroup,"
        " found '{\"fsGroup\": 1}'",
    ),
    (
        "a security context with a value of the wrong type",
        {"default_pod_security_context": '{"runAsUser": "root"}'},
        {},
        "--default-pod-security-context: must be a PodSecurityContext: runAsUser must be a whole"
        ' number, found \'{"runAsUser": "root"}\'',
    ),
    (
        "a namespace that cannot be one",
        {"namespace": ("fine", "A_B")},
        {},
        "--namespace: must be a name of at most 63 lower-case letters, digits and -, found 'A_B'",
    ),
    (
        "a Lease that cannot be one",
        {},
        {"HOURGLASS_LEASE_NAME": ""},
        "HOURGLASS_LEASE_NAME: must be a name of at most 63 lower-case letters, digits and -,"
        " found ''",
    ),
    (
        "an address without a port",
        {"health_address": "localhost"},
        {},
        "health-address: HOST:PORT is expected, found 'localhost'",
    ),
    (
        "a lease shorter than its renewal",
        {"lease_duration": "5"},
        {},
        "retry-period < renew-deadline < lease-duration is expected, found 2, 10, 5",
    ),
]


@pytest.mark.parametrize(
    ("flags", "environ", "said"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG]
)
def test_a_wrong_setting_is_named(
    flags: dict[str, Any], environ: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsError) as error:
        load(flags, environ, None)
    assert str(error.value) == said


def test_every_wrong_setting_is_named() -> None:
    with pytest.raises(SettingsError) as error:
        load({"workers": "x"}, {"HOURGLASS_RETRY_PERIOD": "soon"}, None)
    assert [line.split(":")[0] for line in str(error.value).splitlines()] == [
        "HOURGLASS_RETRY_PERIOD",
        "--workers",
    ]


FILES = [
    ("an unknown key", "wrokers: 3", "wrokers: unknown setting; known are namespace, kubeconfig"),
    ("no YAML", "a: [", "not YAML: while parsing"),
    ("a date that is none", "workers: 2020-13-45", "not YAML: 2020-13-45 is no timestamp in"),
    ("nesting without end", "[" * 2_000, "not YAML: while increasing flow level"),
    ("a list", "- workers", "settings by name are expected, such as 'workers: 16'"),
    ("a wrong value", "workers: x", "workers: must be a valid integer"),
    ("a truth for a number", "workers: true", "workers: must be a number, found True"),
    ("a setting that is given twice", "workers: 1\nworkers: 2", "not YAML: the key workers occurs"),
    ("no list", "namespace: a", "namespace: must be a list, such as [a, b], found 'a'"),
    ("no path", "kubeconfig: {}", "kubeconfig: must be the path of a file, found {}"),
]


@pytest.mark.parametrize(("text", "said"), [f[1:] for f in FILES], ids=[f[0] for f in FILES])
def test_a_wrong_file_is_named(text: str, said: str, tmp_path: Path) -> None:
    file = file_with(tmp_path, text)
    with pytest.raises(SettingsError) as error:
        load({}, {}, file)
    assert str(error.value).startswith(f"{file}: {said}")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nope.yaml: No such file or directory"):
        load({}, {}, tmp_path / "nope.yaml")


ADDRESSES = [
    ("0.0.0.0:8081", ("0.0.0.0", 8081)),
    ("[::1]:80", ("::1", 80)),
    (":8080", ("", 8080)),
    ("localhost", None),
    ("localhost:x", None),
    ("localhost:65536", None),
]


@pytest.mark.parametrize(("address", "place"), ADDRESSES)
def test_addresses(address: str, place: tuple[str, int] | None) -> None:
    assert host_and_port(address) == place


def test_every_setting_is_described() -> None:
    assert all(field.description for field in RuntimeSettings.model_fields.values())
