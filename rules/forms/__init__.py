"""What admins type about rules, templates and mail."""
