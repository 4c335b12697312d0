"""Load on a real API server: Performers with an operator, and the same writes without one."""
