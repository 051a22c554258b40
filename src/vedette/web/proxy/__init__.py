"""Calls to a lab's model: OpenAI-compatible, for sessions alone; the lab's key stays here."""
