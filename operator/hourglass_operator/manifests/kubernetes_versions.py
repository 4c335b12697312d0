"""The versions of Kubernetes that the operator is for, and those that end-to-end tests can run.

The chart, the bundle and `make e2e` take them from here; documents are compared with this file.
"""

TESTED = ("1.33", "1.34", "1.35", "1.36", "1.37")
"""Minor versions, the oldest first; each is a module below `e2e/native/kubernetes`.

Every test runs on 1.37 and 1.34, the smoke on the others (`make e2e-full`).
"""
OLDEST, NEWEST = TESTED[0], TESTED[-1]
RANGE = f"{OLDEST} to {NEWEST}"
