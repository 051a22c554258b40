"""Vedette: a head start for defenders on frontier AI."""

__version__ = "0.1.0"
