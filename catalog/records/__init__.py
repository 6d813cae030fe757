"""The frozen records of a shelf and a store, as both YAML files fill them."""
