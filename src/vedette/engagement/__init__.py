"""The three voluntary acts, the access window, terms. Pure."""
