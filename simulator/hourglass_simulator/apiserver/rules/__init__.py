"""What Kubernetes finds wrong with built-in objects, field by field, in its order and its words.

https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/apis, below each group's `validation`.
Objects are decoded: they have their defaults, and a value has the type that its field has in Go.
What Go finds in the random order of a map is found here in the order of the keys.
"""
