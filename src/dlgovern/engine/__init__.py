"""One walk over a file, all live rules; many files under a supervisor."""
