"""Show other prices on purpose, on a budget and within the guardrails: prices that never vary teach nothing."""
