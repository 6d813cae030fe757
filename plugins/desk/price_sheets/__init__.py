"""Prices in a sheet: written for a spreadsheet, read again, and recorded as orders, all or none."""
