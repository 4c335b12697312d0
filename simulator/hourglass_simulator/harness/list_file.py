"""The items of a List, as kubectl prints one of a cluster, read from a file one at a time.

Neither the file nor a tree of it is ever whole in memory: `kubectl get -o json` prints over 10 KB
a pod, and a cluster may have 150,000.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from hourglass_simulator.harness import json_list, yaml_list

_BEGINS_JSON = re.compile(rb'(\xef\xbb\xbf)?\s*\{\s*"')


def items(stream: BinaryIO, progress: Callable[[int], object]) -> Iterator[Any]:
    """The items as the file has them, JSON-like values.

    `progress` is called after each with the number of bytes that have been read.

    Raises UnreadableError.
    """
    is_json = _BEGINS_JSON.match(stream.read(1024))
    stream.seek(0)
    for item in (json_list if is_json else yaml_list).items(stream):
        yield item
        progress(stream.tell())
