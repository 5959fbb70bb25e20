"""Facts with exact places from the files of a repository that are not Python. Cold: the caller caches them."""
