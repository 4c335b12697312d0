"""Scenarios and examples that come with the package: all commands work in an empty folder."""

from pathlib import Path

SHIPPED = Path(__file__).parents[1] / "shipped"


def there_or_shipped(path: Path) -> Path:
    """The path or, where nothing is there, what the package has under this name."""
    shipped = SHIPPED / path
    return shipped if not path.exists() and shipped.exists() else path


def as_named(path: str) -> str:
    """A path without the folder of the package: commands find it without."""
    return path.removeprefix(f"{SHIPPED}/")
