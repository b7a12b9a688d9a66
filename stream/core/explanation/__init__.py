"""Why a customer is in its stage, what is missing for each way out, and what time alone will do."""
