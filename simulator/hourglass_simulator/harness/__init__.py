"""Plugs the operator into the simulated cluster, and both into scenarios."""
