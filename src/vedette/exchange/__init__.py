"""Message types, envelopes, what may cross. Pure."""
