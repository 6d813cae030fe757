"""The world: shoppers, the store day and true demand. It knows no model and no lake."""
