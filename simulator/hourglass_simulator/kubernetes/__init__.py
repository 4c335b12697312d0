"""What a version of Kubernetes serves, as data that was recorded from it."""
