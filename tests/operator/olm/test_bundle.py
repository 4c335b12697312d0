"""The bundle: made from the code, free of mistakes, and refused when it is broken."""

import copy
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hourglass_kube.types import JSON
from hourglass_operator.olm.bundle import bundle
from hourglass_operator.olm.checks import PUBLISHED, Bundle, check
from hourglass_operator.olm.descriptors import display_name, spec_descriptors, status_descriptors
from hourglass_operator.olm.release import release
from hourglass_operator.olm.validate import INVALID, UNREADABLE, read, validate

ROOT = Path(__file__).parents[3]
RELEASE = release()
MADE = bundle(ROOT, RELEASE)
GOOD = read(ROOT / "bundle")
KEY = "operators.operatorframework.io.bundle."


def test_the_folder_is_what_make_generate_writes() -> None:
    written = {
        str(file.relative_to(ROOT / "bundle")): file.read_text(encoding="utf-8")
        for file in (ROOT / "bundle").rglob("*")
        if file.is_file()
    }
    assert written == MADE


def test_nothing_is_wrong_with_it() -> None:
    assert check(GOOD) == []


Break = Callable[[Bundle], None]


def setting(path: str, value: Any) -> Break:
    """Set a field of the ClusterServiceVersion; `[n]` in the path goes into a list."""

    def broken(found: Bundle) -> None:
        parent, last = _walk(found.csv, path)
        parent[last] = value

    return broken


def removing(path: str) -> Break:
    def broken(found: Bundle) -> None:
        parent, last = _walk(found.csv, path)
        del parent[last]

    return broken


def _walk(obj: Any, path: str) -> tuple[Any, Any]:
    parts: list[Any] = [int(p) if p.isdigit() else p for p in path.replace("[", ".").split(".")]
    parts = [p.replace("\0", ".") if isinstance(p, str) else p for p in parts]
    parts = [int(p[:-1]) if isinstance(p, str) and p.endswith("]") else p for p in parts]
    for part in parts[:-1]:
        obj = obj[part]
    return obj, parts[-1]


def annotation(key: str, value: str | None) -> Break:
    def broken(found: Bundle) -> None:
        changed = dict(found.annotations)
        changed.pop(key, None)
        if value is not None:
            changed[key] = value
        _replace(found, annotations=changed)

    return broken


def blob(schema: str, field: str, value: Any) -> Break:
    def broken(found: Bundle) -> None:
        next(b for b in found.catalog if b["schema"] == schema)[field] = value

    return broken


def _replace(found: Bundle, **fields: Any) -> None:
    for name, value in fields.items():
        object.__setattr__(found, name, value)


def _permit(resource: str, *verbs: str) -> Break:
    rule = {"apiGroups": [""], "resources": [resource], "verbs": list(verbs)}

    def broken(found: Bundle) -> None:
        found.csv["spec"]["install"]["spec"]["clusterPermissions"][0]["rules"].append(rule)

    return broken


def _crd(change: Callable[[JSON], object]) -> Break:
    def broken(found: Bundle) -> None:
        change(next(iter(found.crds.values())))

    return broken


def _example(change: Callable[[JSON], object]) -> Break:
    def broken(found: Bundle) -> None:
        annotations = found.csv["metadata"]["annotations"]
        examples = json.loads(annotations["alm-examples"])
        change(examples[0])
        annotations["alm-examples"] = json.dumps(examples)

    return broken


def _object(kind: str, change: Callable[[JSON], object]) -> Break:
    def broken(found: Bundle) -> None:
        change(next(obj for obj in found.objects.values() if obj["kind"] == kind))

    return broken


def _choice(path: str, change: Callable[[list[str]], list[str]]) -> Break:
    def broken(found: Bundle) -> None:
        (owned,) = found.csv["spec"]["customresourcedefinitions"]["owned"]
        shown = next(each for each in owned["specDescriptors"] if each["path"] == path)
        shown["x-descriptors"] = change(shown["x-descriptors"])

    return broken


CSV = "clusterserviceversion"
OWNED = "spec.customresourcedefinitions.owned[0]"
DEPLOYMENT = "spec.install.spec.deployments[0]"
CONTAINER = f"{DEPLOYMENT}.spec.template.spec.containers[0]"

BROKEN: list[tuple[str, Break, str]] = [
    ("another kind", setting("kind", "Deployment"), f"{CSV}: kind: ClusterServiceVersion"),
    ("another API version", setting("apiVersion", "v1"), f"{CSV}: apiVersion: operators"),
    ("no semantic version", setting("spec.version", "1.0"), f"{CSV}: spec.version: a semantic"),
    ("a name without version", setting("metadata.name", "x"), f"{CSV}: metadata.name: hourglass"),
    ("a name with capitals", setting("metadata.name", "X.v0.1.0"), "metadata.name: a DNS-1123"),
    ("no display name", removing("spec.displayName"), f"{CSV}: spec.displayName: a text"),
    ("an empty description", setting("spec.description", " "), "spec.description: a text"),
    ("no keywords", setting("spec.keywords", []), "spec.keywords: at least one"),
    ("no maintainers", removing("spec.maintainers"), "spec.maintainers: at least one"),
    (
        "a maintainer without an address",
        setting("spec.maintainers[0].email", "nobody"),
        "spec.maintainers[0].email: an address is expected, found 'nobody'",
    ),
    ("no provider", removing("spec.provider"), "spec.provider.name: a name"),
    ("a link that is none", setting("spec.links[0].url", "here"), "spec.links[0].url: a URL"),
    ("no icon", removing("spec.icon"), "spec.icon: an icon"),
    (
        "an icon of another type",
        setting("spec.icon[0].mediatype", "text/plain"),
        "spec.icon[0].mediatype: one of image/svg+xml",
    ),
    (
        "an icon that is not base64",
        setting("spec.icon[0].base64data", "<svg>"),
        "spec.icon[0].base64data: base64",
    ),
    (
        "a capability of its own",
        setting("metadata.annotations.capabilities", "Magic"),
        "metadata.annotations.capabilities: one of Basic Install",
    ),
    (
        "a category of its own",
        setting("metadata.annotations.categories", "Storage, Magic"),
        "metadata.annotations.categories: OperatorHub's categories are expected, found 'Magic'",
    ),
    (
        "no container image",
        removing("metadata.annotations.containerImage"),
        "metadata.annotations.containerImage: a text",
    ),
    (
        "no time of creation",
        setting("metadata.annotations.createdAt", "today"),
        "metadata.annotations.createdAt: a time",
    ),
    (
        "a repository that is no URL",
        setting("metadata.annotations.repository", "git"),
        "metadata.annotations.repository: a URL",
    ),
    (
        "examples that are no JSON",
        setting("metadata.annotations.alm-examples", "{"),
        "metadata.annotations.alm-examples: a JSON list",
    ),
    (
        "an example of another kind",
        _example(lambda example: example.update(kind="Pod")),
        "metadata.annotations.alm-examples[0].kind: one of ['Performer']",
    ),
    (
        "an example that the definition refuses",
        _example(lambda example: example["spec"].pop("image")),
        "metadata.annotations.alm-examples[0].spec.image: Field required",
    ),
    (
        "no example at all",
        setting("metadata.annotations.alm-examples", "[]"),
        "metadata.annotations.alm-examples: an example of Performer",
    ),
    (
        "a category that catalogs do not have",
        setting("metadata.annotations.categories", "Other"),
        "metadata.annotations.categories: OperatorHub's categories are expected, found 'Other'",
    ),
    (
        "no namespace that it is meant for",
        removing("metadata.annotations.operatorframework\0io/suggested-namespace"),
        "metadata.annotations.operatorframework.io/suggested-namespace: a text",
    ),
    (
        "no processor that it runs on",
        lambda found: found.csv["metadata"].update(
            labels={"operatorframework.io/os.linux": "supported"}
        ),
        "metadata.labels.operatorframework.io/arch.*: at least one 'supported'",
    ),
    ("no oldest Kubernetes", removing("spec.minKubeVersion"), "spec.minKubeVersion: such as"),
    ("a missing install mode", removing("spec.installModes[0]"), "spec.installModes: each of"),
    (
        "no supported install mode",
        setting("spec.installModes[3].supported", False),
        "spec.installModes: at least one supported",
    ),
    (
        "an owned definition that is not there",
        setting(f"{OWNED}.name", "x.y"),
        f"{OWNED}.name: 'x.y' is not in manifests/",
    ),
    (
        "a definition that nobody owns",
        setting("spec.customresourcedefinitions.owned", []),
        "owned: performers.hourglass.eigenlayer.io of manifests/ is missing",
    ),
    (
        "another version than the definition's",
        setting(f"{OWNED}.version", "v1"),
        f"{OWNED}.version: one of ['v1alpha1'] is expected, found 'v1'",
    ),
    ("another kind than the definition's", setting(f"{OWNED}.kind", "X"), f"{OWNED}.kind: Perf"),
    ("an owned kind without a name", removing(f"{OWNED}.displayName"), f"{OWNED}.displayName"),
    ("no kinds that it makes", removing(f"{OWNED}.resources"), f"{OWNED}.resources: the kinds"),
    (
        "a kind that it makes without the name that the API server has for it",
        removing(f"{OWNED}.resources[1].name"),
        f"{OWNED}.resources[1].name: a text",
    ),
    (
        "a definition of the removed API",
        _crd(lambda crd: crd.update(apiVersion="apiextensions.k8s.io/v1beta1")),
        "manifests/performers.hourglass.eigenlayer.io.yaml: apiVersion: apiextensions.k8s.io/v1",
    ),
    (
        "a definition without a schema",
        _crd(lambda crd: crd["spec"]["versions"][0].pop("schema")),
        "manifests/performers.hourglass.eigenlayer.io.yaml: spec.versions[0].schema: a schema",
    ),
    (
        "a descriptor of no field",
        setting(f"{OWNED}.specDescriptors[0].path", "nope"),
        f"{OWNED}.specDescriptors: spec.nope is no field",
    ),
    (
        "a field without a descriptor",
        removing(f"{OWNED}.statusDescriptors[0]"),
        f"{OWNED}.statusDescriptors: status.phase has no descriptor",
    ),
    (
        "a descriptor without a name",
        removing(f"{OWNED}.specDescriptors[1].displayName"),
        f"{OWNED}.specDescriptors: spec.image: displayName and description",
    ),
    (
        "a choice that lacks a value",
        _choice("config.healthCheck", lambda offered: offered[:-1]),
        "spec.config.healthCheck: ['TCP', 'GRPC', 'None'] are expected, found ['TCP', 'GRPC']",
    ),
    ("another strategy", setting("spec.install.strategy", "helm"), "spec.install.strategy"),
    (
        "no deployment",
        setting("spec.install.spec.deployments", []),
        "spec.install.spec.deployments: at least one",
    ),
    (
        "an account without permissions",
        setting(f"{DEPLOYMENT}.spec.template.spec.serviceAccountName", "x"),
        f"{DEPLOYMENT}.serviceAccountName: no permissions are given to 'x'",
    ),
    (
        "a container that does not say what memory it needs",
        removing(f"{CONTAINER}.resources.requests.memory"),
        "resources.requests: memory is expected",
    ),
    ("every verb", _permit("pods", "*"), "verbs: names are expected, found '*'"),
    ("every resource", _permit("*", "get"), "resources: names are expected, found '*'"),
    ("Secrets", _permit("secrets", "get"), "resources: secrets are none of the operator's"),
    (
        "definitions",
        _permit("customresourcedefinitions", "create"),
        "resources: customresourcedefinitions are none",
    ),
    ("rights that give rights", _permit("roles", "escalate"), "verbs: escalate gives more"),
    (
        "an object in a namespace",
        _object("Service", lambda obj: obj["metadata"].update(namespace="x")),
        "service.yaml: metadata.namespace: none is expected: OLM sets its own, found 'x'",
    ),
    (
        "an object about other pods",
        _object("PodDisruptionBudget", lambda obj: obj["spec"].update(selector={})),
        "poddisruptionbudget.yaml: spec.selector.matchLabels: labels of the bundle's pods",
    ),
    (
        "an object of another kind",
        _object("NetworkPolicy", lambda obj: obj.update(kind="Ingress")),
        "networkpolicy.yaml: kind: one of NetworkPolicy, PodDisruptionBudget, Service is expected",
    ),
    (
        "no object of a kind",
        _object("NetworkPolicy", lambda obj: obj.update(kind="Service")),
        "manifests: NetworkPolicy: one is expected, found 0",
    ),
    (
        "an image that does not say where it is",
        setting("spec.relatedImages[0].image", "operator:1"),
        "spec.relatedImages[0].image: an image with its registry is expected, found 'operator:1'",
    ),
    (
        "an image that is not listed",
        setting(f"{CONTAINER}.image", "example.com/other:1"),
        ".containers[operator].image: one of spec.relatedImages",
    ),
    (
        "a channel with a name of its own",
        annotation(f"{KEY}channels.v1", "alpha"),
        f"annotations.yaml: {KEY}channels.v1: candidate, fast, stable is expected",
    ),
    (
        "another media type",
        annotation(f"{KEY}mediatype.v1", "plain"),
        f"annotations.yaml: {KEY}mediatype.v1: registry+v1 is expected, found 'plain'",
    ),
    ("no package", annotation(f"{KEY}package.v1", None), f"annotations.yaml: {KEY}package.v1"),
    ("no channels", annotation(f"{KEY}channels.v1", None), f"annotations.yaml: {KEY}channels.v1"),
    (
        "a default channel that is none of the channels",
        annotation(f"{KEY}channel.default.v1", "stable"),
        f"{KEY}channel.default.v1: one of candidate-v0 is expected, found 'stable'",
    ),
    (
        "labels of the image that differ",
        lambda found: _replace(found, dockerfile="FROM scratch\n"),
        f"bundle.Dockerfile: LABEL {KEY}package.v1: 'hourglass-performer-operator' is expected",
    ),
    (
        "an image with something in it",
        lambda found: _replace(found, dockerfile=found.dockerfile.replace("scratch", "debian")),
        "bundle.Dockerfile: FROM: scratch",
    ),
    (
        "a scorecard without tests",
        lambda found: found.scorecard.pop("stages"),
        "scorecard/config.yaml: stages: at least one",
    ),
    (
        "a scorecard's test without an image",
        lambda found: found.scorecard["stages"][0]["tests"][2].pop("image"),
        "scorecard/config.yaml: stages[0].tests[2].image",
    ),
    ("no package in the catalog", blob("olm.package", "schema", "x"), "catalog.yaml: schema: olm"),
    (
        "a default channel that the catalog lacks",
        blob("olm.package", "defaultChannel", "stable"),
        "catalog.yaml: defaultChannel: one of ['candidate-v0'] is expected, found 'stable'",
    ),
    (
        "a channel of another package",
        blob("olm.channel", "package", "x"),
        "catalog.yaml: olm.channel.candidate-v0.package: hourglass-performer-operator",
    ),
    (
        "a channel with a bundle that is not there",
        blob("olm.channel", "entries", [{"name": "x.v1.0.0"}]),
        "catalog.yaml: olm.channel.candidate-v0.entries: 'x.v1.0.0' is no bundle",
    ),
    (
        "a channel with two heads",
        blob("olm.channel", "entries", [{"name": "hourglass-performer-operator.v0.1.0"}] * 2),
        "catalog.yaml: olm.channel.candidate-v0.entries: one head",
    ),
    ("a bundle without an image", blob("olm.bundle", "image", ""), ".image: an image"),
    (
        "a bundle of another version",
        blob(
            "olm.bundle",
            "properties",
            [
                {
                    "type": "olm.package",
                    "value": {"packageName": "hourglass-performer-operator", "version": "9.9.9"},
                }
            ],
        ),
        ".properties[olm.package].version: 0.1.0 is expected, found '9.9.9'",
    ),
    (
        "a bundle that says nothing of its package",
        blob("olm.bundle", "properties", []),
        ".properties[olm.package].packageName: hourglass-performer-operator is expected",
    ),
]


@pytest.mark.parametrize(("breaks", "said"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_a_broken_bundle_is_refused(breaks: Break, said: str) -> None:
    found = replace(copy.deepcopy(GOOD))
    breaks(found)
    assert any(said in str(mistake) for mistake in check(found)), list(map(str, check(found)))


def test_mistakes_end_with_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(ROOT / "bundle", tmp_path / "bundle")
    (tmp_path / "bundle" / "bundle.Dockerfile").write_text("FROM scratch\n")
    assert validate(tmp_path / "bundle") == INVALID
    assert "bundle.Dockerfile: LABEL" in capsys.readouterr().err


UNREAD = [
    ("no manifests", "manifests", "one ClusterServiceVersion is expected, found 0"),
    ("no annotations", "metadata", "annotations.yaml: No such file or directory"),
    ("no image", "bundle.Dockerfile", "bundle.Dockerfile: No such file or directory"),
]


@pytest.mark.parametrize(("missing", "said"), [u[1:] for u in UNREAD], ids=[u[0] for u in UNREAD])
def test_a_folder_that_is_no_bundle_ends_with_code_2(
    missing: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "bundle", tmp_path / "bundle")
    gone = tmp_path / "bundle" / missing
    shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
    assert validate(tmp_path / "bundle") == UNREADABLE
    assert said in capsys.readouterr().err


CONTENTS = [
    ("no YAML", b"a: [", "annotations.yaml: not YAML: while parsing"),
    (
        "nesting without end",
        b"[" * 2_000,
        "annotations.yaml: not YAML: while increasing flow level",
    ),
    ("bytes that are no text", b"\xff\xfe", "annotations.yaml: not a text file in UTF-8"),
    ("a list", b"- a", "annotations.yaml: objects are expected"),
]


@pytest.mark.parametrize(
    ("content", "said"), [c[1:] for c in CONTENTS], ids=[c[0] for c in CONTENTS]
)
def test_a_file_that_cannot_be_read_ends_with_code_2(
    content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "bundle", tmp_path / "bundle")
    (tmp_path / "bundle" / "metadata" / "annotations.yaml").write_bytes(content)
    assert validate(tmp_path / "bundle") == UNREADABLE
    assert said in capsys.readouterr().err


NAMES = [
    ("gpuType", "GPU type"),
    ("avsAddress", "AVS address"),
    ("grpcPort", "gRPC port"),
    ("teeRequired", "TEE required"),
    ("image", "Image"),
]


@pytest.mark.parametrize(("field", "shown"), NAMES)
def test_display_names(field: str, shown: str) -> None:
    assert display_name(field) == shown


DESCRIPTORS = [
    ("spec.config.grpcPort", "ui:number"),
    ("spec.hardwareRequirements.gpuCount", "ui:number"),
    ("spec.hardwareRequirements.teeRequired", "ui:booleanSwitch"),
    ("spec.resources", "ui:resourceRequirements"),
    ("spec.scheduling.affinity.nodeAffinity", "ui:nodeAffinity"),
    ("spec.scheduling.affinity.podAntiAffinity", "ui:podAntiAffinity"),
    ("status.phase", "io.kubernetes.phase"),
    ("status.podName", "io.kubernetes:Pod"),
    ("spec.image", "ui:text"),
]


@pytest.mark.parametrize(("path", "shown"), DESCRIPTORS)
def test_fields_are_shown_by_their_type(path: str, shown: str) -> None:
    part, _, rest = path.partition(".")
    made = {"spec": spec_descriptors, "status": status_descriptors}[part]()
    found = next(descriptor for descriptor in made if descriptor["path"] == rest)
    assert [
        each.partition("tectonic.")[2] or each[-len(shown) :] for each in found["x-descriptors"]
    ] == [shown]


def test_a_choice_offers_every_value() -> None:
    found = next(each for each in spec_descriptors() if each["path"] == "upgradeStrategy.type")
    select = "urn:alm:descriptor:com.tectonic.ui:select:"
    assert found["x-descriptors"] == [f"{select}{v}" for v in ("Auto", "RollingUpdate", "Recreate")]


def test_a_pull_secret_is_chosen_by_its_name() -> None:
    found = next(each for each in spec_descriptors() if each["path"] == "imagePullSecrets[0].name")
    assert found["x-descriptors"][-1] == "urn:alm:descriptor:io.kubernetes:Secret"
    assert found["displayName"] == "Name"


def test_what_is_published_names_its_images_by_digest() -> None:
    said = {str(mistake) for mistake in check(GOOD, PUBLISHED)}
    assert len(said) == 4
    assert all("an image by digest is expected, found 'ghcr.io/" in each for each in said)
