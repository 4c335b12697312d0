"""What OLM installs beside the Deployment, the accounts and the roles.

https://olm.operatorframework.io/docs/tasks/creating-operator-bundle/#packaging-additional-objects
"""

from collections.abc import Mapping

from hourglass_kube.types import JSON
from hourglass_operator.manifests import workload
from hourglass_operator.manifests.roles import NAME


def objects() -> Mapping[str, JSON]:
    """File name → object; none has a namespace: OLM sets its own.

    ServiceMonitor and PrometheusRule are not among them: without their definitions nothing of the
    bundle would be installed.
    """
    made = (workload.disruption_budget(), workload.metrics_service(), workload.network_policy())
    return {f"{NAME}.{obj['kind'].lower()}.yaml": _anywhere(obj) for obj in made}


def _anywhere(obj: JSON) -> JSON:
    metadata = {name: value for name, value in obj["metadata"].items() if name != "namespace"}
    return {**obj, "metadata": metadata}
