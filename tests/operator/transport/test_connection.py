"""How the API server is reached."""

import pytest

from hourglass_operator.transport.connection import proxy_for

SERVER = "https://api.example.com:6443"
PROXIES = [
    ("no proxy", {}, None),
    ("a proxy for https", {"HTTPS_PROXY": "http://p:3128"}, "http://p:3128"),
    ("a proxy for http only", {"HTTP_PROXY": "http://p:3128"}, None),
    (
        "a proxy, but not for this server",
        {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "localhost,.example.com"},
        None,
    ),
]


@pytest.mark.parametrize(
    ("environment", "proxy"), [p[1:] for p in PROXIES], ids=[p[0] for p in PROXIES]
)
def test_the_proxy_of_the_environment(
    environment: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(SERVER) == proxy
