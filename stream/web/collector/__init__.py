"""What `lifecycle collector` does: takes interactions over HTTP and answers once Kafka has them.

A request goes through, in this order: `access` (whose key), `reading` and `unpacking` (its body), `splitting` (its
items), `completing` (what an item lacks), `intake` (to a record, or a dead letter), `connection` (to Kafka), `answers`.
"""
