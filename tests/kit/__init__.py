"""What tests share: brokers, topics, and the scripts that set a checkout up."""
