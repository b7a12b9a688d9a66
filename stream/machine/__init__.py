"""One partition as a sequential machine: records in, everything that they cause out. Pure."""
