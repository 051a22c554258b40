"""Findings, duplicates, cases, embargo, priority, waves. Pure."""
