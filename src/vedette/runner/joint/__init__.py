"""A third place where items and weights meet, and what vouches for it."""
