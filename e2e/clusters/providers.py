"""The providers, in the order in which `auto` tries them."""

from clusters.provider import Provider

PROVIDERS: dict[str, Provider] = {}
