"""What a store believes of its shoppers: the chance of sale at every price with its uncertainty, and the footfall."""
