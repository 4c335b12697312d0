"""Scenario files: cluster, manifests, timed steps, expectations."""
