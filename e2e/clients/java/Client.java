// Apache Kafka's own producer, consumer and admin under the contract of e2e/clients: a
// question in JSON a line, an answer in JSON a line. Run as a single source file.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;

public class Client {
    static final ObjectMapper JSON = new ObjectMapper();
    static final Duration WAIT = Duration.ofSeconds(30);

    final String bootstrap;
    final Admin admin;

    Client(String bootstrap) {
        this.bootstrap = bootstrap;
        this.admin = Admin.create(config(Map.of()));
    }

    public static void main(String[] args) throws Exception {
        Client client = new Client(args[0]);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            ObjectNode answer = JSON.createObjectNode();
            try {
                client.answer(JSON.readTree(line), answer);
            } catch (Exception e) {
                Throwable cause = e instanceof ExecutionException ? e.getCause() : e;
                answer.put("error", cause.toString());
            }
            System.out.println(answer);
        }
        System.exit(0);
    }

    Properties config(Map<String, Object> more) {
        Properties p = new Properties();
        p.put("bootstrap.servers", bootstrap);
        p.putAll(more);
        return p;
    }

    void answer(JsonNode q, ObjectNode answer) throws Exception {
        String topic = q.path("topic").asText();
        int partitions = q.path("partitions").asInt();
        switch (q.get("do").asText()) {
            case "about" -> about(answer);
            case "produce" -> produce(q, answer);
            case "consume" -> consume(q, answer);
            case "offset" -> answer.put("offset", offset(q));
            case "create" -> admin.createTopics(List.of(
                    new NewTopic(topic, partitions, (short) 1).configs(strings(q.path("configs"))))).all().get();
            case "grow" -> admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(partitions))).all().get();
            case "describe" -> answer.put("partitions",
                    admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size());
            case "configs" -> configs(topic, answer.putObject("configs"));
            case "alter" -> alter(topic, strings(q.path("configs")));
            case "list" -> {
                ArrayNode names = answer.putArray("topics");
                admin.listTopics().names().get().stream().sorted().forEach(names::add);
            }
            case "trim" -> {
                TopicPartition tp = new TopicPartition(topic, q.get("partition").asInt());
                answer.put("offset", admin.deleteRecords(
                        Map.of(tp, RecordsToDelete.beforeOffset(q.get("offset").asLong())))
                        .lowWatermarks().get(tp).get().lowWatermark());
            }
            case "delete" -> admin.deleteTopics(List.of(topic)).all().get();
            default -> answer.put("unsupported", true);
        }
    }

    void about(ObjectNode answer) {
        answer.put("client", "kafka-clients (Java)").put("idempotence", true);
        answer.put("version", AppInfoParser.getVersion() + " (java " + Runtime.version().feature() + ")");
        ArrayNode codecs = answer.putArray("codecs");
        List.of("none", "gzip", "snappy", "lz4", "zstd").forEach(codecs::add);
    }

    void produce(JsonNode q, ObjectNode answer) throws Exception {
        int acks = q.get("acks").asInt();
        Properties p = config(Map.of(
                "acks", acks == -1 ? "all" : String.valueOf(acks),
                "enable.idempotence", q.get("idempotent").asBoolean(),
                "compression.type", q.get("codec").asText(),
                "max.request.size", 8 << 20, "linger.ms", 5));
        ObjectNode errors = answer.putObject("errors");
        int acked = 0;
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(p, new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (String line : Files.readAllLines(Path.of(q.get("file").asText()))) {
                sent.add(producer.send(record(q.get("topic").asText(), JSON.readTree(line))));
            }
            producer.flush();
            for (Future<RecordMetadata> f : sent) {
                try {
                    f.get();
                    acked++;
                } catch (ExecutionException e) {
                    String name = e.getCause().toString();
                    errors.put(name, errors.path(name).asInt() + 1);
                }
            }
        }
        answer.put("acked", acked);
    }

    static ProducerRecord<byte[], byte[]> record(String topic, JsonNode r) throws Exception {
        List<Header> headers = new ArrayList<>();
        for (JsonNode h : r.path("h")) {
            headers.add(new RecordHeader(h.get("k").asText(), bytes(h.get("v"))));
        }
        int p = r.get("p").asInt();
        return new ProducerRecord<>(topic, p < 0 ? null : p, r.get("t").asLong(), bytes(r.get("k")),
                bytes(r.get("v")), headers);
    }

    static byte[] bytes(JsonNode n) throws Exception {
        return n == null || n.isNull() ? null : n.binaryValue();
    }

    void consume(JsonNode q, ObjectNode answer) throws Exception {
        List<TopicPartition> parts = IntStream.range(0, q.get("partitions").asInt())
                .mapToObj(i -> new TopicPartition(q.get("topic").asText(), i)).collect(Collectors.toList());
        Properties p = config(Map.of("enable.auto.commit", false));
        int count = 0;
        try (KafkaConsumer<byte[], byte[]> consumer =
                     new KafkaConsumer<>(p, new ByteArrayDeserializer(), new ByteArrayDeserializer());
             PrintWriter out = new PrintWriter(Files.newBufferedWriter(Path.of(q.get("file").asText())))) {
            consumer.assign(parts);
            consumer.seekToBeginning(parts);
            Map<TopicPartition, Long> ends = consumer.endOffsets(parts);
            while (parts.stream().anyMatch(tp -> consumer.position(tp) < ends.get(tp))) {
                ConsumerRecords<byte[], byte[]> polled = consumer.poll(WAIT);
                if (polled.isEmpty() && parts.stream().anyMatch(tp -> consumer.position(tp) < ends.get(tp))) {
                    throw new IllegalStateException("nothing came before the end");
                }
                for (ConsumerRecord<byte[], byte[]> r : polled) {
                    out.println(line(r));
                    count++;
                }
            }
        }
        answer.put("count", count);
    }

    static ObjectNode line(ConsumerRecord<byte[], byte[]> r) {
        ObjectNode n = JSON.createObjectNode();
        n.put("p", r.partition()).put("o", r.offset()).put("t", r.timestamp());
        n.put("k", r.key()).put("v", r.value()); // a null array becomes null
        ArrayNode headers = n.putArray("h");
        for (Header h : r.headers()) {
            headers.addObject().put("k", h.key()).put("v", h.value());
        }
        return n;
    }

    long offset(JsonNode q) throws Exception {
        String at = q.get("at").asText();
        OffsetSpec spec = switch (at) {
            case "earliest" -> OffsetSpec.earliest();
            case "latest" -> OffsetSpec.latest();
            case "max-timestamp" -> OffsetSpec.maxTimestamp();
            default -> OffsetSpec.forTimestamp(Long.parseLong(at));
        };
        TopicPartition tp = new TopicPartition(q.get("topic").asText(), q.get("partition").asInt());
        return admin.listOffsets(Map.of(tp, spec)).partitionResult(tp).get().offset();
    }

    void configs(String topic, ObjectNode answer) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        for (ConfigEntry e : admin.describeConfigs(List.of(resource)).all().get().get(resource).entries()) {
            answer.put(e.name(), e.value());
        }
    }

    void alter(String topic, Map<String, String> configs) throws Exception {
        Collection<AlterConfigOp> ops = new ArrayList<>();
        configs.forEach((k, v) -> ops.add(new AlterConfigOp(new ConfigEntry(k, v), AlterConfigOp.OpType.SET)));
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        admin.incrementalAlterConfigs(Map.of(resource, ops)).all().get();
    }

    static Map<String, String> strings(JsonNode n) {
        Map<String, String> m = new HashMap<>();
        n.fields().forEachRemaining(e -> m.put(e.getKey(), e.getValue().asText()));
        return m;
    }
}
