"""Left out later."""
