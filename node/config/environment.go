package config

import (
	"regexp"
	"slices"
	"strings"
)

// variablePrefix begins every environment variable that is a key, as in Apache Kafka's image.
const variablePrefix = "KAFKA_"

// notKeys are variables with that prefix which the scripts of Kafka's image read, for its
// virtual machine and its logs. They mean nothing here, and a file of them for that image
// shall start this node too.
var notKeys = []string{
	"KAFKA_DEBUG", "KAFKA_GC_LOG_OPTS", "KAFKA_HEAP_OPTS", "KAFKA_JMX_HOSTNAME", "KAFKA_JMX_OPTS",
	"KAFKA_JMX_PORT", "KAFKA_JVM_PERFORMANCE_OPTS", "KAFKA_LOG4J_LOGGERS", "KAFKA_LOG4J_OPTS",
	"KAFKA_LOG4J_ROOT_LOGLEVEL", "KAFKA_MODE", "KAFKA_OPTS", "KAFKA_TOOLS_LOG4J_LOGLEVEL", "KAFKA_VERSION",
}

// keyOfVariable reads a variable's name as Kafka's image does: _ is a dot, __ an underscore,
// ___ a dash.
func keyOfVariable(name string) string {
	key := strings.ToLower(strings.TrimPrefix(name, variablePrefix))
	return strings.NewReplacer("___", "-", "__", "_", "_", ".").Replace(key)
}

// variableOfKey is the variable that sets a key.
func variableOfKey(key string) string {
	return variablePrefix + strings.ToUpper(strings.NewReplacer("-", "___", "_", "__", ".", "_").Replace(key))
}

// readEnvironment takes the keys that variables set, over what the file says. The order of
// an environment means nothing, so they go by name.
func (l *loader) readEnvironment(environ []string) {
	from := map[string]string{}
	for _, variable := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, variablePrefix) || isNoKey(name, value) {
			continue
		}
		e := Entry{Key: keyOfVariable(name), Value: value, Variable: name}
		if other := from[e.Key]; other != "" {
			l.problem(e, "sets %s, and so does %s; keep one of them", e.Key, other)
			continue
		}
		from[e.Key] = name
		l.take(e)
		l.cfg.FromEnvironment = append(l.cfg.FromEnvironment, e.Key)
	}
}

// serviceLinks are the variables that Kubernetes makes in every pod beside a Service named
// kafka.
var serviceLinks = regexp.MustCompile(
	`^KAFKA_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)

// isNoKey tells variables that others make under the same prefix.
func isNoKey(name, value string) bool {
	return slices.Contains(notKeys, name) || serviceLinks.MatchString(name) ||
		name == "KAFKA_PORT" && strings.Contains(value, "://")
}
