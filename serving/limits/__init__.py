"""Limits on every price: guardrails, and the orders of people."""
