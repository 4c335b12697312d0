"""Whether a node is going or coming: taints, conditions and labels that pass by themselves.

A taint of this sort is not the administrator's will, and must not be tolerated: Karpenter, for one,
does not drain pods that tolerate karpenter.sh/disrupted.
https://karpenter.sh/docs/concepts/disruption/#termination-controller
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property

from hourglass_kube.node import NodeView, Taint
from hourglass_operator.hardware.catalogue_file import NodeStateEntry

_OF_KUBERNETES = "node.kubernetes.io/"


@dataclass(frozen=True, slots=True)
class State:
    """`text` follows "the node is"; `source`, if it says anything, who says so.

    `leaving`: pods will have to leave the node.
    """

    text: str
    source: str = ""
    leaving: bool = False


@dataclass(frozen=True)
class NodeStates:
    """The states that are known; earlier entries go before later ones."""

    entries: tuple[NodeStateEntry, ...]

    def of_taint(self, taint: Taint) -> State | None:
        """What the taint says of the node; None if it is somebody's will."""
        if taint.key not in self._known:
            self._known[taint.key] = self._of_key(taint.key)
        return self._known[taint.key]

    def leaving(self, taint: Taint) -> State | None:
        """The state that the taint shows, if pods will have to leave the node."""
        state = self.of_taint(taint)
        return state if state is not None and state.leaving else None

    def signs(self, node: NodeView) -> list[State]:
        """What the node's conditions and labels say; by themselves they keep no pod off."""
        said = [self._conditions[item] for item in node.conditions if item in self._conditions]
        labels = node.labels
        return said + [state for key, values, state in self._labels if labels.get(key) in values]

    @cached_property
    def label_keys(self) -> tuple[str, ...]:
        """The labels that `signs` looks at."""
        return tuple(dict.fromkeys(key for key, _, _ in self._labels))

    @cached_property
    def _labels(self) -> list[tuple[str, list[str], State]]:
        return [
            (key, values, _state(entry))
            for entry in self.entries
            for key, values in entry.labels.items()
        ]

    @cached_property
    def _conditions(self) -> dict[tuple[str, str], State]:
        return {
            item: _state(entry)
            for entry in reversed(self.entries)
            for item in entry.conditions.items()
        }

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], State]]:
        return [
            (re.compile(translate(key)), _state(entry))
            for entry in self.entries
            for key in entry.taints
        ]

    @cached_property
    def _known(self) -> dict[str, State | None]:
        return {}

    def _of_key(self, key: str) -> State | None:
        for pattern, state in self._patterns:
            if pattern.fullmatch(key):
                return state
        if key.startswith(_OF_KUBERNETES):
            return State(f"in the state {key.removeprefix(_OF_KUBERNETES).replace('-', ' ')!r}")
        return None


def in_words(states: Iterable[State]) -> str:
    """Several states of one node, each said once, with those who say so."""
    sources: dict[str, dict[str, None]] = {}
    for state in states:
        named = sources.setdefault(state.text, {})
        if state.source:
            named[state.source] = None
    *others, last = [f"{t} ({', '.join(named)})" if named else t for t, named in sources.items()]
    return f"{', '.join(others)} and {last}" if others else last


def _state(entry: NodeStateEntry) -> State:
    return State(entry.state, entry.source or "", entry.leaving)
