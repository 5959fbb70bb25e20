"""Changing it: from repairs to files on disk, each step proven."""
