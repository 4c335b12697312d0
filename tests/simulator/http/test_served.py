"""The server itself, through a socket."""

import gzip
import http.client
import json
import shutil
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hourglass_operator.api.crd import generate
from hourglass_simulator.apiserver import APIError
from hourglass_simulator.apiserver.calls import Call
from hourglass_simulator.apiserver.watch import WatchEvent
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.http.served import Served, served

MAPS = "/api/v1/namespaces/default/configmaps"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture
def there() -> Iterator[Served]:
    with served(Cluster(crd=generate())) as found:
        yield found


def call(
    there: Served, method: str, path: str, body: Any = None, user: str = ""
) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"}
    token = user or (there.server.control_token if path.startswith("/_simulator") else "")
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(there.url + path, data, headers, method=method)
    try:
        with DIRECT.open(request, timeout=300) as answer:
            code, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        code, text = error.code, error.read()
    try:
        return code, json.loads(text)
    except ValueError:
        return code, text.decode()


def create(there: Served, name: str) -> None:
    assert call(there, "POST", MAPS, {"metadata": {"name": name}})[0] == 201


def watch(there: Served, path: str = MAPS, **query: str) -> Any:
    text = "&".join(f"{key}={value}" for key, value in {"watch": "true", **query}.items())
    return DIRECT.open(f"{there.url}{path}?{text}", timeout=300)


def names(lines: list[bytes]) -> list[tuple[str, str]]:
    events = [json.loads(line) for line in lines]
    return [(event["type"], event["object"]["metadata"]["name"]) for event in events]


def test_objects_and_plain_text(there: Served) -> None:
    assert call(there, "GET", "/healthz") == (200, "ok")
    create(there, "a")
    assert call(there, "GET", f"{MAPS}/a")[1]["metadata"]["name"] == "a"
    assert call(there, "GET", "/nope") == (404, "404 page not found\n")


class Busy:
    """Refuses every call, like the fault api-throttled."""

    def before(self, call: Call) -> None:
        raise APIError(429, "TooManyRequests", "later", {"retryAfterSeconds": 7})

    def after(self, call: Call) -> None:
        pass


@pytest.mark.parametrize("query", ["", "?watch=true"], ids=["of a list", "of a watch"])
def test_when_to_come_back_is_in_a_header(there: Served, query: str) -> None:
    there.cluster.api.interceptors.append(Busy())
    with pytest.raises(urllib.error.HTTPError) as refused:
        DIRECT.open(f"{there.url}{MAPS}{query}", timeout=300)
    assert (refused.value.code, refused.value.headers["Retry-After"]) == (429, "7")


def test_a_watch_shows_what_there_is_and_what_comes(there: Served) -> None:
    create(there, "a")
    with watch(there) as stream:
        assert names([stream.readline()]) == [("ADDED", "a")]
        create(there, "b")
        assert names([stream.readline()]) == [("ADDED", "b")]


def test_a_watch_ends_when_its_time_is_over(there: Served) -> None:
    with watch(there, resourceVersion=there.cluster.api.resource_version, timeoutSeconds="1") as s:
        assert s.read() == b""


def test_a_watch_ends_in_order_when_the_server_does() -> None:
    with served(Cluster()) as there:
        stream = watch(there)
    with stream:
        assert stream.read() == b""


def test_watches_can_be_dropped_and_the_past_forgotten(there: Served) -> None:
    version = there.cluster.api.resource_version
    create(there, "a")
    with watch(there, resourceVersion=there.cluster.api.resource_version) as stream:
        assert call(there, "POST", "/_simulator/watches/drop?forget=1")[0] == 200
        assert stream.read() == b""
    with watch(there, resourceVersion=version) as stream:
        assert json.loads(stream.readline())["object"]["code"] == 410


def test_the_watches_of_a_resource_end_with_its_definition(there: Served) -> None:
    path = "/apis/hourglass.eigenlayer.io/v1alpha1/performers"
    with watch(there) as others, watch(there, path=path) as stream:
        with there.lock:
            name = "performers.hourglass.eigenlayer.io"
            there.cluster.api.delete("customresourcedefinitions", "", name)
        assert stream.read() == b""
        create(there, "a")
        assert names([others.readline()]) == [("ADDED", "a")]


def test_the_token_is_the_user_whom_the_audit_names(there: Served) -> None:
    call(there, "POST", MAPS, {"metadata": {"name": "a"}}, user="bob")
    reported = [
        entry for entry in call(there, "GET", "/_simulator/audit")[1] if entry["name"] == "a"
    ]
    assert [(entry["user"], entry["verb"], entry["code"]) for entry in reported] == [
        ("bob", "create", 201)
    ]


def test_permissions_can_be_taken_and_given_back(there: Served) -> None:
    rule = "user=bob&verb=list&resource=configmaps"
    assert call(there, "POST", f"/_simulator/deny?{rule}")[0] == 200
    assert call(there, "GET", MAPS, user="bob")[0] == 403
    assert call(there, "POST", f"/_simulator/allow?{rule}")[0] == 200
    assert call(there, "GET", MAPS, user="bob")[0] == 200


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/_simulator/deny?user=bob", "expected in the query: verb, resource"),
        ("/_simulator/nope", "see docs/serve.md"),
    ],
)
def test_a_control_call_that_is_wrong_says_so(there: Served, path: str, said: str) -> None:
    code, text = call(there, "POST", path)
    assert code in (400, 404)
    assert said in text


def test_a_body_that_is_no_object_is_refused(there: Served) -> None:
    code, status = call(there, "POST", MAPS, ["a"])
    assert (code, status["reason"]) == (400, "BadRequest")


def test_a_kubeconfig_names_the_server_and_the_user(there: Served, tmp_path: Path) -> None:
    there.write_kubeconfig(tmp_path / "config", user="bob")
    config = yaml.safe_load((tmp_path / "config").read_text())
    assert config["clusters"][0]["cluster"] == {"server": there.url}
    token = config["users"][0]["user"]["token"]
    assert call(there, "POST", MAPS, {"metadata": {"name": "a"}}, user=token)[0] == 201
    audit = call(there, "GET", "/_simulator/audit", user=token)[1]
    assert audit[-1]["user"] == "bob"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_over_tls_a_kubeconfig_names_the_certificate_too(tmp_path: Path) -> None:
    certificate, key = tmp_path / "server.crt", tmp_path / "server.key"
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    made = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", *subject)
    subprocess.run([*made, "-out", certificate, "-keyout", key], check=True, capture_output=True)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    with served(Cluster(crd=generate()), tls=tls) as there:
        there.write_kubeconfig(tmp_path / "config", authority=certificate)
        config = yaml.safe_load((tmp_path / "config").read_text())
        found = config["clusters"][0]["cluster"]
        context = ssl.create_default_context(cafile=found["certificate-authority"])
        with urllib.request.urlopen(f"{found['server']}/healthz", context=context) as answer:
            assert answer.read() == b"ok"


def test_a_port_that_is_taken_is_an_error(there: Served) -> None:
    port = int(there.url.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"), served(Cluster(), port=port):
        pass


def test_what_a_component_raises_is_not_the_fault_of_the_client_who_made_the_change() -> None:
    cluster, seen = Cluster(), list[str]()

    def fail(event: WatchEvent) -> None:
        raise KeyError(event.object["metadata"]["name"])

    failed = threading.Event()
    with served(cluster, failed=failed.set) as there:
        with there.lock:
            for sink in (fail, lambda event: seen.append(event.object["metadata"]["name"])):
                cluster.api.watch("configmaps", sink=sink)
        seen.clear()
        create(there, "a")
        assert call(there, "GET", f"{MAPS}/a")[0] == 200
    assert seen == ["a"]
    assert failed.is_set()
    assert repr(there.driver.failure) == "KeyError('a')"


def test_what_is_played_is_played_to_its_end() -> None:
    done: list[float] = []
    cluster = Cluster()
    with served(cluster, speed=1000.0, play=lambda d: d.drive(50.0, lambda: False)) as found:
        assert found.finished.wait(300)
        done.append(cluster.clock.now)
    assert done[0] >= 50.0


def test_a_streaming_list_ends_with_a_bookmark_that_says_so(there: Served) -> None:
    create(there, "a")
    query = {
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
    }
    with watch(there, **query) as stream:
        assert names([stream.readline()]) == [("ADDED", "a")]
        bookmark = json.loads(stream.readline())
        assert bookmark["type"] == "BOOKMARK"
        annotations = bookmark["object"]["metadata"]["annotations"]
        assert annotations == {"k8s.io/initial-events-end": "true"}
        create(there, "b")
        assert names([stream.readline()]) == [("ADDED", "b")]


def test_a_watch_may_begin_without_what_there_is(there: Served) -> None:
    create(there, "a")
    query = {"sendInitialEvents": "false", "resourceVersionMatch": "NotOlderThan"}
    with watch(there, **query) as stream:
        create(there, "b")
        assert names([stream.readline()]) == [("ADDED", "b")]


def test_warnings_are_headers(there: Served) -> None:
    body = json.dumps({"metadata": {"name": "a"}, "strange": 1}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(there.url + MAPS, body, headers, method="POST")
    with DIRECT.open(request, timeout=300) as answer:
        assert answer.headers.get_all("Warning") == ['299 - "unknown field \\"strange\\""']


def test_yaml_in_and_out(there: Served) -> None:
    headers = {"Content-Type": "application/yaml", "Accept": "application/yaml"}
    body = b"metadata: {name: a}\ndata: {since: '2024-01-01'}\n"
    request = urllib.request.Request(there.url + MAPS, body, headers, method="POST")
    with DIRECT.open(request, timeout=300) as answer:
        assert answer.headers["Content-Type"] == "application/yaml"
        assert yaml.safe_load(answer.read())["data"] == {"since": "2024-01-01"}


@pytest.mark.parametrize(("bytes_", "encoding"), [(200_000, "gzip"), (10, None)])
def test_large_answers_are_compressed(there: Served, bytes_: int, encoding: str | None) -> None:
    data = {"metadata": {"name": "a"}, "data": {"text": "x" * bytes_}}
    assert call(there, "POST", MAPS, data)[0] == 201
    headers = {"Accept-Encoding": "gzip"}
    request = urllib.request.Request(f"{there.url}{MAPS}/a", headers=headers)
    with DIRECT.open(request, timeout=300) as answer:
        assert answer.headers["Content-Encoding"] == encoding
        body = answer.read()
    text = gzip.decompress(body) if encoding else body
    assert json.loads(text)["data"] == data["data"]


def raw(there: Served, method: str, path: str, **headers: str) -> int:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    host, port = there.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=300)
    connection.putrequest(method, path, skip_host="Host" in sent)
    for name, value in ({"Content-Length": "0"} | sent).items():
        connection.putheader(name, value)
    connection.endheaders()
    return connection.getresponse().status


OF_STRANGERS = [
    ("of this machine by its number", "GET", MAPS, {}, 200),
    ("of this machine by its name", "GET", MAPS, {"Host": "localhost:1234"}, 200),
    ("of a name that resolves to this machine", "GET", MAPS, {"Host": "evil.example:80"}, 403),
    ("without a host", "GET", MAPS, {"Host": ""}, 403),
    (
        "of a page that comes from this machine",
        "GET",
        MAPS,
        {"Origin": "http://localhost:3000"},
        200,
    ),
    ("of a page that comes from elsewhere", "GET", MAPS, {"Origin": "https://evil.example"}, 403),
    ("of a page that says not from where", "GET", MAPS, {"Origin": "null"}, 403),
    ("of a form", "POST", MAPS, {"Content_Type": "application/x-www-form-urlencoded"}, 415),
    ("of a form in plain text", "POST", MAPS, {"Content_Type": "text/plain"}, 415),
    ("without a type and credentials", "POST", MAPS, {}, 415),
    ("without a type, with credentials", "POST", MAPS, {"Authorization": "Bearer bob"}, 400),
    ("for a stream, as kubectl exec sends it", "POST", MAPS, {"Upgrade": "SPDY/3.1"}, 400),
    ("of control without the token", "GET", "/_simulator/audit", {}, 403),
    ("of control with a name", "GET", "/_simulator/audit", {"Authorization": "Bearer admin"}, 403),
]


@pytest.mark.parametrize(
    ("method", "path", "headers", "code"),
    [each[1:] for each in OF_STRANGERS],
    ids=[f"a request {each[0]}" for each in OF_STRANGERS],
)
def test_pages_in_a_browser_do_not_reach_it(
    there: Served, method: str, path: str, headers: dict[str, str], code: int
) -> None:
    assert raw(there, method, path, **headers) == code


def test_a_body_may_have_three_mebibytes(there: Served) -> None:
    code, status = call(there, "POST", MAPS, {"data": {"a": "x" * 3 * 1024 * 1024}})
    assert (code, status["message"]) == (413, "Request entity too large: limit is 3145728")
