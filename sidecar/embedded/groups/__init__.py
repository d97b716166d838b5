"""Classic consumer groups: members, generations, rebalances and committed offsets."""
