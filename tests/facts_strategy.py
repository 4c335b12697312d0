"""Hypothesis: any facts that an assessment could come to, and some that it could not."""

from hypothesis import strategies as st

from hourglass_statemachine import Facts, Fault, Progress, Reason, Serving

FAULTS = st.builds(
    Fault,
    reason=st.sampled_from(Reason),
    message=st.just("what is wrong"),
    permanent=st.booleans(),
)

FACTS = st.builds(
    Facts,
    deleting=st.booleans(),
    serving=st.sampled_from(Serving),
    upgrading=st.booleans(),
    progress=st.sampled_from(Progress),
    detail=st.sampled_from(["", "the pod is being created"]),
    fault=st.none() | FAULTS,
    deadline_exceeded=st.booleans(),
    impaired=st.none() | FAULTS,
    resizing=st.sampled_from(["", "the pod is resized"]),
    evictable=st.booleans(),
)
