"""What `lifecycle collector` does: takes interactions over HTTP and answers once Kafka has them.

A request goes through, in this order: `access` (whose key), `reading` and `unpacking` (its body), `splitting` and
`items` (what it holds), `completing` (what an item lacks), `intake` (to a record, or a dead letter), `connection` (to
Kafka), `answers`. `taking` leads it.
"""
