"""`kubectl performer`: Performers seen the way a person asks about them.

https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/
"""
