"""What is wrong with the bytes of a message, in the words of Kubernetes' generated code.

google.protobuf only says that something is, and takes a field of a wrong type for an unknown one.
https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/api/core/v1/generated.pb.go
"""

from google.protobuf.descriptor import Descriptor, FieldDescriptor

_VARINT, _FIXED64, _BYTES, _GROUP, _END, _FIXED32 = range(6)
_EOF = "unexpected EOF"
_OVERFLOW = "proto: integer overflow"
_NEGATIVE = "proto: negative length found during unmarshaling"
_GROUP_END = "proto: unexpected end of group"
_GO_NAMES = {"metadata": "ObjectMeta"}
_DEEPEST = 100
"""Levels of messages below the first: google.protobuf reads no more, Go all that there are."""


class WireError(ValueError):
    """The text of the first error."""


def canonical(descriptor: Descriptor, data: bytes, depth: int = 0) -> bytes:
    """The known fields of a message, with tags, lengths and numbers as short as they can be.

    Go reads longer ones, of which google.protobuf says that they are none, and drops what it does
    not know. Raises WireError for bytes that are no message of this type.
    """
    if depth > _DEEPEST:
        raise WireError(f"proto: {descriptor.name}: nested more than {_DEEPEST} levels deep")
    known = descriptor.fields_by_number
    # Of the entries of maps Go reads what it expects.
    entry = descriptor.GetOptions().map_entry
    found = bytearray()
    position, end = 0, len(data)
    while position < end:
        tag, position = _varint(data, position)
        number, wire_type = tag >> 3 & 0xFFFFFFFF, tag & 7
        number -= (number & 0x80000000) << 1
        if wire_type == _END:
            raise WireError(f"proto: {descriptor.name}: wiretype end group for non-group")
        if number <= 0:
            text = f"proto: {descriptor.name}: illegal tag {number} (wire type {tag})"
            raise WireError(text)
        field = known.get(number)
        if field is None:
            position = _skipped(data, position, wire_type)
            continue
        expected = _expected(field)
        if wire_type != expected and not entry:
            name = _GO_NAMES.get(field.name, field.name[:1].upper() + field.name[1:])
            raise WireError(f"proto: wrong wireType = {wire_type} for field {name}")
        found += _shortest(number << 3 | expected)
        if expected == _VARINT:
            value, position = _varint(data, position)
            found += _shortest(value)
        elif expected == _BYTES:
            content, position = _content(data, position)
            if field.message_type is not None:
                content = canonical(field.message_type, content, depth + 1)
            elif field.type == FieldDescriptor.TYPE_STRING:
                # Go keeps any bytes, and prints the replacement character for those of no text.
                content = content.decode(errors="replace").encode()
            found += _shortest(len(content)) + content
        else:
            start, position = position, _skipped(data, position, expected)
            found += data[start:position]
    return bytes(found)


def _expected(field: FieldDescriptor) -> int:
    if field.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FIXED64):
        return _FIXED64
    if field.cpp_type in (FieldDescriptor.CPPTYPE_STRING, FieldDescriptor.CPPTYPE_MESSAGE):
        return _BYTES
    return _VARINT


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if position >= len(data):
            raise WireError(_EOF)
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position
    raise WireError(_OVERFLOW)


def _shortest(value: int) -> bytes:
    """A varint."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _content(data: bytes, position: int) -> tuple[bytes, int]:
    length, position = _varint(data, position)
    if length >> 63 or position + length >> 63:
        raise WireError(_NEGATIVE)
    if position + length > len(data):
        raise WireError(_EOF)
    return data[position : position + length], position + length


def _skipped(data: bytes, position: int, wire_type: int) -> int:
    """Where a field ends that nobody reads; groups end where they are closed."""
    depth = 0
    while True:
        if wire_type == _VARINT:
            _, position = _varint(data, position)
        elif wire_type == _BYTES:
            _, position = _content(data, position)
        elif wire_type in (_FIXED64, _FIXED32):
            position += 8 if wire_type == _FIXED64 else 4
        elif wire_type == _GROUP:
            depth += 1
        elif wire_type == _END and depth:
            depth -= 1
        else:
            raise WireError(
                _GROUP_END if wire_type == _END else f"proto: illegal wireType {wire_type}"
            )
        if position > len(data):
            raise WireError(_EOF)
        if not depth:
            return position
        tag, position = _varint(data, position)
        wire_type = tag & 7
