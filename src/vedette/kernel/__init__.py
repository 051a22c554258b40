"""What every room stands on: ids, clock, markings, permissions, events, packs, keys, errors."""
