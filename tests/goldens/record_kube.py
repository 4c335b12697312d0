"""Record what Kubernetes' own Go code says to the cases that `hourglass_kube` must answer.

    python tests/goldens/record_kube.py

Needs Go and the modules below (in Go's module cache, or from its proxy). The cases are made with a
fixed seed; cases and answers go to tests/goldens/kube/answers.json.
"""

import json
import random
import shutil
import subprocess
import tempfile
from itertools import product
from pathlib import Path

from hourglass_kube.types import JSON

HERE = Path(__file__).parent / "kube"
VERSION = "v0.34.4"
MODULES = ("api", "apimachinery", "component-helpers")

QUANTITIES = """
0|1|-1|+1|007|1.|.5|0.5|1.5|100m|1500m|1m|1u|1n|0.1n|0.0000000001|1k|1K|1M|1G|1T|1P|1E|1Ki|1Mi|1Gi
1Ti|1Pi|1Ei|7Ei|8Ei|1.5Gi|0.5Ki|.25Mi|1.1i|1i|1e3|1E3|1e-3|1E-3|1e+3|1.5e3|1e|1ee3|1e3e|E|1E|1e0
12e6|123456789123456789|9223372036854775807|9223372036854775808|1.123456789123|1.9999999999|128Mi
4Gi|0.1|0.001|0.0001|1.0005|1 Gi| 1|1 |1_000|1,5|0x10|NaN|inf|Infinity|1.2.3|--1|+-1|1mi|1Kii|1KiB
100MB|1g|1Gb|3.14Ti|0Ki|00.10|1e-10|1e-9|999999999999Ki|1.00000000001Gi|2.5u|-1500m|-0.5|-1Gi
""".replace("\n", "|").split("|")
LABELS: list[dict[str, str]] = [
    {},
    {"a": ""},
    {"a": "1"},
    {"a": "2", "b": "x"},
    {"a": "10", "zone": "eu-1"},
    {"a": "-5", "b": "", "in": "in"},
    {"a": "ten", "b": "y", "notin": "x"},
    {"a": "+7", "example.com/gpu": "yes", "zone": "us-1"},
    {"a": "1_0", "b": "x"},
    {"a": "9223372036854775808", "zone": ""},
    {"a": " 3", "zone": "eu-1"},
]
SELECTORS = (
    """
a||a=1|a==1|a!=1|!a|! a|a in (1,2)|a notin (1, 2)|a in ()|a in (,)|a in (1,,2)|a in (,1)|a in (1,)
a=1,b=x|a=|a==|a!=|a=,b|a>1|a<5|a>x|a<-1|a>|in in (in)|notin notin (in)|in|in=in|a,b,!zone
zone=eu-1,a|example.com/gpu=yes
example.com/gpu in (yes,no)|a b|a=b c|a=1 b=2|a in 1|a in (1|a in 1)|a in ((1))
a in (1 2)|=1|!=1|,a|a,|a,,b|a=1,|a===1|a=!1|a!|!!a|!a=1|(a)|a(b)|a=(1)|a>1,a<20|-a|a-|_a|a/b/c|/a
A/b|a=-1|a=1-|a=x y|a=x/y|a in (x/y,z)|a in (in,notin)|a notin (in)|a	in	(1)|a in(1)|a  =  1
a ==  1 , b|a~1|a=~1|a=1;b
é=1|a=é|a<1>2|a><1|a=<1|!a,!b|!in|x notin (),a|a in (1,1,1)|a>1.5|a<9223372036854775808
""".strip("\n")
    .replace("\n", "|")
    .split("|")
)
SELECTORS += ["a" * 63, "a" * 64, f"{'b' * 254}/a", f"a={'v' * 63}", f"a={'v' * 64}", "/", "a/"]
FIELDS = (
    r"""
|metadata.name=x|metadata.name==x|metadata.name!=x|a=1,b=2|b=2,a=1|a|a,b=1|a=1,|,a=1|a=\,b|a=\=|a=b=c
a=\\|a=\|a=\x|=x|a=|a!=|a==|a===b|!=|a=1,,b=2|a=é|a!b|a =1|a= 1|a=b\,c,d=e|a>1|a=(1)
""".strip("\n")
    .replace("\n", "|")
    .split("|")
)
RESOURCES = {
    "cpu": ["100m", "1", "1.5", "2500u", "250m"],
    "memory": ["1Gi", "128Mi", "1G", "1500m", "64Ki"],
    "nvidia.com/gpu": ["1", "2"],
    "hugepages-2Mi": ["4Mi"],
    "ephemeral-storage": ["1Gi"],
}


def main() -> None:
    """Make the cases, have them answered and write both down."""
    chance = random.Random(11)
    cases = {
        "quantities": [*QUANTITIES, *(_quantity(chance) for _ in range(300))],
        "labels": LABELS,
        "selectors": [*SELECTORS, *(_scrambled(chance) for _ in range(300))],
        "fields": FIELDS,
        "nodes": [
            {"metadata": {"name": f"node-{i}", "labels": labels}} for i, labels in enumerate(LABELS)
        ],
        "podSpecs": [_pod_spec(chance) for _ in range(250)],
        "tolerations": [
            {"key": key, "operator": operator, "value": value, "effect": effect}
            for key, operator, value, effect in product(
                ("", "k", "other"),
                ("", "Equal", "Exists", "Gt"),
                ("", "v"),
                ("", "NoSchedule", "NoExecute"),
            )
        ],
        "taints": [
            {"key": key, "value": value, "effect": effect}
            for key, value, effect in product(
                ("k", "other"), ("", "v"), ("NoSchedule", "PreferNoSchedule", "NoExecute")
            )
        ],
        "pods": [_pod(chance) for _ in range(80)],
    }
    with tempfile.TemporaryDirectory() as folder:
        answers = _answers(cases, Path(folder))
    text = json.dumps({"cases": cases, "answers": answers}, separators=(",", ":"))
    (HERE / "answers.json").write_text(text.replace('],"', '],\n"') + "\n")


def _answers(cases: JSON, folder: Path) -> JSON:
    shutil.copy(HERE / "answer.go", folder)
    module = ["module answer", "go 1.24", *(f"require k8s.io/{m} {VERSION}" for m in MODULES)]
    (folder / "go.mod").write_text("\n".join(module))
    given = json.dumps(cases)
    done = subprocess.run(
        ["go", "run", "-mod=mod", "."],
        cwd=folder,
        check=True,
        input=given,
        stdout=subprocess.PIPE,
        text=True,
    )
    answers: JSON = json.loads(done.stdout)
    return answers


def _quantity(chance: random.Random) -> str:
    digits = chance.randrange(10 ** chance.randrange(1, 12))
    number = f"{chance.choice(['', '-', '+'])}{digits}"
    if chance.random() < 0.5:
        number += "." + str(chance.randrange(10 ** chance.randrange(1, 12)))
    suffixes = ["", *"numkKMGTPE", *(f"{c}i" for c in "KMGTPEn"), "e2", "E-3", "e+1", "ki", "x"]
    return f"{number}{chance.choice(suffixes)}"


def _scrambled(chance: random.Random) -> str:
    tokens = ["a", "b", "zone", "in", "notin", "=", "==", "!=", "!", "(", ")", ",", ">", "<", "1"]
    tokens += ["eu-1", "x", " ", " ", ","]
    return "".join(chance.choice(tokens) for _ in range(chance.randrange(1, 9)))


def _expression(chance: random.Random) -> JSON:
    operator = chance.choice(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Like"])
    expression: JSON = {"key": chance.choice(["a", "b", "zone", "a!"]), "operator": operator}
    count = chance.choice([0, 1, 1, 1, 2])
    if operator in ("Exists", "DoesNotExist"):
        count = chance.choice([0, 0, 0, 1])
    some = ["1", "5", "-5", "x", "eu-1", "", "ten"] if operator in ("In", "NotIn") else ["1", "5"]
    values = [chance.choice([*some, "bad value"]) for _ in range(count)]
    return {**expression, "values": values} if values else expression


def _term(chance: random.Random) -> JSON:
    term: JSON = {}
    if chance.random() < 0.85:
        term["matchExpressions"] = [_expression(chance) for _ in range(chance.randrange(1, 4))]
    if chance.random() < 0.25:
        count = chance.choice([1, 1, 1, 2])
        term["matchFields"] = [
            {
                "key": "metadata.name",
                "operator": chance.choice(["In", "NotIn", "NotIn"]),
                "values": [f"node-{chance.randrange(11)}" for _ in range(count)],
            }
        ]
    return term


def _pod_spec(chance: random.Random) -> JSON:
    spec: JSON = {"containers": []}
    if chance.random() < 0.3:
        labels = chance.choice(LABELS)
        spec["nodeSelector"] = dict(list(labels.items())[:2])
    if chance.random() < 0.9:
        terms = [_term(chance) for _ in range(chance.choice([0, 1, 1, 2, 3, 4]))]
        node_affinity: JSON = {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}
        }
        if chance.random() < 0.4:
            node_affinity["preferredDuringSchedulingIgnoredDuringExecution"] = [
                {
                    "weight": chance.randrange(0, 101),
                    "preference": {
                        "matchExpressions": [
                            {"key": "a", "operator": "Exists"},
                            {"key": "b", "operator": "NotIn", "values": [chance.choice("xy")]},
                        ][: chance.randrange(3)]
                    },
                }
                for _ in range(3)
            ]
        spec["affinity"] = {"nodeAffinity": node_affinity}
    return spec


def _container(chance: random.Random, name: str) -> JSON:
    kinds = chance.sample(sorted(RESOURCES), chance.randrange(len(RESOURCES)))
    asked = {kind: chance.choice(RESOURCES[kind]) for kind in kinds}
    container: JSON = {"name": name, "resources": {"requests": asked}}
    if name.startswith("init") and chance.random() < 0.5:
        container["restartPolicy"] = "Always"
    return container


def _pod(chance: random.Random) -> JSON:
    spec: JSON = {
        "containers": [_container(chance, f"main-{i}") for i in range(chance.randrange(1, 3))],
        "initContainers": [_container(chance, f"init-{i}") for i in range(chance.randrange(4))],
    }
    if chance.random() < 0.3:
        spec["overhead"] = {"cpu": "250m", "memory": "120Mi", "tdx.intel.com/keys": "1"}
    if chance.random() < 0.3:
        spec["resources"] = {"requests": {"cpu": "3", "hugepages-2Mi": "8Mi"}}
    return spec


if __name__ == "__main__":
    main()
