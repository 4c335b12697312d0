"""A Kubernetes in one process on a virtual clock."""
