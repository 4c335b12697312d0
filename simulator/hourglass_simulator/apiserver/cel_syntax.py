"""The messages in which CEL expressions are serialized, as google.protobuf needs to know them.

https://github.com/google/cel-spec/tree/master/proto/cel/expr
"""

from functools import cache
from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory

_BOOL, _INT64, _STRING, _BYTES, _MESSAGE, _DOUBLE, _UINT64, _INT32 = 8, 3, 9, 12, 11, 1, 4, 5
_MESSAGES: dict[str, tuple[tuple[str, int, Any], ...]] = {
    "Empty": (),
    "Constant": (
        ("null_value", 1, _INT32),
        ("bool_value", 2, _BOOL),
        ("int64_value", 3, _INT64),
        ("uint64_value", 4, _UINT64),
        ("double_value", 5, _DOUBLE),
        ("string_value", 6, _STRING),
        ("bytes_value", 7, _BYTES),
    ),
    "Ident": (("name", 1, _STRING),),
    "Select": (("operand", 1, "Expr"), ("field", 2, _STRING), ("test_only", 3, _BOOL)),
    "Call": (("target", 1, "Expr"), ("function", 2, _STRING), ("args", 3, ["Expr"])),
    "CreateList": (("elements", 1, ["Expr"]), ("optional_indices", 2, [_INT32])),
    "Entry": (
        ("id", 1, _INT64),
        ("field_key", 2, _STRING),
        ("map_key", 3, "Expr"),
        ("value", 4, "Expr"),
        ("optional_entry", 5, _BOOL),
    ),
    "CreateStruct": (("message_name", 1, _STRING), ("entries", 2, ["Entry"])),
    "Comprehension": (
        ("iter_var", 1, _STRING),
        ("iter_range", 2, "Expr"),
        ("accu_var", 3, _STRING),
        ("accu_init", 4, "Expr"),
        ("loop_condition", 5, "Expr"),
        ("loop_step", 6, "Expr"),
        ("result", 7, "Expr"),
        ("iter_var2", 8, _STRING),
    ),
    "Expr": (
        ("id", 2, _INT64),
        ("const_expr", 3, "Constant"),
        ("ident_expr", 4, "Ident"),
        ("select_expr", 5, "Select"),
        ("call_expr", 6, "Call"),
        ("list_expr", 7, "CreateList"),
        ("struct_expr", 8, "CreateStruct"),
        ("comprehension_expr", 9, "Comprehension"),
    ),
    "ListType": (("elem_type", 1, "Type"),),
    "MapType": (("key_type", 1, "Type"), ("value_type", 2, "Type")),
    "AbstractType": (("name", 1, _STRING), ("parameter_types", 2, ["Type"])),
    "Type": (
        ("dyn", 1, "Empty"),
        ("null", 2, _INT32),
        ("primitive", 3, _INT32),
        ("wrapper", 4, _INT32),
        ("well_known", 5, _INT32),
        ("list_type", 6, "ListType"),
        ("map_type", 7, "MapType"),
        ("message_type", 9, _STRING),
        ("type_param", 10, _STRING),
        ("type", 11, "Type"),
        ("abstract_type", 14, "AbstractType"),
    ),
    "Reference": (("name", 1, _STRING), ("overload_id", 3, [_STRING])),
    "References": (("key", 1, _INT64), ("value", 2, "Reference")),
    "Types": (("key", 1, _INT64), ("value", 2, "Type")),
    "Position": (("key", 1, _INT64), ("value", 2, _INT32)),
    "SourceInfo": (("positions", 4, ["Position"]),),
    "CheckedExpr": (
        ("reference_map", 2, ["References"]),
        ("type_map", 3, ["Types"]),
        ("expr", 4, "Expr"),
        ("source_info", 5, "SourceInfo"),
    ),
}
_ALTERNATIVES = {"Expr": "expr_kind", "Type": "type_kind"}
"""Messages of whose fields, but for the id, one alone is there."""


@cache
def _checked_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="cel.proto", package="celexpr", syntax="proto2")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        if name in _ALTERNATIVES:
            message.oneof_decl.add(name=_ALTERNATIVES[name])
        for called, number, kind in fields:
            repeated = isinstance(kind, list)
            of = kind[0] if repeated else kind
            made = message.field.add(name=called, number=number, label=3 if repeated else 1)
            if name in _ALTERNATIVES and called != "id":
                made.oneof_index = 0
            if isinstance(of, str):
                made.type, made.type_name = _MESSAGE, f".celexpr.{of}"
            else:
                made.type = of
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("celexpr.CheckedExpr"))


def checked_expression(serialized: bytes) -> Any:
    """A cel.expr.CheckedExpr; its maps are lists of entries."""
    wrapped = any_pb2.Any.FromString(serialized)
    return _checked_class().FromString(wrapped.value)
