"""What of kubectl's output is different every time, and stands for it."""

import re

_HASH = "[bcdfghjklmnpqrstvwxz2456789]"
"""The letters of generated names.

https://github.com/kubernetes/apimachinery/blob/v0.34.4/pkg/util/rand/rand.go
"""
_MASKS = tuple(
    (re.compile(pattern, re.MULTILINE | re.IGNORECASE), token)
    for pattern, token in (
        (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<uid>"),
        (r"^[IWE]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ (?=\w+\.go:)", "<log> "),
        (r"\beyJ[\w-]+\.[\w-]+\.[\w-]+", "<token>"),
        (r"\b\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "<time>"),
        (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| ?[+-]\d{4})", "<time>"),
        (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?\b", "<time>"),
        (r"https?://(?:\d+\.){3}\d+:\d+", "<server>"),
        (r'("serverAddress":")(?:\d+\.){3}\d+:\d+', r"\1<server>"),
        (r"(\bIPv4 +)\d{5}\b", r"\1<port>"),
        (r"\bcontainerd://[0-9a-f]{64}", "containerd://<id>"),
        # Images are imported in the tests, without a name that a registry gave them.
        (r"(\bimage ?id\"?: *\"?)\S*sha256:[0-9a-f]{64}", r"\1<digest>"),
        (r"\b[0-9a-f]{32}\b", "<id>"),
        (r"(?<![\d.])(?!0\.0\.0\.0|127\.0\.0\.1)(?:\d{1,3}\.){3}\d{1,3}\b", "<ip>"),
        (r"(resourceVersion\"?: ?\"?)\d+", r"\1<version>"),
        (r"(Resource Version:\s+)\d+", r"\1<version>"),
        (r"(nodePort\"?: |NodePort:.*\s|:)3[0-2]\d{3}\b", r"\1<port>"),
        (r"kube-api-access-\w{5}\b", "kube-api-access-<suffix>"),
        (r"/tmp/[\w./-]*\d{5,}[\w./-]*", "<file>"),
        (r"-\d{8}(?=\b)", "-<minute>"),
        # Events are named by the time.
        (r"(?<=[a-z0-9]\.)1[0-9a-f]{15,23}\b", "<nanoseconds>"),
        (r"\bdefault-scheduler-[\w-]+", "default-scheduler-<host>"),
        # There only if the latest change was not within a second of the one before.
        (
            r"(?<=^Annotations:)(\s+)endpoints.kubernetes.io/last-change-trigger-time: .*",
            r"\1<none>",
        ),
    )
)
_AGES = re.compile(
    r"(?P<cpu>\bcpu:? +)?(?<![\w.\"=-])(?:\d+[ydhms]){1,2}(?![\w.\"-]| \(\d+%\))"
    r"(?: \(x\d+ over \w+\))?"
)
"""Cells of tables, and how often an Event was seen; not an amount of CPU."""
_HASHES = re.compile(rf"(?<=[a-z0-9]-)({_HASH}{{6,10}})\b")
_LABELLED = re.compile(
    r"((?:pod-template-hash|controller-revision-hash|kubernetes\.io/hash)[=:] ?\"?(?:[a-z]+-)?)"
    r"([a-z0-9]+)\b"
)
_SUFFIXES = re.compile(rf"(?<=[a-z0-9>]-){_HASH}{{5}}(?![\w-])")
_REASONS = re.compile(r"(?<=due to error: \[)[^\n]+(?=\], continuing)")
"""Why a node cannot be drained: kubectl keeps these in a map, so they come in any order.

https://github.com/kubernetes/kubectl/blob/v0.37.2/pkg/drain/filters.go
"""
_PADDING = re.compile(r"(?<=\S) {2,}")


def masked(text: str, known: dict[str, str]) -> str:
    """The text with tokens for what differs from run to run.

    Hashes of templates are numbered as they appear; `known` keeps them from one command to the
    next. How far columns are apart depends on ages and names: two blanks stand for any padding.
    """
    for pattern, token in _MASKS:
        text = pattern.sub(token, text)
    text = _AGES.sub(lambda found: found[0] if found["cpu"] else "<age>", text)
    text = _LABELLED.sub(lambda found: found[1] + _numbered(found[2], known), text)
    text = _HASHES.sub(lambda found: _numbered(found[1], known), text)
    text = _SUFFIXES.sub("<suffix>", text)
    text = _REASONS.sub(lambda found: ", ".join(sorted(re.split(", (?=cannot )", found[0]))), text)
    return _PADDING.sub("  ", text)


def _numbered(value: str, known: dict[str, str]) -> str:
    return known.setdefault(value, f"<hash {len(known) + 1}>")
