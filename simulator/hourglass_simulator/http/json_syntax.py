"""What is wrong with a text that is no JSON, in Go's words.

https://github.com/golang/go/blob/go1.24.0/src/encoding/json/scanner.go
"""

DEPTH = 10_000
_SPACE = b" \t\r\n"
_ESCAPES = b'bfnrt\\/"'
_DIGITS = b"0123456789"
_HEX = b"0123456789abcdefABCDEF"
_LITERALS = {ord("t"): "true", ord("f"): "false", ord("n"): "null"}


class _FaultError(Exception):
    """The scanner stops here."""


def fault(data: bytes) -> str:
    """The error of Go's decoder; empty when there is none."""
    try:
        _Scanner(data).scan()
    except _FaultError as error:
        return str(error)
    return ""


def max_depth(data: bytes) -> str:
    """The error for what is nested too deeply."""
    opening = next((byte for byte in data if byte in b"[{"), ord("["))
    return f"invalid character '{chr(opening)}' exceeded max depth"


class _Scanner:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def scan(self) -> None:
        """Raise at the first error."""
        closing: list[int] = []
        self._spaces()
        while True:
            if self._begins_value(closing):
                continue
            while True:
                self._spaces()
                if not closing:
                    if self._at < len(self._data):
                        self._refuse("after top-level value")
                    return
                byte = self._next()
                if byte == ord(","):
                    self._spaces()
                    if closing[-1] == ord("}"):
                        self._key()
                    break
                if byte != closing[-1]:
                    in_object = closing[-1] == ord("}")
                    self._at -= 1
                    self._refuse(
                        "after object key:value pair" if in_object else "after array element"
                    )
                closing.pop()

    def _begins_value(self, closing: list[int]) -> bool:
        """Read a value; True when it is one that has others in it, which come next."""
        byte = self._next()
        if byte in b"{[":
            closing.append(ord("}") if byte == ord("{") else ord("]"))
            if len(closing) > DEPTH:
                self._at -= 1
                self._refuse("exceeded max depth")
            self._spaces()
            if self._peek() == closing[-1]:
                self._at += 1
                closing.pop()
                return False
            if byte == ord("{"):
                self._key()
            return True
        if byte == ord('"'):
            self._string()
        elif byte == ord("-") or byte in _DIGITS:
            self._number(byte)
        elif byte in _LITERALS:
            self._literal(_LITERALS[byte])
        else:
            self._at -= 1
            self._refuse("looking for beginning of value")
        return False

    def _key(self) -> None:
        if self._next() != ord('"'):
            self._at -= 1
            self._refuse("looking for beginning of object key string")
        self._string()
        self._spaces()
        if self._next() != ord(":"):
            self._at -= 1
            self._refuse("after object key")
        self._spaces()

    def _string(self) -> None:
        while (byte := self._next()) != ord('"'):
            if byte == ord("\\"):
                escaped = self._peek(ord(" "))
                if escaped not in _ESCAPES + b"u":
                    self._refuse("in string escape code")
                self._at += 1
                for _ in range(4 if escaped == ord("u") else 0):
                    if self._peek(ord(" ")) not in _HEX:
                        self._refuse("in \\u hexadecimal character escape")
                    self._at += 1
            elif byte < 0x20:
                self._at -= 1
                self._refuse("in string literal")

    def _number(self, first: int) -> None:
        if first == ord("-"):
            first = self._digit("in numeric literal")
        if first != ord("0"):
            self._digits()
        if self._peek() == ord("."):
            self._at += 1
            self._digit("after decimal point in numeric literal")
            self._digits()
        if self._peek() in (ord("e"), ord("E")):
            self._at += 1
            if self._peek() in (ord("+"), ord("-")):
                self._at += 1
            self._digit("in exponent of numeric literal")
            self._digits()

    def _digit(self, where: str) -> int:
        byte = self._peek(ord(" "))
        if byte not in _DIGITS:
            self._refuse(where)
        self._at += 1
        return byte

    def _digits(self) -> None:
        while self._peek() in _DIGITS:
            self._at += 1

    def _literal(self, text: str) -> None:
        for expected in text[1:]:
            if self._peek(ord(" ")) != ord(expected):
                self._refuse(f"in literal {text} (expecting '{expected}')")
            self._at += 1

    def _spaces(self) -> None:
        while self._at < len(self._data) and self._data[self._at] in _SPACE:
            self._at += 1

    def _peek(self, at_end: int = 0) -> int:
        return self._data[self._at] if self._at < len(self._data) else at_end

    def _next(self) -> int:
        if self._at >= len(self._data):
            raise _FaultError("unexpected end of JSON input")
        self._at += 1
        return self._data[self._at - 1]

    def _refuse(self, where: str) -> None:
        # At the end Go's scanner goes on with a space.
        raise _FaultError(f"invalid character {_quoted(self._peek(ord(' ')))} {where}")


def _quoted(byte: int) -> str:
    named = {"'": "\\'", "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\a": "\\a"}
    named |= {"\b": "\\b", "\f": "\\f", "\v": "\\v"}
    character = chr(byte)
    if character in named:
        return f"'{named[character]}'"
    return f"'{character}'" if character.isprintable() else f"'\\x{byte:02x}'"
