"""All files together: where modules are, what they re-export, which versions the repository resolves to."""
