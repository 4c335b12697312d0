"""The Pod and the Service of a Performer, built from its spec; pure."""
