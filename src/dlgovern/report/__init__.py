"""Saying it: one module a format, each a function from a report to text (see `formats`)."""
