"""Mail accounts: found, proved, kept and used."""
