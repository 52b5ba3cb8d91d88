"""Sends records that Kafka has a second time, as a producer does whose acknowledgement was lost."""

from __future__ import annotations

import asyncio
from random import Random

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from evidence import PARTITIONS, TOPICS

WITHIN = 30.0


async def send_again(brokers: str, rnd: Random, most: int) -> int:
    """A stretch of one topic, in its order. How many were sent."""
    async with asyncio.timeout(WITHIN):
        consumer = AIOKafkaConsumer(bootstrap_servers=brokers, enable_auto_commit=False, auto_offset_reset="earliest")
        producer = AIOKafkaProducer(bootstrap_servers=brokers)
        await consumer.start()
        try:
            await producer.start()
            topic = rnd.choice(sorted(TOPICS.keys() - {"conveyor.pay.v1"}))
            places = [TopicPartition(topic, n) for n in range(PARTITIONS[topic])]
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            sent = 0
            while sent < most and any([await consumer.position(place) < ends[place] for place in places]):
                for some in (await consumer.getmany(timeout_ms=300, max_records=most)).values():
                    for raw in some:
                        await producer.send(
                            topic, key=raw.key, value=raw.value, headers=list(raw.headers), partition=raw.partition
                        )
                        sent += 1
            await producer.flush()
            return sent
        finally:
            await consumer.stop()
            await producer.stop()
