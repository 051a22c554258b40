"""Sandboxes, builds, verifiers, subjects: the only room that imports inspect_ai."""
