"""What happens when an order changes: rules, and the messages they send."""
