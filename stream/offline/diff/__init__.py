"""Two lifecycles on the same interactions: who would move, who ends elsewhere, and why."""
