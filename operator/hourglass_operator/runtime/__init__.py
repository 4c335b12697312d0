"""The controller at work on a real API server: watches, writes, lease, metrics, probes.

Everything that awaits, reads a clock or talks to the network is here; what to do is decided by
`hourglass_operator.controller`.
"""
