"""Suites, items, statistics, determination. Pure: no Inspect, no Django."""
