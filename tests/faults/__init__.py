"""Workers, brokers and networks that fail, and what a subscriber must find all the same."""
