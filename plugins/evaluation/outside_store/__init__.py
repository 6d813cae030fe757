"""A store that other people wrote as examiner: it sells, we learn from its till receipts, and it plays our prices."""
