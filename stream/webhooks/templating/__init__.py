"""How each tool is told of a stage change: templates are data, made into requests, and read what is answered."""
