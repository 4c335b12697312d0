"""Why a file is not read as a List."""


class ListError(ValueError):
    """What the file has is neither JSON nor YAML; lines count from 1."""

    def __init__(self, text: str, line: int) -> None:
        super().__init__(text)
        self.line = line


class NotAListError(ValueError):
    """The file is well-formed, and no object with an array of items."""
