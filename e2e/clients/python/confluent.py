"""confluent-kafka (librdkafka) under the contract of e2e/clients."""

import sys

import confluent_kafka
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions,
                                   NewTopic, OffsetSpec)

from contract import Writer, read_records, serve

WAIT = 30


class Client:
    def __init__(self, bootstrap):
        self.conf = {"bootstrap.servers": bootstrap, "message.max.bytes": 8 << 20}
        self.admin = AdminClient({"bootstrap.servers": bootstrap})

    def about(self, _):
        return {
            "client": "confluent-kafka",
            "version": f"{confluent_kafka.version()} (librdkafka {confluent_kafka.libversion()[0]})",
            "codecs": ["none", "gzip", "snappy", "lz4", "zstd"],
            "idempotence": True,
        }

    def produce(self, q):
        producer = Producer(self.conf | {
            "compression.type": q["codec"], "acks": q["acks"], "enable.idempotence": q["idempotent"],
            "linger.ms": 5, "delivery.timeout.ms": WAIT * 1000,
        })
        acked, errors = 0, {}

        def delivered(err, _):
            nonlocal acked
            if err is None:
                acked += 1
            else:
                errors[str(err)] = errors.get(str(err), 0) + 1

        for r in read_records(q["file"]):
            where = {} if r["partition"] < 0 else {"partition": r["partition"]}
            while True:
                try:
                    producer.produce(q["topic"], value=r["value"], key=r["key"], headers=r["headers"],
                                     timestamp=r["timestamp"], on_delivery=delivered, **where)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
        left = producer.flush(WAIT)
        if left:
            raise TimeoutError(f"{left} messages are not delivered")
        return {"acked": acked, "errors": errors}

    def consume(self, q):
        # librdkafka wants a group.id; assign and no commits keep groups out of it.
        consumer = Consumer(self.conf | {"group.id": "unused", "enable.auto.commit": False,
                                         "enable.partition.eof": True})
        parts = range(q["partitions"])
        consumer.assign([TopicPartition(q["topic"], p, OFFSET_BEGINNING) for p in parts])
        open_parts, out = set(parts), Writer(q["file"])
        while open_parts:
            m = consumer.poll(WAIT)
            if m is None:
                raise TimeoutError(f"nothing came; not at the end of {sorted(open_parts)}")
            if m.error():
                if m.error().code() != confluent_kafka.KafkaError._PARTITION_EOF:
                    raise confluent_kafka.KafkaException(m.error())
                open_parts.discard(m.partition())
                continue
            out.add(m.partition(), m.offset(), m.timestamp()[1], m.key(), m.value(), m.headers())
        out.close()
        consumer.close()
        return {"count": out.count}

    def offset(self, q):
        spec = {"earliest": OffsetSpec.earliest, "latest": OffsetSpec.latest,
                "max-timestamp": OffsetSpec.max_timestamp}.get(q["at"])
        spec = spec() if spec else OffsetSpec.for_timestamp(int(q["at"]))
        tp = TopicPartition(q["topic"], q["partition"])
        return {"offset": self.admin.list_offsets({tp: spec})[tp].result(WAIT).offset}

    def create(self, q):
        topic = NewTopic(q["topic"], num_partitions=q["partitions"], replication_factor=1, config=q["configs"])
        self.admin.create_topics([topic])[q["topic"]].result(WAIT)

    def grow(self, q):
        self.admin.create_partitions([NewPartitions(q["topic"], q["partitions"])])[q["topic"]].result(WAIT)

    def describe(self, q):
        names = confluent_kafka.TopicCollection([q["topic"]])
        described = self.admin.describe_topics(names)[q["topic"]].result(WAIT)
        return {"partitions": len(described.partitions)}

    def configs(self, q):
        resource = ConfigResource(ConfigResource.Type.TOPIC, q["topic"])
        found = self.admin.describe_configs([resource])[resource].result(WAIT)
        return {"configs": {name: entry.value for name, entry in found.items()}}

    def alter(self, q):
        changes = [ConfigEntry(k, v, incremental_operation=AlterConfigOpType.SET)
                   for k, v in q["configs"].items()]
        resource = ConfigResource(ConfigResource.Type.TOPIC, q["topic"], incremental_configs=changes)
        self.admin.incremental_alter_configs([resource])[resource].result(WAIT)

    def list(self, _):
        return {"topics": sorted(self.admin.list_topics(timeout=WAIT).topics)}

    def trim(self, q):
        tp = TopicPartition(q["topic"], q["partition"], q["offset"])
        return {"offset": self.admin.delete_records([tp])[tp].result(WAIT).low_watermark}

    def delete(self, q):
        self.admin.delete_topics([q["topic"]])[q["topic"]].result(WAIT)


serve(Client(sys.argv[1]))
