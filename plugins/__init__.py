"""Packages that extend the core through the hooks of `catalog/hooks.py`; the core imports none of them."""
