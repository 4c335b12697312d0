import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourglass_operator.resources import names

LOWER = "0x" + "abcdef1234" * 4
labels_of_dns = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?", fullmatch=True)
hashes = st.text("bcdfghjklmnpqrstvwxz2456789", min_size=10, max_size=10)


@given(name=labels_of_dns, template_hash=hashes, attempt=st.integers(0, 10**6))
def test_a_pod_name_shows_what_it_was_made_of(name: str, template_hash: str, attempt: int) -> None:
    pod = names.pod_name(name, template_hash, attempt)
    assert names.parse_pod_name(pod) == (name, template_hash, attempt)
    assert len(pod) <= 253


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param("performer-ml", id="a Service's name"),
        pytest.param("performer-ml-bcdfghjklm", id="no attempt"),
        pytest.param("performer-bcdfghjklm-0", id="no Performer"),
        pytest.param("performer-ml-bcdf-0", id="hash too short"),
        pytest.param("other-ml-bcdfghjklm-0", id="another prefix"),
        pytest.param("performer-ml-bcdfghjklm-0-x", id="something after the attempt"),
    ],
)
def test_other_names_are_not_the_operators(pod: str) -> None:
    assert names.parse_pod_name(pod) is None


@given(labels_of_dns)
def test_a_service_name_fits_and_shows_its_performer(name: str) -> None:
    service = names.service_name(name)
    assert names.performer_of_service(service) == name
    assert len(service) <= 63


def test_a_template_shows_its_performer() -> None:
    assert names.performer_of_template(names.template_name("a-b", "0123456789")) == "a-b"
    assert names.performer_of_template("performer-a-b-gpu") is None


def test_a_foreign_service_has_no_performer() -> None:
    assert names.performer_of_service("kubernetes") is None


@pytest.mark.parametrize(
    ("performer", "namespace", "port", "endpoint"),
    [
        (
            "example",
            "avs-project-a",
            9090,
            "performer-example.avs-project-a.svc.cluster.local:9090",
        ),
        ("ml-worker", "production", 8080, "performer-ml-worker.production.svc.cluster.local:8080"),
    ],
    ids=["first example of the document", "second example of the document"],
)
def test_the_endpoint_is_the_documents(
    performer: str, namespace: str, port: int, endpoint: str
) -> None:
    assert names.grpc_endpoint(performer, namespace, port) == endpoint


def test_one_selector_finds_an_avs_however_its_address_is_written() -> None:
    checksummed = names.labels("a", LOWER[:2] + LOWER[2:].upper())
    assert checksummed == names.labels("a", LOWER)
    assert checksummed[names.AVS_LABEL] == LOWER


def test_labels_of_the_pod_contain_what_the_service_selects() -> None:
    labels = names.labels("ml", LOWER, "bcdfghjklm")
    assert names.selector("ml").items() <= labels.items()
    assert set(labels) == set(names.OWN_LABELS)
    assert set(names.labels("ml", LOWER)) == set(names.OWN_LABELS) - {names.HASH_LABEL}


def test_own_labels_leave_foreign_ones_out() -> None:
    own = names.labels("ml", LOWER, "bcdfghjklm")
    assert names.OwnLabels({"team": "a", **own}) == own
    assert not names.OwnLabels({})
