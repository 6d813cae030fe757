"""Files that people send: what each is by its bytes, how large it may be, and its text in blocks of rows."""
