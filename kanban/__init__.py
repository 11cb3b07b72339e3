"""What the company works on: boards, statuses, orders, people, and the history of their changes. Never imports rules."""
