package kafka

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// clusterID is any; the directory is for one broker that nobody joins.
const clusterID = "dGlkZW1hcmstYmVuY2gtMQ"

// Format lays out a directory for one node that is broker and controller, and returns the
// command that runs it until it gets a SIGTERM. The node has Kafka's defaults, and the
// options that its own start script gives to Java.
func (k *Kafka) Format(ctx context.Context, dir string, port, controllerPort int) ([]string, error) {
	path := filepath.Join(dir, "server.properties")
	properties := []string{
		"process.roles=broker,controller",
		"node.id=1",
		fmt.Sprintf("controller.quorum.voters=1@127.0.0.1:%d", controllerPort),
		"controller.listener.names=CONTROLLER",
		"listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
		fmt.Sprintf("listeners=PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d", port, controllerPort),
		"log.dirs=" + filepath.Join(dir, "data"),
		"offsets.topic.replication.factor=1",
		"transaction.state.log.replication.factor=1",
		"transaction.state.log.min.isr=1",
		"share.coordinator.state.topic.replication.factor=1",
		"share.coordinator.state.topic.min.isr=1",
	}
	if err := os.WriteFile(path, []byte(strings.Join(properties, "\n")+"\n"), 0o644); err != nil {
		return nil, err
	}
	format := k.Tool(ctx, "kafka-storage", "format", "--cluster-id", clusterID, "--config", path)
	if out, err := format.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("kafka: format %s: %w\n%s", dir, err, out)
	}
	return []string{
		"java", "-server", "-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
		"-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true",
		"-Dlog4j2.configurationFile=" + filepath.Join(k.lib, "log4j2.properties"),
		"-cp", k.ClassPath(), "kafka.Kafka", path,
	}, nil
}
