"""Proof of bytes against receipts, and assertions on what tables say."""
