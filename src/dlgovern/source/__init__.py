"""Bytes to facts for Python: read, classify, prefilter, parse, resolve names."""
