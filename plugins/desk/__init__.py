"""What people order: price changes, approval, price law, and alerts."""
