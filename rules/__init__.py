"""What happens when an order changes: rules, and the letters they send."""
