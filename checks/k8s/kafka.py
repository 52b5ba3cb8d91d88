"""Rules for Kafka, scaling and the shape of production: topics and permissions as in the catalog, one scaler each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from checks.docs.apps import deployed
from checks.k8s.cluster import NAME, Cluster, name, said
from checks.k8s.rendering import Manifest
from conveyor_events.catalog import TOPICS

FULL = 0.91  # of a database's volume, at most, are used before commands are refused
BYTES = {"Mi": 1024**2, "Gi": 1024**3, "Ti": 1024**4}
LABEL = "strimzi.io/cluster"
PRIVATE = "conveyor.pay.v1"
WHO_READS_PAY = {"compensation", "payroll"}
PRODUCTION = {"replication": 3, "in_sync": 2, "instances": 3}


def topics_are_the_catalogs(cluster: Cluster) -> Iterator[str]:
    """Every topic of the catalog with its partitions, as often as the cluster's own default, and no other."""
    kafkas = list(cluster.of("Kafka"))
    found = {name(topic): topic["spec"] for topic in cluster.of("KafkaTopic")}
    if not kafkas:
        return
    for missing in sorted(TOPICS.keys() - found.keys()):
        yield f"KafkaTopic/{missing}: missing, the catalog has it"
    for more in sorted(found.keys() - TOPICS.keys()):
        yield f"KafkaTopic/{more}: the catalog does not have it"
    config = kafkas[0]["spec"]["kafka"]["config"]
    for topic in sorted(TOPICS.keys() & found.keys()):
        spec = found[topic]
        if spec["partitions"] != TOPICS[topic].partitions:
            yield f"KafkaTopic/{topic}: {spec['partitions']} partitions, the catalog says {TOPICS[topic].partitions}"
        has = spec["replicas"], spec["config"]["min.insync.replicas"]
        if has != (config["default.replication.factor"], config["min.insync.replicas"]):
            yield f"KafkaTopic/{topic}: {has} replicas and in-sync replicas, Kafka's own are others"
    pools = [pool for pool in cluster.of("KafkaNodePool") if "broker" in pool["spec"]["roles"]]
    if sum(pool["spec"]["replicas"] for pool in pools) < config["default.replication.factor"]:
        yield "KafkaNodePool: fewer brokers than replicas"
    for each in cluster.of("KafkaTopic", "KafkaUser", "KafkaNodePool"):
        if each["metadata"].get("labels", {}).get(LABEL) != name(kafkas[0]):
            yield f"{said(each)}: it belongs to no Kafka"


def permissions_are_the_catalogs(cluster: Cluster) -> Iterator[str]:
    """A service writes what it publishes, reads what it listens to, in a group of its name; pay is for payroll."""
    users = {name(user): set(_allowed(user)) for user in cluster.of("KafkaUser")}
    for service in deployed() if users else ():
        own = {topic.name for topic in TOPICS.values() if topic.publisher == service.name}
        wanted = {("topic", topic, "literal", word) for topic in own for word in ("Write", "Describe")}
        wanted |= {("topic", topic, "literal", word) for topic in service.topics for word in ("Read", "Describe")}
        wanted |= {("group", service.name, "literal", "Read")}
        found = users.get(service.name, set())
        for rule in sorted(wanted - found):
            yield f"KafkaUser/{service.name}: {' '.join(rule)} is missing"
        for rule in sorted(found - wanted):
            yield f"KafkaUser/{service.name}: {' '.join(rule)} is too much"
    for user in sorted(users.keys() - {service.name for service in deployed()}):
        for rule in sorted(users[user]):
            if rule[3] == "Write" or (rule[0] == "topic" and rule[2] != "literal"):
                yield f"KafkaUser/{user}: {' '.join(rule)}: only services write, and topics are named"
    for user in sorted(users.keys() - WHO_READS_PAY):
        if ("topic", PRIVATE, "literal", "Read") in users[user]:
            yield f"KafkaUser/{user}: it reads {PRIVATE}"


def _allowed(user: Manifest) -> Iterator[tuple[str, str, str, str]]:
    for acl in user["spec"]["authorization"]["acls"]:
        where = acl["resource"]
        for word in acl["operations"]:
            yield where["type"], where["name"], where["patternType"], word


def one_scaler_for_each(cluster: Cluster) -> Iterator[str]:
    """Two scalers of one Deployment pull it to and fro, and nobody says so; a scaled one does not count for itself."""
    targets = Counter(
        scaler["spec"]["scaleTargetRef"]["name"] for scaler in cluster.of("ScaledObject", "HorizontalPodAutoscaler")
    )
    for target, times in sorted(targets.items()):
        deployment = cluster.one("Deployment", target)
        if times > 1:
            yield f"Deployment/{target}: {times} scalers"
        if deployment is None:
            yield f"Deployment/{target}: scaled, but not there"
        elif "replicas" in deployment["spec"]:
            yield f"Deployment/{target}: scaled, and says itself how many there are"
    for deployment in cluster.of("Deployment"):
        if name(deployment) not in targets and "replicas" not in deployment["spec"]:
            yield f"{said(deployment)}: nobody says how many there are"


def workers_follow_their_topics(cluster: Cluster) -> Iterator[str]:
    """A worker is scaled by every topic that it listens to, in its own group, and not beyond their partitions."""
    brokers = {cluster.settings(pod).get("CONVEYOR_BROKERS") for pod in cluster.pods if pod.component == "worker"}
    for scaler in cluster.of("ScaledObject"):
        spec = scaler["spec"]
        pods = [pod for pod in cluster.pods if name(pod.owner) == spec["scaleTargetRef"]["name"]]
        service = next((one for one in deployed() if pods and one.name == pods[0].labels.get(NAME)), None)
        if service is None or pods[0].component != "worker":
            yield f"{said(scaler)}: no worker"
            continue
        asked: list[dict[str, Any]] = [trigger["metadata"] for trigger in spec["triggers"]]
        if sorted(each["topic"] for each in asked) != sorted(service.topics):
            yield f"{said(scaler)}: looks at other topics than {', '.join(service.topics)}"
        if {each["consumerGroup"] for each in asked} != {service.name} or {
            e["bootstrapServers"] for e in asked
        } != brokers:
            yield f"{said(scaler)}: looks at another group, or at another Kafka"
        most = max(TOPICS[topic].partitions for topic in service.topics)
        if spec["maxReplicaCount"] > most or spec["minReplicaCount"] < 2:
            yield f"{said(scaler)}: between 2 (the relay's spare) and {most} (partitions), please"
        for trigger in spec["triggers"]:
            if cluster.one("TriggerAuthentication", trigger["authenticationRef"]["name"]) is None:
                yield f"{said(scaler)}: nothing to log in with"


def production_is_safe(cluster: Cluster) -> Iterator[str]:
    """Three brokers and controllers, everything thrice, a commit that two instances have, and copies elsewhere."""
    if cluster.overlay == "dev":
        return
    for kafka in cluster.of("Kafka"):
        config = kafka["spec"]["kafka"]["config"]
        if config["default.replication.factor"] < PRODUCTION["replication"]:
            yield f"{said(kafka)}: fewer than three replicas"
        if config["min.insync.replicas"] != PRODUCTION["in_sync"]:
            yield f"{said(kafka)}: min.insync.replicas is not 2"
        for role in ("broker", "controller"):
            pools = [pool["spec"] for pool in cluster.of("KafkaNodePool") if role in pool["spec"]["roles"]]
            if sum(pool["replicas"] for pool in pools) < PRODUCTION["replication"]:
                yield f"{said(kafka)}: fewer than three of the role {role}"
    backed_up = {each["spec"]["cluster"]["name"] for each in cluster.of("ScheduledBackup")}
    for database in cluster.of("Cluster"):
        spec = database["spec"]
        if spec["instances"] < PRODUCTION["instances"] or not spec["postgresql"].get("synchronous"):
            yield f"{said(database)}: a commit can be lost with one instance"
        if name(database) not in backed_up or not spec.get("plugins"):
            yield f"{said(database)}: no copies elsewhere"


def pods_know_what_they_need(cluster: Cluster) -> Iterator[str]:
    """Production everywhere but in the overlay for trying out; Kafka by name and encrypted, and for workers only."""
    for pod in cluster.pods:
        settings = cluster.settings(pod)
        if settings.get("CONVEYOR_ENVIRONMENT") != "production" and cluster.overlay != "dev":
            yield f"{pod}: not in production"
        if pod.component == "worker" and settings.get("CONVEYOR_KAFKA_PROTOCOL") != "SASL_SSL":
            yield f"{pod}: speaks to Kafka without a name, or in clear"
        if pod.component != "worker" and any(key.startswith("CONVEYOR_KAFKA_") for key in settings):
            yield f"{pod}: does not speak to Kafka, and needs to know nothing of it"


def databases_are_the_services(cluster: Cluster) -> Iterator[str]:
    """One for each service, with the roles that `migrate` gives their rights, and an owner of its own."""
    databases = list(cluster.of("Cluster"))
    for service in deployed() if databases else ():
        database = cluster.one("Cluster", f"{service.name}-db")
        if database is None:
            yield f"Cluster/{service.name}-db: missing"
            continue
        spec = database["spec"]
        roles = {role["name"] for role in spec["managed"]["roles"]}
        if spec["bootstrap"]["initdb"]["database"] != service.package or spec["bootstrap"]["initdb"]["owner"] in roles:
            yield f"{said(database)}: another database, or its owner does the service's work"
        room = int(spec["storage"]["size"][:-2]) * BYTES[spec["storage"]["size"][-2:]]
        for pod in cluster.pods:
            settings = cluster.settings(pod)
            if pod.labels.get(NAME) == service.name:
                if not 0 < int(settings.get("CONVEYOR_DATABASE_LIMIT_BYTES", 0)) <= FULL * room:
                    yield f"{pod}: it does not refuse commands before {said(database)} is full"
                named = {value for key, value in settings.items() if key.startswith("CONVEYOR_ROLE_")}
                if named != (roles if pod.component == "migrate" else set()):
                    yield f"{pod}: names the roles {sorted(named)}, the database has {sorted(roles)}"
