"""What a rule is: its trigger, criteria, actions and recipients. Pure, without the database."""
