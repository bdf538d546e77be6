"""kafka-python, the client in Python alone, under the contract of e2e/clients."""

import sys

import kafka
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import AlterConfigOp, ConfigResource, ConfigResourceType, NewTopic, OffsetSpec

from contract import Writer, read_records, serve

WAIT = 30


class Client:
    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.admin = KafkaAdminClient(bootstrap_servers=bootstrap)

    def about(self, _):
        return {
            "client": "kafka-python",
            "version": kafka.__version__,
            "codecs": ["none", "gzip", "snappy", "lz4", "zstd"],
            "idempotence": True,
            "no_null_headers": True,  # it insists on bytes
            "no_bare_records": True,  # and on a key or a value
        }

    def produce(self, q):
        producer = KafkaProducer(
            bootstrap_servers=self.bootstrap, acks="all" if q["acks"] == -1 else q["acks"],
            enable_idempotence=q["idempotent"], max_request_size=8 << 20, linger_ms=5,
            compression_type=None if q["codec"] == "none" else q["codec"])
        sent = []
        for r in read_records(q["file"]):
            sent.append(producer.send(
                q["topic"], value=r["value"], key=r["key"], headers=r["headers"], timestamp_ms=r["timestamp"],
                partition=None if r["partition"] < 0 else r["partition"]))
        producer.flush(WAIT)
        acked, errors = 0, {}
        for future in sent:
            try:
                future.get(WAIT)
                acked += 1
            except kafka.errors.KafkaError as e:
                errors[f"{type(e).__name__} {e}"] = errors.get(f"{type(e).__name__} {e}", 0) + 1
        producer.close()
        return {"acked": acked, "errors": errors}

    def consume(self, q):
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, group_id=None, enable_auto_commit=False)
        parts = [TopicPartition(q["topic"], p) for p in range(q["partitions"])]
        consumer.assign(parts)
        consumer.seek_to_beginning(*parts)
        ends = consumer.end_offsets(parts)
        out = Writer(q["file"])
        while any(consumer.position(p) < ends[p] for p in parts):
            polled = consumer.poll(timeout_ms=WAIT * 1000)
            if not polled:
                raise TimeoutError("nothing came before the end")
            for records in polled.values():
                for m in records:
                    out.add(m.partition, m.offset, m.timestamp, m.key, m.value, m.headers)
        out.close()
        consumer.close()
        return {"count": out.count}

    def offset(self, q):
        spec = {"earliest": OffsetSpec.EARLIEST, "latest": OffsetSpec.LATEST,
                "max-timestamp": OffsetSpec.MAX_TIMESTAMP}.get(q["at"])
        tp = TopicPartition(q["topic"], q["partition"])
        found = self.admin.list_partition_offsets({tp: int(q["at"]) if spec is None else spec})
        return {"offset": found[tp].offset}

    def create(self, q):
        topic = NewTopic(q["topic"], num_partitions=q["partitions"], replication_factor=1,
                         topic_configs=q["configs"])
        self.admin.create_topics([topic])

    def grow(self, q):
        self.admin.create_partitions({q["topic"]: q["partitions"]})

    def describe(self, q):
        return {"partitions": len(self.admin.describe_topics([q["topic"]])[0]["partitions"])}

    def configs(self, q):
        resource = ConfigResource(ConfigResourceType.TOPIC, q["topic"])
        found = self.admin.describe_configs([resource], config_filter="all")
        return {"configs": flatten(found, q["topic"])}

    def alter(self, q):
        resource = ConfigResource(ConfigResourceType.TOPIC, q["topic"], configs=q["configs"])
        self.admin.alter_configs([resource])

    def list(self, _):
        return {"topics": sorted(t if isinstance(t, str) else t["name"] for t in self.admin.list_topics())}

    def trim(self, q):
        tp = TopicPartition(q["topic"], q["partition"])
        found = self.admin.delete_records({tp: q["offset"]})[tp]
        return {"offset": found["low_watermark"] if isinstance(found, dict) else found.low_watermark}

    def delete(self, q):
        self.admin.delete_topics([q["topic"]])


def flatten(found, topic):
    """Gives {name: value} of whatever nesting this release answers with."""
    for kind in found.values():
        entries = kind[topic]
        return {name: e["value"] if isinstance(e, dict) else e for name, e in entries.items()}
    return {}


serve(Client(sys.argv[1]))
