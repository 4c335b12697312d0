"""The manifests that install the operator in a cluster, built from the code they serve."""
