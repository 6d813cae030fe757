"""What a store shows on a date: the storefront in force, and how it is played."""
