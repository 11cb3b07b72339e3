"""Settings pages of the firm, for admins only."""
