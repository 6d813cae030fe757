"""A retailer's export: read, staged, checked, admitted to the lake and profiled."""
