"""Version orders, names, inventories and advisories, the index. Pure."""
