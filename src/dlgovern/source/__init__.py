"""Bytes to facts, for Python sources: nothing here knows a rule."""
