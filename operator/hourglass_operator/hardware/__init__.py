"""Hardware requirements: what they mean on real clusters, and why they are not met; pure."""
