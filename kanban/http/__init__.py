"""What every view stands on: who asks, errors as answers, filters and small mark-up of templates."""
