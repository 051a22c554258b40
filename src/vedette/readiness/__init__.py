"""The lab's own: release plan, dossier, decision record. Pure."""
