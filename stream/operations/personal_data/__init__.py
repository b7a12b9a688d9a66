"""What is held of one person, in every topic: what somebody who asks for their data is to be given."""
