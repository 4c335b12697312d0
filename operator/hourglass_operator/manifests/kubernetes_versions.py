"""The versions of Kubernetes that the end-to-end tests build and run.

The chart, the bundle and `make e2e` take them from here; documents are compared with this file.
"""

TESTED = ("1.33", "1.34", "1.35", "1.36", "1.37")
"""Minor versions, the oldest first; each is a module below `e2e/native/kubernetes`."""
OLDEST, NEWEST = TESTED[0], TESTED[-1]
RANGE = f"{OLDEST} to {NEWEST}"
