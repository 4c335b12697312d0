"""The informers: they keep the controller's cache in step with the cluster."""
