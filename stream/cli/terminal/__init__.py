"""What commands share: options, the connection, and what they show."""
