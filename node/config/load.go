package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// Problem is one mistake in a file, or in a variable of the environment.
type Problem struct {
	File     string
	Line     int    // 0 when it is something that is not there
	Variable string // instead of file and line
	Text     string
}

func (p Problem) Error() string {
	switch {
	case p.Variable != "":
		return p.Variable + ": " + p.Text
	case p.Line == 0:
		return p.File + ": " + p.Text
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ": " + p.Text
}

// Load reads the file at path, and over it the KAFKA_ variables of an environment in the form
// of os.Environ. Without a path the variables are all there is.
func Load(path string, environ []string) (*Config, error) {
	if path == "" {
		return parse("environment", "", environ)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, fileBytesMax+1))
	if err != nil {
		return nil, fmt.Errorf("config: read %s: %w", path, err)
	}
	return parse(path, string(text), environ)
}

// Parse makes a Config of a file's text; name is for messages. The error joins every Problem
// found, in the order of the lines.
func Parse(name, text string) (*Config, error) { return parse(name, text, nil) }

func parse(name, text string, environ []string) (*Config, error) {
	entries, err := ParseProperties(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	l := &loader{file: name, set: map[string]Entry{}, cfg: &Config{
		Static: map[string]string{}, Own: map[string]string{},
	}}
	for _, e := range entries {
		l.take(e)
	}
	l.readEnvironment(environ)
	if len(l.problems) == 0 { // the rest reads values that hold
		l.checkRoles()
		l.readIdentity()
		l.readListeners()
		l.readAdmin()
		l.checkQuorum()
		l.readLogDirs()
		l.checkSecurity()
		l.readSizes()
	}
	if len(l.problems) > 0 {
		return nil, l.err()
	}
	return l.cfg, nil
}

// loader gathers what one file says.
type loader struct {
	file     string
	set      map[string]Entry // the last entry of each key
	cfg      *Config
	problems []Problem
}

func (l *loader) take(e Entry) {
	e.Value = strings.TrimSpace(e.Value)
	k := keyNamed(e.Key)
	if k == nil {
		text := "unknown key " + shown(e.Key)
		if hint := suggestion(e); hint != "" {
			text += ": " + hint
		}
		l.problem(e, "%s", text)
		return
	}
	if before, ok := l.set[e.Key]; ok && e.Variable == "" {
		l.warn(e, "%s is set again here; line %d has no effect", e.Key, before.Line)
	}
	if why := k.Validate(e.Value); why != "" {
		l.problem(e, "%s; expected %s", why, expected(k))
		return
	}
	if k.Supported != nil {
		if why := k.Supported(e.Value); why != "" {
			l.problem(e, "%s", why)
			return
		}
	}
	l.set[e.Key] = e
	if strings.HasPrefix(e.Key, ownPrefix) {
		l.cfg.Own[e.Key] = e.Value
	} else {
		l.cfg.Static[e.Key] = e.Value
	}
}

func (l *loader) problemAt(at Entry, format string, args []any) Problem {
	return Problem{File: l.file, Line: at.Line, Variable: at.Variable, Text: fmt.Sprintf(format, args...)}
}

func (l *loader) problem(at Entry, format string, args ...any) {
	l.problems = append(l.problems, l.problemAt(at, format, args))
}

func (l *loader) warn(at Entry, format string, args ...any) {
	l.cfg.Warnings = append(l.cfg.Warnings, l.problemAt(at, format, args).Error())
}

func (l *loader) err() error {
	slices.SortStableFunc(l.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	var errs []error
	for i, p := range l.problems {
		if i == problemsMax {
			errs = append(errs, fmt.Errorf("%s: %d more mistakes", l.file, len(l.problems)-i))
			break
		}
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}

// value is what holds for a key: the file's, or the default; entry says where it stands.
func (l *loader) value(key string) (value string, entry Entry) {
	if e, ok := l.set[key]; ok {
		return e.Value, e
	}
	return keyNamed(key).Default, Entry{Key: key}
}

func (l *loader) isSet(key string) bool { _, ok := l.set[key]; return ok }

func (l *loader) int(key string) int64 {
	value, _ := l.value(key)
	n, err := parseInt(value)
	if err != nil { // the table checked it, so only a default can be at fault
		panic("config: " + key + " is no number: " + value)
	}
	return n
}

func parseInt(value string) (int64, error) { return strconv.ParseInt(strings.TrimSpace(value), 10, 64) }

// checkRoles wants both roles in one process, which is what this release can be.
func (l *loader) checkRoles() {
	value, at := l.value("process.roles")
	roles := metadata.SplitList(value)
	if !slices.Contains(roles, "broker") || !slices.Contains(roles, "controller") {
		l.problem(at, "process.roles=%s: a node of this release is broker and controller in one; "+
			"write process.roles=broker,controller", shown(value))
	}
}

func (l *loader) readIdentity() {
	key := "node.id"
	if !l.isSet(key) {
		key = "broker.id"
	}
	if !l.isSet(key) {
		l.problem(Entry{}, "node.id is not set; expected the number of this node, for example node.id=1")
		return
	}
	id, at := l.int(key), l.set[key]
	if id < 0 {
		l.problem(at, "%s=%d: expected a number of 0 or more; ids are not generated", key, id)
	}
	if other, ok := l.set["broker.id"]; ok && key == "node.id" && l.int("broker.id") != id {
		l.problem(other, "broker.id=%s is not node.id=%d; set one of them", other.Value, id)
	}
	l.cfg.NodeID = kafka.BrokerID(id)
	l.cfg.Rack, _ = l.value("broker.rack")
}

func (l *loader) readLogDirs() {
	key := "log.dirs"
	if !l.isSet(key) && l.isSet("log.dir") {
		key = "log.dir"
	}
	value, at := l.value(key)
	dirs := metadata.SplitList(value)
	if len(dirs) == 0 {
		l.problem(at, "%s=%s: expected a directory, or several separated by commas", key, shown(value))
		return
	}
	if meta, at := l.value("metadata.log.dir"); meta != "" && meta != dirs[0] {
		l.problem(at, "metadata.log.dir=%s: expected %s; the metadata log stands in the first log directory",
			shown(meta), shown(dirs[0]))
	}
	l.cfg.LogDirs = dirs
}

// checkQuorum accepts a quorum of this node alone.
func (l *loader) checkQuorum() {
	value, at := l.value("controller.quorum.voters")
	voters := metadata.SplitList(value)
	switch {
	case len(voters) > 1:
		l.problem(at, "controller.quorum.voters=%s: expected this node alone; clusters of several nodes come later",
			shown(value))
	case len(voters) == 1:
		id, address, ok := strings.Cut(voters[0], "@")
		n, err := parseInt(id)
		_, _, addressErr := splitHostPort(address)
		switch {
		case !ok || err != nil || addressErr != nil:
			l.problem(at, "controller.quorum.voters=%s: expected id@host:port", shown(value))
		case n != int64(l.cfg.NodeID):
			l.problem(at, "controller.quorum.voters=%s: expected this node, %d; a quorum elsewhere comes later",
				shown(value), l.cfg.NodeID)
		}
	}
	value, at = l.value("controller.quorum.bootstrap.servers")
	servers := metadata.SplitList(value)
	if len(servers) > 1 {
		l.problem(at, "controller.quorum.bootstrap.servers=%s: expected this node alone; clusters of several "+
			"nodes come later", shown(value))
	}
	for _, s := range servers {
		if _, _, err := splitHostPort(s); err != nil {
			l.problem(at, "controller.quorum.bootstrap.servers=%s: %v", shown(value), err)
		}
	}
}

// checkSecurity refuses what would be believed to protect and does not.
func (l *loader) checkSecurity() {
	if value, at := l.value("authorizer.class.name"); value != "" {
		l.problem(at, "authorizer.class.name=%s: this release has no authorizer; every client may do everything",
			shown(value))
	}
	if value, at := l.value("security.inter.broker.protocol"); value != plaintext {
		l.problem(at, "security.inter.broker.protocol=%s: expected %s, the only protocol of this release",
			shown(value), plaintext)
	}
	for _, key := range []string{"sasl.enabled.mechanisms", "super.users"} {
		if value, at := l.value(key); value != "" {
			l.warn(at, "%s has no effect: this release authenticates nobody", key)
		}
	}
}

func (l *loader) readAdmin() {
	l.cfg.Admin, _ = l.value(adminKey)
	l.cfg.AdminChosen = l.isSet(adminKey)
	_, port, _ := splitHostPort(l.cfg.Admin)
	for _, client := range l.cfg.Clients {
		if port != 0 && client.Port == port {
			l.problem(l.set[adminKey], "%s=%s: listener %s has that port; give each its own", adminKey,
				l.cfg.Admin, client.Name)
		}
	}
}

func (l *loader) readSizes() {
	l.cfg.Net = Net{
		RequestBytesMax:       int(l.int("socket.request.max.bytes")),
		ConnectionsMax:        int(l.int("max.connections")),
		ConnectionsPerIPMax:   int(l.int("max.connections.per.ip")),
		IdleMax:               max(0, time.Duration(l.int("connections.max.idle.ms"))*time.Millisecond),
		QueuedRequestsMax:     int(l.int("queued.max.requests")),
		QueuedRequestBytesMax: l.int("queued.max.request.bytes"),
		SendBufferBytes:       int(l.int("socket.send.buffer.bytes")),
		ReceiveBufferBytes:    int(l.int("socket.receive.buffer.bytes")),
	}
	l.cfg.Log = Log{
		JournalFileBytes: l.int("tidemark.journal.file.bytes"),
		JournalFiles:     int(l.int("tidemark.journal.files")),
		TailCacheBytes:   l.int("tidemark.tail.cache.bytes"),
		ReserveBytes:     l.int("tidemark.reserve.bytes"),
	}
}

// shown is a value as a message repeats it.
func shown(value string) string {
	if len(value) > shownMax {
		value = strings.ToValidUTF8(value[:shownMax], "") + "…"
	}
	if value == "" || strings.ContainsAny(value, "\n\r\t\x00") {
		return strconv.Quote(value)
	}
	return value
}
