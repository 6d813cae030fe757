"""What policies and whole learners earn, beside a clairvoyant that knows demand."""
