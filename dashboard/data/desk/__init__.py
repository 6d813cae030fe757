"""The price desk as the monitor shows it: what is proposed, what people decided, and what a price would bring."""
