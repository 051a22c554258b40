"""What ours is measured against, where no program to be had does it: small, and written fairly."""
