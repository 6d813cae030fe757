"""Price changes: what policies propose and people decide, as documents with one state each."""
