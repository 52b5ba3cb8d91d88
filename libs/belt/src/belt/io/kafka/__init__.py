"""The public log on its way to Kafka, and Kafka's clients."""
