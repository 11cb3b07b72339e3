"""Criteria in words, and how names stand in a sentence."""
