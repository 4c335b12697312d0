"""Who owns which field of an object: server-side apply and managedFields.

It follows structured-merge-diff and its use by the API server.
https://pkg.go.dev/sigs.k8s.io/structured-merge-diff/v6
https://pkg.go.dev/k8s.io/apimachinery/pkg/util/managedfields
"""
