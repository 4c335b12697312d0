"""Record the internal Go types of Kubernetes that its messages print, as JSON without tags.

    PYTHONPATH=tests python -m goldens.record_internal_types VERSION [MODULES]

VERSION is `1.34.4`, MODULES where Go keeps modules. What is written (package_data.py): by type a
list of fields, each (name in Go, name in the API's JSON or "", type, whether it is embedded). Types
of apimachinery have the names of their JSON in both places, and a fifth entry `omit` where they are
left out when they are empty.
"""

import re
import sys
from pathlib import Path
from typing import Any

from goldens.package_data import write

_GROUPS = (
    *("core", "apps", "batch", "policy", "rbac", "discovery", "node", "storage", "scheduling"),
    *("autoscaling", "networking", "coordination", "flowcontrol", "resource"),
    *("certificates", "storagemigration"),
)
_META = ("Condition", "LabelSelector", "LabelSelectorRequirement", "ObjectMeta", "OwnerReference")
_STRUCT = re.compile(r"^type (\w+) struct ?\{(?:\}|\n(.*?)^\})", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"^type (\w+) (?!struct|interface)([\w\[\]*.]+)", re.MULTILINE)
_INTERNAL = re.compile(
    r"^\t(?:(\w+)[ \t]+)?(\*?(?:\[\]|map\[[\w.]+\])*\*?[\w.]+)[ \t]*(?://.*)?$", re.MULTILINE
)
_TAGGED = re.compile(r'^\t(?:(\w+)[ \t]+)?([\w\[\]*.]+)[ \t]+`[^`]*json:"([^"]*)"', re.MULTILINE)
_ALIASES = {"api.": "core.", "v1.": "meta."}


def _sources(folder: Path) -> str:
    files = [f for f in sorted(folder.glob("types*.go")) if not f.name.endswith("_test.go")]
    return "\n".join(f.read_text() for f in files)


def _expression(text: str, group: str, structs: set[str], named: dict[str, str]) -> str:
    prefix = ""
    while found := re.match(r"\*|\[\]|map\[[\w.]+\]", text):
        prefix += "map" if found[0].startswith("map") else found[0]
        text = text[found.end() :]
    text = text.replace("metav1.", "meta.").replace("api.", "core.")
    if "." not in text:
        if f"{group}.{text}" in structs:
            text = f"{group}.{text}"
        elif text in named:
            return prefix + _expression(named[text], group, structs, named)
    return prefix + text


def types(modules: Path, version: str) -> dict[str, Any]:
    """The fields of all types."""
    found: dict[str, Any] = {}
    kubernetes = modules / f"k8s.io/kubernetes@v{version}/pkg/apis"
    api = modules / f"k8s.io/api@v0.{version.partition('.')[2]}"
    machinery = modules / f"k8s.io/apimachinery@v0.{version.partition('.')[2]}"
    for group in _GROUPS:
        text = _sources(kubernetes / group)
        bodies = dict(_STRUCT.findall(text))
        structs = {f"{group}.{name}" for name in bodies}
        named = dict(_NAMED.findall(text))
        folder = api / group / ("v2" if group == "autoscaling" else "v1")
        outside = {
            name: {go: tag.partition(",")[0] for go, _, tag in _TAGGED.findall(body) if go}
            for name, body in _STRUCT.findall(_sources(folder))
        }
        for name, body in bodies.items():
            fields = []
            for go, kind in _INTERNAL.findall(re.sub(r"//.*", "", body)):
                if kind == "metav1.TypeMeta":
                    continue
                field = go or kind.lstrip("*").rpartition(".")[2]
                json_name = outside.get(name, {}).get(field, "")
                expression = _expression(kind, group, structs, named)
                fields.append([field, json_name, expression, not go])
            found[f"{group}.{name}"] = fields
    text = _sources(machinery / "pkg/apis/meta/v1")
    bodies = dict(_STRUCT.findall(text))
    for name in _META:
        fields = []
        for go, kind, tag in _TAGGED.findall(bodies[name]):
            json_name, *options = tag.split(",")
            entry = [
                json_name,
                json_name,
                _expression(kind, "meta", {f"meta.{n}" for n in _META}, {}),
                not go,
            ]
            fields.append([*entry, *(["omit"] if "omitempty" in options else [])])
        found[f"meta.{name}"] = fields
    return found


def main() -> None:
    """Write the file."""
    version = sys.argv[1]
    modules = Path(sys.argv[2]) if len(sys.argv) > 2 else Path.home() / "go/pkg/mod"
    short = ".".join(version.split(".")[:2])
    write(short, "internal", types(modules, version))


if __name__ == "__main__":
    main()
