"""What the API server writes into the specs of pods and of templates for them."""

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import pod_defaults


@pytest.mark.parametrize(
    ("given", "account"),
    [
        pytest.param({"serviceAccountName": "a"}, "a", id="the name"),
        pytest.param({"serviceAccount": "a"}, "a", id="the old name"),
        pytest.param({"serviceAccountName": "a", "serviceAccount": "b"}, "a", id="both"),
        pytest.param({}, None, id="none"),
    ],
)
def test_the_service_account_of_a_template_has_both_names(given: JSON, account: str | None) -> None:
    spec = pod_defaults.of_template({"containers": [], **given})
    assert (spec.get("serviceAccountName"), spec.get("serviceAccount")) == (account, account)
