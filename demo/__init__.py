"""The demo: four instances on loopback play the whole story through their public surfaces."""
