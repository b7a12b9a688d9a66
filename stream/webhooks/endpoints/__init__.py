"""The file of endpoints: what it says, which changes an endpoint wants, and where its secrets are."""
