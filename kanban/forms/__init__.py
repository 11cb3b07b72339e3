"""What is typed, checked and typed again."""
