"""What a worker answers about customers: by id, by stage, and what happened to them."""
