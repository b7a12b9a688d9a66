"""Talks to brokers, and knows no customer's state."""
