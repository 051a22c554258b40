"""Pages, API, proxy: thin."""
