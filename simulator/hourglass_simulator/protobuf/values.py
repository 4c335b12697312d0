"""Types that have a form of their own in JSON, and the fields of their messages.

Each has a function that makes the fields of a JSON value, None where there is none, and one back.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hourglass_kube.types import JSON

_META = "k8s.io.apimachinery.pkg.apis.meta.v1"
_EXTENSIONS = "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _quantity(value: Any) -> JSON:
    return {"string": "0" if value is None else str(value)}


def _from_quantity(fields: JSON) -> Any:
    return fields.get("string", "")


def _int_or_string(value: Any) -> JSON:
    text = isinstance(value, str)
    return {
        "type": int(text),
        "intVal": 0 if text else value or 0,
        "strVal": value if text else "",
    }


def _from_int_or_string(fields: JSON) -> Any:
    return fields.get("strVal", "") if fields.get("type") == 1 else fields.get("intVal", 0)


def _time(value: Any) -> JSON:
    if value is None:
        return {}
    since = datetime.fromisoformat(value) - _EPOCH
    return {"seconds": since // timedelta(seconds=1), "nanos": since.microseconds * 1000}


def _from_time(fields: JSON) -> str | None:
    moment = _moment(fields)
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _from_micro_time(fields: JSON) -> str | None:
    moment = _moment(fields)
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(fields: JSON) -> datetime | None:
    """None for Go's zero time; ValueError for one that JSON cannot print."""
    if not fields:
        return None
    try:
        moment = _EPOCH + timedelta(seconds=fields.get("seconds", 0))
    except OverflowError:
        raise ValueError("Time.MarshalJSON: year outside of range [0,9999]") from None
    return moment + timedelta(microseconds=fields.get("nanos", 0) // 1000)


def _raw(value: Any) -> JSON:
    return {} if value is None else {"raw": _text(value)}


def _text(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _from_raw(fields: JSON) -> Any:
    return json.loads(fields["raw"]) if fields.get("raw") else None


def _or_bool(value: Any) -> JSON:
    is_schema = isinstance(value, dict)
    return {"allows": bool(is_schema or value), "schema": value if is_schema else None}


def _from_or_bool(fields: JSON) -> Any:
    return fields["schema"] if "schema" in fields else fields.get("allows", False)


def _or_array(value: Any) -> JSON:
    return {"jSONSchemas": value} if isinstance(value, list) else {"schema": value}


def _from_or_array(fields: JSON) -> Any:
    return fields.get("jSONSchemas") or fields.get("schema")


def _or_strings(value: Any) -> JSON:
    return {"property": value} if isinstance(value, list) else {"schema": value}


def _from_or_strings(fields: JSON) -> Any:
    return fields.get("property") or fields.get("schema")


VALUES: dict[str, tuple[Callable[[Any], JSON], Callable[[JSON], Any]]] = {
    "k8s.io.apimachinery.pkg.api.resource.Quantity": (_quantity, _from_quantity),
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": (_int_or_string, _from_int_or_string),
    "k8s.io.apimachinery.pkg.runtime.RawExtension": (_raw, _from_raw),
    f"{_META}.Time": (_time, _from_time),
    f"{_META}.MicroTime": (_time, _from_micro_time),
    f"{_META}.FieldsV1": (lambda value: {"Raw": _text(value)}, lambda f: json.loads(f["Raw"])),
    f"{_EXTENSIONS}.JSON": (_raw, _from_raw),
    f"{_EXTENSIONS}.JSONSchemaPropsOrBool": (_or_bool, _from_or_bool),
    f"{_EXTENSIONS}.JSONSchemaPropsOrArray": (_or_array, _from_or_array),
    f"{_EXTENSIONS}.JSONSchemaPropsOrStringArray": (_or_strings, _from_or_strings),
}
"""By the name of the message."""
