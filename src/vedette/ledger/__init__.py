"""Append-only hash chain, Merkle checkpoints, verification. Pure."""
