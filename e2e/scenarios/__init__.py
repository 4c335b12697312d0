"""Scenario files on a real cluster, and how that compares with the simulator."""
