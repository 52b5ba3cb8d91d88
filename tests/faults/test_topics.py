"""A topic is lost, or has more partitions: both are told, pay stays right, and the log can be sent again."""

from __future__ import annotations

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from stations import command, eventually, metric, parked, records, stack_of
from story import Story, undisturbed

from conveyor.addresses import SERVICES
from conveyor.line import Line
from conveyor.running import Running
from conveyor_events.catalog import TOPICS

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
LEADS = "conveyor.leads.v1"


async def held(running: Running, topic: str) -> dict[str, list[int]]:
    """What is in the topic now: each key's sequences in their order, each at its first coming."""
    found: dict[str, list[int]] = {}
    for record in await records(stack_of(running).brokers):
        if record.topic == topic:
            sequences = found.setdefault(record.key.decode(), [])
            sequence = int(dict(record.headers)["ce_sequence"])
            if sequence not in sequences:
                sequences.append(sequence)
    return found


async def logged(line: Line, topic: str) -> dict[str, list[int]]:
    """The same, of the publisher's own log."""
    kinds = f"conveyor.{TOPICS[topic].short}."
    found: dict[str, list[int]] = {}
    async for event in line.events(TOPICS[topic].publisher):
        if event["type"].startswith(kinds):
            found.setdefault(event["subject"], []).append(int(event["sequence"]))
    return found


async def recreated(running: Running, topic: str) -> None:
    stack = stack_of(running)
    await stack.delete_topics(topic)

    async def made() -> bool:
        await stack.create_topics({topic: TOPICS[topic].partitions})
        admin = AIOKafkaAdminClient(bootstrap_servers=stack.brokers)
        await admin.start()
        try:
            (found,) = await admin.describe_topics([topic])
            return len(found["partitions"]) == TOPICS[topic].partitions
        finally:
            await admin.close()

    await eventually(made, f"{topic} is there again")


async def told(running: Running, name: str, topic: str, *, wrong: bool) -> None:
    address = running.addresses[TOPICS[topic].publisher]

    async def said() -> bool:
        return (await metric(address, name, topic=topic) > 0) is wrong

    await eventually(said, f"{name} of {topic} is {'more than' if wrong else ''} 0", 20.0)


async def test_a_topic_that_was_deleted_is_filled_again_from_the_log(running: Running) -> None:
    async with Line.of(running) as line:
        truth = await undisturbed(line, "before-loss")
        story = await Story.begun(line, "over-the-loss")
        await story.found()
        await line.drained()
        await recreated(running, LEADS)
        await told(running, "conveyor_topic_records_missing", LEADS, wrong=True)
        for client in story.clients:  # the line works on
            await story.sold(client)
        await story.comes_to(truth)
        assert await held(running, LEADS) != await logged(line, LEADS)
        assert (await command(running, "lead-gen", "republish", "--from", "1"))[0] == 0
        await told(running, "conveyor_topic_records_missing", LEADS, wrong=False)
        await line.drained()
        assert await held(running, LEADS) == await logged(line, LEADS)
        await story.comes_to(truth)
        assert [await parked(line, service) for service in SERVICES] == [[]] * len(SERVICES)


async def test_a_topic_with_other_partitions_is_told_and_pay_stays_right(running: Running) -> None:
    """Keys move: an outside reader may see a key's events out of order. It is forbidden; a new topic leads back."""
    brokers = stack_of(running).brokers
    async with Line.of(running) as line:
        truth = await undisturbed(line, "before-more")
        story = await Story.begun(line, "more")
        await story.found()
        admin = AIOKafkaAdminClient(bootstrap_servers=brokers)
        await admin.start()
        try:
            await admin.create_partitions({LEADS: NewPartitions(total_count=TOPICS[LEADS].partitions + 5)})
        finally:
            await admin.close()
        try:
            await told(running, "conveyor_topic_partitions_wrong", LEADS, wrong=True)
            for client in story.clients:
                await story.sold(client)
            await story.comes_to(truth)
        finally:
            await recreated(running, LEADS)
        assert (await command(running, "lead-gen", "republish", "--from", "1"))[0] == 0
        await told(running, "conveyor_topic_partitions_wrong", LEADS, wrong=False)
        await line.drained()
        assert await held(running, LEADS) == await logged(line, LEADS)
        await story.comes_to(truth)
