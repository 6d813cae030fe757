"""The gate's conditions, each a pure function: what is asked, whether it is met, and what was found of which limit."""
