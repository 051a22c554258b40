"""Runs of suites through Inspect AI: sandbox provider, task, tools, metering.

Importing this package registers the sandbox provider `vedette-bubblewrap` with Inspect.
"""
