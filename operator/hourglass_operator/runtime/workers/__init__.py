"""The workers: they take passes from the controller and perform their writes."""
