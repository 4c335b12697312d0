"""The Go types of Kubernetes' API, read from their sources: how their JSON is decoded and printed.

OpenAPI does not say whether a field is a pointer or is left out when it is empty; the sources do:
https://github.com/kubernetes/api, https://pkg.go.dev/encoding/json#Marshal
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

_GROUPS = (
    *("admissionregistration", "apps", "authentication", "authorization", "autoscaling", "batch"),
    *("certificates", "coordination", "core", "discovery", "events", "flowcontrol", "networking"),
    *("node", "policy", "rbac", "resource", "scheduling", "storage", "storagemigration"),
)
PACKAGES = {
    f"io.k8s.api.{group}.{version}": f"k8s.io/api/{group}/{version}"
    for group in _GROUPS
    for version in ("v1", "v2")
} | {
    "io.k8s.apimachinery.pkg.apis.meta.v1": "k8s.io/apimachinery/pkg/apis/meta/v1",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1": (
        "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
    ),
    "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1": (
        "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
    ),
}
"""The Go package by the prefix that its types have in OpenAPI."""
LEAVES = {
    *("string", "bool", "int32", "int64", "float64", "byte", "int"),
    "k8s.io/apimachinery/pkg/api/resource.Quantity",
    "k8s.io/apimachinery/pkg/apis/meta/v1.Duration",
    "k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1",
    "k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime",
    "k8s.io/apimachinery/pkg/apis/meta/v1.Time",
    "k8s.io/apimachinery/pkg/runtime.RawExtension",
    "k8s.io/apimachinery/pkg/util/intstr.IntOrString",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrArray",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrBool",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrStringArray",
}
"""Types with a form of their own in JSON."""
_STRUCT = re.compile(r"^type (\w+) struct ?\{(?:\}|\n(.*?)^\})", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"^type (\w+) (?!struct|interface)([\w\[\]*.]+)", re.MULTILINE)
_FIELD = re.compile(r'^\t(?:(\w+)[ \t]+)?([\w\[\]*.]+)[ \t]+`[^`]*json:"([^"]*)"', re.MULTILINE)
_IMPORT = re.compile(r'^\t?(?:import )?(?:(\w+) )?"(k8s\.io/[^"]+)"', re.MULTILINE)
_DESCRIBED = {
    "enum": "enum",
    "x-kubernetes-list-type": "list",
    "x-kubernetes-list-map-keys": "keys",
    "x-kubernetes-map-type": "map",
    "x-kubernetes-patch-merge-key": "mergeKey",
    "x-kubernetes-patch-strategy": "strategy",
}


class Types:
    """`types` has fields by type name; a name for something else has a text, which it stands for.

    A field has `type`, a Go expression with full package names, and `omit`: `empty` or `zero`,
    where it is left out when it is.
    """

    def __init__(self, modules: Path, version: str) -> None:
        self.types: dict[str, Any] = {}
        self._modules = modules
        self._version = version

    def add(self, name: str) -> str:
        """Read a type and all that it is made of."""
        if name in self.types or name in LEAVES:
            return name
        package, _, short = name.rpartition(".")
        structs, named = self._package(package)
        if short in named:
            self.types[name] = ""
            self.types[name] = self._expression(*named[short])
            return name
        self.types[name] = fields = {}
        text, imports = structs[short]
        for _, go_type, tag in _FIELD.findall(text):
            json_name, *options = tag.split(",")
            if json_name == "-":
                continue
            expression = self._expression(go_type, imports, package)
            if "inline" in options or not json_name:
                inlined = self.types[expression.removeprefix("*")]
                fields |= {k: dict(v) for k, v in inlined.items()}
                continue
            omit = [option.removeprefix("omit") for option in options if "omit" in option]
            fields[json_name] = {"type": expression} | ({"omit": omit[-1]} if omit else {})
        return name

    def describe(self, name: str, properties: dict[str, Any]) -> None:
        """Add what OpenAPI says of the fields of a type."""
        fields = self.types.get(name)
        for field, schema in properties.items() if isinstance(fields, dict) else ():
            for keyword, short in _DESCRIBED.items():
                found = schema.get(keyword)
                if found is None and keyword == "enum":
                    found = schema.get("items", {}).get("enum")
                if found is not None:
                    fields[field][short] = found

    def _expression(self, text: str, imports: dict[str, str], package: str) -> str:
        if text.startswith("*"):
            return "*" + self._expression(text[1:], imports, package)
        if text.startswith("[]"):
            return "[]" + self._expression(text[2:], imports, package)
        if found := re.match(r"map\[[\w.]+\]", text):
            return "map[string]" + self._expression(text[found.end() :], imports, package)
        if text in LEAVES:
            return text
        alias, _, short = text.rpartition(".")
        return self.add(f"{imports[alias] if alias else package}.{short}")

    @cache  # noqa: B019
    def _package(self, package: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """(structs, other named types), each with the imports of its file and its package."""
        module, _, below = package.removeprefix("k8s.io/").partition("/")
        folder = self._modules / f"k8s.io/{module}@{self._version}" / below
        structs, named = {}, {}
        for file in sorted(folder.glob("*.go")):
            if file.name.startswith(("zz_", "generated")) or file.name.endswith("_test.go"):
                continue
            text = file.read_text()
            imports = {
                alias or path.rpartition("/")[2]: path for alias, path in _IMPORT.findall(text)
            }
            structs |= {name: (body, imports) for name, body in _STRUCT.findall(text)}
            named |= {name: (body, imports, package) for name, body in _NAMED.findall(text)}
        return structs, named
