"""grocery-sim, a store that other people wrote: it sells, we learn from its till receipts, and it plays our prices."""
