"""Public feeds of advisories, brought into one folder and kept there up to date."""
