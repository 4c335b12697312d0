"""Searches for what nobody thought of: plans, monitors that watch them, and how plans are made."""
