"""YAML as people write manifests."""

import yaml


def as_yaml(*documents: object) -> str:
    """YAML documents for people: fields in their order, nothing by reference."""
    return yaml.dump_all(
        documents, Dumper=_Dumper, sort_keys=False, width=float("inf"), allow_unicode=True
    )


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, _: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Texts of several lines as such."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else "")


_Dumper.add_representer(str, _text)
