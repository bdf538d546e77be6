package kafka

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Version is the release of Apache Kafka whose tools are used; pom.xml names it too.
const Version = "4.3.1"

// ErrNoJava means that this machine cannot run Kafka's tools.
var ErrNoJava = errors.New("java and mvn are not both installed")

//go:embed pom.xml
var pom []byte

//go:embed log4j2.properties
var log4j []byte

// tools maps the names of Kafka's scripts to their main classes.
var tools = map[string]string{
	"kafka-broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
	"kafka-cluster":             "org.apache.kafka.tools.ClusterTool",
	"kafka-configs":             "kafka.admin.ConfigCommand",
	"kafka-console-consumer":    "org.apache.kafka.tools.consumer.ConsoleConsumer",
	"kafka-console-producer":    "org.apache.kafka.tools.ConsoleProducer",
	"kafka-delete-records":      "org.apache.kafka.tools.DeleteRecordsCommand",
	"kafka-dump-log":            "org.apache.kafka.tools.DumpLogSegments",
	"kafka-features":            "org.apache.kafka.tools.FeatureCommand",
	"kafka-get-offsets":         "org.apache.kafka.tools.GetOffsetShell",
	"kafka-log-dirs":            "org.apache.kafka.tools.LogDirsCommand",
	"kafka-storage":             "kafka.tools.StorageTool",
	"kafka-producer-perf-test":  "org.apache.kafka.tools.ProducerPerformance",
	"kafka-topics":              "org.apache.kafka.tools.TopicCommand",
}

// Kafka is an installation of Apache Kafka's jars.
type Kafka struct{ lib string }

// Install fetches the jars unless an earlier call did.
func Install(ctx context.Context) (*Kafka, error) {
	for _, program := range []string{"java", "mvn"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, ErrNoJava
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	k := &Kafka{lib: filepath.Join(cache, "tidemark-e2e", "kafka-"+Version)}
	done := filepath.Join(k.lib, "complete")
	if _, err := os.Stat(done); err == nil {
		return k, nil
	}
	if err := k.fetch(ctx); err != nil {
		return nil, err
	}
	return k, os.WriteFile(done, nil, 0o644)
}

func (k *Kafka) fetch(ctx context.Context) error {
	if err := os.MkdirAll(k.lib, 0o755); err != nil {
		return err
	}
	project := filepath.Join(k.lib, "pom.xml")
	if err := os.WriteFile(project, pom, 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(k.lib, "log4j2.properties"), log4j, 0o644); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "mvn", "-q", "-B", "-Dstyle.color=never", "-f", project,
		"dependency:copy-dependencies", "-DoutputDirectory="+k.lib, "-DincludeScope=runtime")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("kafka: fetch jars: %w\n%s", err, out)
	}
	return nil
}

// Tool prepares one of Kafka's command-line tools; the caller runs it.
func (k *Kafka) Tool(ctx context.Context, name string, args ...string) *exec.Cmd {
	class, ok := tools[name]
	if !ok {
		panic("kafka: no tool " + name)
	}
	java := k.Java("-cp", k.ClassPath(), class)
	return exec.CommandContext(ctx, java[0], append(java[1:], args...)...)
}

// ClassPath holds Kafka's clients and tools and what they depend on.
func (k *Kafka) ClassPath() string { return filepath.Join(k.lib, "*") }

// Java is a command line of the Java launcher, set up to start fast, stay small and log
// errors only.
func (k *Kafka) Java(args ...string) []string {
	return append([]string{
		"java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
		"-Dlog4j2.configurationFile=" + filepath.Join(k.lib, "log4j2.properties"),
	}, args...)
}
