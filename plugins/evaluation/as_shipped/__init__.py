"""The product as it ships, gate and all, from a store's first day on, beside its peers on the same shoppers."""
