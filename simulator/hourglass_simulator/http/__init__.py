"""The simulated API server over HTTP, for kubectl, kopf and other clients.

Paths, bodies and answers are those of https://kubernetes.io/docs/reference/using-api/api-concepts/
"""
