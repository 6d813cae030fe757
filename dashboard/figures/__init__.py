"""Figures of the monitor: pure functions from frames to Plotly figures, with units on every axis."""
