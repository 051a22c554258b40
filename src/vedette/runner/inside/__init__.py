"""Scripts that run inside the sandbox with a bare interpreter; nothing here is imported."""
