"""Settings, urls, composition root, profiles, worker."""
