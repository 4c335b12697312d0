"""Plain Kubernetes rules without I/O: quantities, selectors, affinity, tolerations, names."""
