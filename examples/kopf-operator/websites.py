"""An operator in kopf: a Website becomes a Deployment, and says whether all of it is ready."""

import kopf
from kubernetes import client, config

WEBSITES = ("example.com", "v1", "websites")


@kopf.on.startup()
def connect(**_):
    config.load_config()


@kopf.on.create(*WEBSITES)
@kopf.on.update(*WEBSITES, field="spec")
def deploy(name, namespace, spec, body, **_):
    labels, containers = {"website": name}, [{"name": "web", "image": spec["image"]}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    selector = {"matchLabels": labels}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {"replicas": spec["replicas"], "selector": selector, "template": template},
    }
    kopf.adopt(deployment, owner=body)
    apply = {"field_manager": "websites", "_content_type": "application/apply-patch+yaml"}
    client.AppsV1Api().patch_namespaced_deployment(name, namespace, deployment, **apply)
    return {"image": spec["image"]}  # kopf keeps it as status.deploy


@kopf.on.event("apps", "v1", "deployments", labels={"website": kopf.PRESENT})
def report(type, name, namespace, spec, status, **_):
    ready, wanted = status.get("readyReplicas", 0), spec["replicas"]
    known = {"reason": "Serving" if ready == wanted else "Waiting", "message": f"{ready}/{wanted}"}
    patch = {"status": {"conditions": [{"type": "Ready", "status": str(ready == wanted), **known}]}}
    if type != "DELETED":
        websites = client.CustomObjectsApi()
        websites.patch_namespaced_custom_object_status(
            *WEBSITES[:2], namespace, WEBSITES[2], name, patch
        )


@kopf.on.delete(*WEBSITES)
def take_down(name, namespace, **_):
    scale = {"spec": {"replicas": 0}}
    client.AppsV1Api().patch_namespaced_deployment_scale(name, namespace, scale)
    if client.CoreV1Api().list_namespaced_pod(namespace, label_selector=f"website={name}").items:
        raise kopf.TemporaryError("pods still run", delay=0.1)
