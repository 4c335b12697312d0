"""The fields of a Performer, as the API reference names them.

Attribute names are snake_case; JSON names are camelCase through aliases. The docstrings,
descriptions and bounds here become the CRD (see `crd`), so `kubectl explain performer.spec` shows
them. Core Kubernetes types (EnvVar, Toleration, Affinity, …) stay plain JSON objects: their schemas
come from Kubernetes' published OpenAPI (see `coretypes`).
"""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from hourglass_operator.api.rules import VALIDATIONS, Schema, rule
from hourglass_operator.api.values import (
    Affinity,
    Argument,
    AvsAddress,
    EnvFromSource,
    EnvVar,
    ImageReference,
    Labels,
    LocalObjectReference,
    ObjectName,
    PodResourceClaim,
    PodSecurityContext,
    Resources,
    SecurityContext,
    Timestamp,
    Toleration,
    Version,
    Word,
)

GROUP = "hourglass.eigenlayer.io"
VERSION = "v1alpha1"
KIND = "Performer"
PLURAL = "performers"

DEFAULT_GRPC_PORT = 9090
CONDITIONS_LIMIT = 8
MESSAGE_LIMIT = 32768
"""Characters of a condition's message, as metav1.Condition has it."""
MAX_NAME_LENGTH = 53
"""The Service is called `performer-{name}` and a Service name has at most 63 characters."""


class Model(BaseModel):
    """Base of all API types: camelCase JSON names, immutable, unknown fields dropped."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class HealthCheck(StrEnum):
    """How the kubelet probes the performer's port."""

    TCP = "TCP"
    GRPC = "GRPC"
    NONE = "None"


class ImagePullPolicy(StrEnum):
    """When the kubelet pulls the image."""

    ALWAYS = "Always"
    IF_NOT_PRESENT = "IfNotPresent"
    NEVER = "Never"


class UpgradeStrategyType(StrEnum):
    """How a change of the pod template reaches the running pod."""

    AUTO = "Auto"
    ROLLING_UPDATE = "RollingUpdate"
    RECREATE = "Recreate"


class DisruptionPolicy(StrEnum):
    """What becomes of a pod whose node is to be drained."""

    EVICT = "Evict"
    MOVE_FIRST = "MoveFirst"


class OnUnhealthy(StrEnum):
    """What becomes of a pod that holds a device which is reported to be unhealthy."""

    KEEP = "Keep"
    REPLACE = "Replace"


class Allocation(StrEnum):
    """How the pod is given its GPUs."""

    AUTO = "Auto"
    DEVICE_PLUGIN = "DevicePlugin"
    RESOURCE_CLAIM = "ResourceClaim"


class PerformerConfig(Model):
    """Performer-specific configuration."""

    grpc_port: int = Field(
        DEFAULT_GRPC_PORT,
        ge=1,
        le=65535,
        description="Port on which the performer's gRPC server listens, in the pod and on the "
        "Service: performer-{name}.{namespace}.svc.cluster.local:{grpcPort}.",
    )
    env: Annotated[
        list[EnvVar],
        Schema({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}),
    ] = Field(
        default_factory=list,
        max_length=256,
        description="Environment variables of the performer, as in a Pod: a value, or a key of a "
        "Secret or ConfigMap, a field of the pod or one of its resources. A variable named here "
        "takes precedence over environment and environmentFrom.",
    )
    environment: Annotated[
        dict[str, Annotated[str, Field(max_length=131072)]],
        Schema(
            {
                VALIDATIONS: [
                    rule(
                        "self.all(k, k.size() > 0 && !k.contains('='))",
                        "each key must be the name of an environment variable: not empty, no '='",
                    )
                ]
            }
        ),
    ] = Field(
        default_factory=dict,
        max_length=256,
        description="Environment variables with plain values, as name: value. Kept for executors "
        "that write it; env can do the same and more.",
    )
    environment_from: list[EnvFromSource] = Field(
        default_factory=list,
        max_length=64,
        description="Secrets and ConfigMaps whose every key becomes an environment variable, as "
        "envFrom of a container; or, with name and valueFrom, one variable from one key, which "
        "takes precedence over environment. Of two variables of a name the later one counts.",
    )
    args: list[Argument] = Field(
        default_factory=list,
        max_length=256,
        description="Arguments of the entrypoint; without it, those of the image.",
    )
    command: list[Argument] = Field(
        default_factory=list,
        max_length=256,
        description="Replaces the image's entrypoint. Not run in a shell.",
    )
    service_account_name: ObjectName = Field(
        None,
        description="ServiceAccount of the pod. Its token is mounted only when this is set; "
        "otherwise the pod runs as the namespace's default account without a token.",
    )
    health_check: HealthCheck = Field(
        HealthCheck.TCP,
        description="How readiness is probed on grpcPort: TCP (a connection is accepted), GRPC "
        "(the gRPC health service answers SERVING) or None (ready as soon as it runs). "
        "TCP when absent.",
    )
    liveness_check: HealthCheck = Field(
        HealthCheck.NONE,
        description="How the kubelet finds out, once the performer has answered for the first "
        "time, that it hangs and must be restarted: TCP or GRPC, as in healthCheck, asked every "
        "10 s and failed three times in a row; or None. When absent, what the operator's setting "
        "default-liveness-check says, which is None unless set.",
    )
    security_context: SecurityContext | None = Field(
        None,
        description="Security context of the performer's container, as in a Pod. Its fields go "
        "before those of the operator's setting default-security-context and before "
        "allowPrivilegeEscalation: false, which every container gets otherwise.",
    )
    pod_security_context: PodSecurityContext | None = Field(
        None,
        description="Security context of the pod, as in a Pod. Its fields go before those of the "
        "operator's setting default-pod-security-context and before the seccomp profile "
        "RuntimeDefault, which every pod gets otherwise.",
    )
    resource_claims: Annotated[
        list[PodResourceClaim],
        Schema({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}),
    ] = Field(
        default_factory=list,
        max_length=32,
        description="Claims of your own for devices of Dynamic Resource Allocation, as in a Pod: a "
        "ResourceClaim or a ResourceClaimTemplate of the same namespace. spec.resources.claims "
        "names those that the performer's container uses.",
    )


class SchedulingConfig(Model):
    """Where the performer's pod may run, on top of what hardwareRequirements ask for."""

    node_selector: Labels = Field(
        default_factory=dict, description="Labels that the node must have, each with this value."
    )
    tolerations: list[Toleration] = Field(
        default_factory=list,
        max_length=64,
        description="Taints of nodes that do not keep the pod away.",
    )
    affinity: Affinity | None = Field(
        None,
        description="Node affinity, pod affinity and pod anti-affinity, as in a Pod. The terms of "
        "hardwareRequirements are combined with the node affinity given here.",
    )
    runtime_class: ObjectName = Field(
        None, description="RuntimeClass of the pod, such as gvisor or kata."
    )
    priority_class_name: ObjectName = Field(None, description="PriorityClass of the pod.")


class HardwareRequirements(Model):
    """Hardware that the node must offer; becomes node affinity and device resources of the pod."""

    gpu_type: Word = Field(
        None,
        description="GPU that the node must have, such as nvidia-a100 or nvidia-tesla-v100. "
        "Recognised under the labels that GPU feature discovery and the clouds use.",
    )
    gpu_count: Annotated[int, Field(ge=0, le=1024)] | None = Field(
        None,
        description="Number of GPUs, requested as the device resource of gpuType unless "
        "spec.resources names it already.",
    )
    tee_required: bool = Field(
        False,
        description="Whether the node must offer a trusted execution environment: that of "
        "teeType, or any when teeType is absent.",
    )
    tee_type: Word = Field(
        None, description="Technology of the trusted execution environment: sgx, sev, tdx, …"
    )
    custom_labels: Labels = Field(
        default_factory=dict,
        description="Further labels that the node must have, each with this value. An amount of "
        "a resource, such as sgx.intel.com/epc, is asked for under spec.resources.limits instead.",
    )
    allocation: Allocation = Field(
        Allocation.AUTO,
        description="How the pod is given its GPUs: DevicePlugin (a resource such as "
        "nvidia.com/gpu, on nodes that bear a label of the GPU), ResourceClaim (a claim for "
        "devices that a driver for Dynamic Resource Allocation publishes), or Auto: a claim where "
        "nodes publish them only so. Auto when absent.",
    )
    on_unhealthy: OnUnhealthy = Field(
        OnUnhealthy.KEEP,
        description="What happens when the kubelet reports that a device of the pod that serves is "
        "unhealthy: Keep leaves it alone, Replace moves the performer to other devices as when its "
        "node is drained with disruption.policy MoveFirst; with the upgrade strategy Recreate the "
        "old pod goes first. Degraded names the device either way. Keep when absent.",
    )


class UpgradeStrategy(Model):
    """How upgrades are carried out and how long they may take."""

    type: UpgradeStrategyType = Field(
        UpgradeStrategyType.AUTO,
        description="RollingUpdate: the new pod serves before the old one goes. Recreate: the old "
        "pod goes first. Auto: RollingUpdate, unless the new pod cannot be scheduled because the "
        "old one holds the hardware, then Recreate. Auto when absent.",
    )
    progress_deadline_seconds: int = Field(
        600,
        ge=1,
        le=604800,
        description="Seconds a pod may take until it serves before Progressing turns False with "
        "the reason ProgressDeadlineExceeded. 600 when absent.",
    )
    min_ready_seconds: int = Field(
        0,
        ge=0,
        le=604800,
        description="Seconds for which the new pod must have been ready without a break before an "
        "upgrade is a success. Until then a RollingUpdate keeps the old pod, and both serve. 0 "
        "when absent: ready is enough. The same holds for the successor of a pod that moves (see "
        "disruption), not for the first start or after the loss of a pod.",
    )


class Disruption(Model):
    """What happens when the node of a pod that serves is cordoned or about to go."""

    policy: DisruptionPolicy | None = Field(
        None,
        description="Evict: the pod is evicted by whoever drains its node, and another one takes "
        "its place afterwards. MoveFirst: evictions are refused (by a PodDisruptionBudget) until "
        "another pod serves elsewhere. Needs the upgrade strategy Auto or RollingUpdate. When "
        "absent, what the operator's setting default-disruption-policy says, which is Evict unless "
        "set.",
    )
    max_wait_seconds: int = Field(
        300,
        ge=1,
        le=86400,
        description="Seconds for which MoveFirst refuses evictions while no other pod can serve. "
        "300 when absent.",
    )


class PerformerSpec(Model):
    """What the executor asks for."""

    avs_address: AvsAddress = Field(
        description="Ethereum address that identifies the AVS: 0x followed by 40 hexadecimal "
        "digits."
    )
    image: ImageReference = Field(
        description="Container image of the performer: "
        "[registry[:port]/]path[:tag][@sha256:digest]."
    )
    version: Version = Field(
        None,
        description="Version of the performer, for people and for upgrades: changing it restarts "
        "the performer even when the image's name stays the same. Printable ASCII.",
    )
    image_pull_policy: ImagePullPolicy | None = Field(
        None,
        description="When the kubelet pulls the image: Always, IfNotPresent or Never. When "
        "absent, Always for the tag latest and IfNotPresent otherwise.",
    )
    config: PerformerConfig = Field(
        default_factory=PerformerConfig, description="Configuration of the performer's container."
    )
    resources: Resources = Field(
        default_factory=dict,
        description="Compute resources of the performer's container, as in a Pod.",
    )
    scheduling: SchedulingConfig = Field(
        default_factory=SchedulingConfig, description="Where the performer's pod may run."
    )
    hardware_requirements: HardwareRequirements = Field(
        default_factory=HardwareRequirements,
        description="Specialised hardware that the node must offer.",
    )
    image_pull_secrets: Annotated[
        list[LocalObjectReference],
        Schema({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}),
    ] = Field(
        default_factory=list,
        max_length=16,
        description="Secrets of the same namespace with credentials for the image's registry.",
    )
    upgrade_strategy: UpgradeStrategy = Field(
        default_factory=UpgradeStrategy,
        description="How a change of the pod is carried out.",
    )
    disruption: Disruption = Field(
        default_factory=Disruption,
        description="What happens when the pod's node is drained.",
    )


class Condition(Model):
    """A metav1.Condition.

    https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#Condition
    """

    type: Annotated[str, Field(max_length=316)] = Field(
        description="Available, Progressing, Degraded, Reconciling, Stalled or Ready."
    )
    status: Annotated[str, Schema({"enum": ["True", "False", "Unknown"]})] = Field(
        max_length=7, description="True, False or Unknown."
    )
    reason: str = Field(
        min_length=1,
        max_length=1024,
        pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
        description="Why, in one CamelCase word.",
    )
    message: str = Field("", max_length=MESSAGE_LIMIT, description="Why, for a person.")
    last_transition_time: Timestamp = Field(description="When status last changed.")
    observed_generation: int | None = Field(
        None, ge=0, description="metadata.generation that this is about."
    )


class PerformerStatus(Model):
    """What the operator observed; written by the operator only."""

    phase: Annotated[
        str | None,
        Schema({"enum": ["Pending", "Running", "Upgrading", "Terminating", "Failed"]}),
    ] = Field(
        None,
        max_length=16,
        description="Summary: Pending (nothing serves yet or any more), Running (serves what spec "
        "asks for), Upgrading (a change is on its way), Failed (does not mend itself) or "
        "Terminating. The conditions say why.",
    )
    ready: bool | None = Field(None, description="Whether a client is answered at grpcEndpoint.")
    observed_generation: int | None = Field(
        None, ge=0, description="metadata.generation that this status is about."
    )
    pod_name: Annotated[str, Field(max_length=253)] | None = Field(
        None, description="Pod that serves or, when none does, that is to serve."
    )
    service_name: Annotated[str, Field(max_length=63)] | None = Field(
        None, description="Service in front of the pod."
    )
    grpc_endpoint: Annotated[str, Field(max_length=512)] | None = Field(
        None,
        description="Where clients connect: "
        "performer-{name}.{namespace}.svc.cluster.local:{grpcPort}.",
    )
    node_name: Annotated[str, Field(max_length=253)] | None = Field(
        None, description="Node on which the pod runs."
    )
    resources: Resources | None = Field(
        None,
        description="CPU and memory that the kubelet says the performer's container has. They "
        "differ from those of spec while a pod is resized.",
    )
    template_hash: Annotated[str, Field(max_length=63)] | None = Field(
        None, description="Hash of the pod template that spec asks for."
    )
    serving_template_hash: Annotated[str, Field(max_length=63)] | None = Field(
        None, description="Hash of the pod template that serves."
    )
    progress_start_time: Timestamp | None = Field(
        None,
        description="Since when the current change is under way; the deadline counts from it. "
        "Absent while a scheduling gate holds the pod back.",
    )
    last_upgrade: Timestamp | None = Field(
        None, description="When a new pod template last took over serving."
    )
    ready_time: Timestamp | None = Field(None, description="When the performer last became ready.")
    conditions: Annotated[
        list[Condition],
        Schema({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}),
    ] = Field(
        default_factory=list,
        max_length=CONDITIONS_LIMIT,
        description="Available, Progressing, Degraded and, as the summary, Ready; while true also"
        " Reconciling, or Stalled.",
    )
