"""Model files: what they are and what loading them would run, read from headers and opcodes alone."""
