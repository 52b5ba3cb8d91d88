"""Who may do what with Kafka: one table, and what is made from it."""
