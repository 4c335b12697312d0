"""The OLM bundle: made from the code, and checked.

https://olm.operatorframework.io/docs/tasks/creating-operator-bundle/
"""
