"""Facts that need thinking: constants, values across files, objects and their order."""
