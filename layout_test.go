package tidemark_test

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// importOrder says who may import whom. "a < b": b may import a, and whatever a may import.
// A name is a room (rooms, below). name(A, B) allows only the identifiers A and B of it.
// "every room above" is every room of a line above this one. Only rooms that exist are
// checked; a room of the plan that has no file yet does no harm here.
const importOrder = `
NONE                                  < invariant, kafka, detlint, house
invariant, kafka                      < codec, trace
trace                                 < env < envtest
kafka, codec, invariant               < record
record, trace, env(Instant, Rare)     < raft, replica, metadata, auth, quota, peer   # machines
record, trace, env(Instant, Rare)     < coordinator < group, txn                     # decisions
coordinator, metadata                 < controller                                   # a decision too
record, env                           < log < tier       # the only core rooms that use env.Disk
every room above                      < api < broker
env                                   < netx, diskx
env                                   < engine < simnet, simdisk
simnet, simdisk, broker               < sim < simtest
metadata                              < config
broker                                < admin, metrics, console
config, admin, metrics, console, netx, diskx, broker  < node < nodetest
record                                < bench
codec                                 < checker
sim, checker                          < scenarios
scenarios, simtest                    < simulated
scenarios, netx                       < real
scenarios                             < process, mutants
node, nodetest, simtest, checker, simulated, real, process, bench, house  < cmd, e2e, examples
`

// testOrder adds what _test.go files of a room may import beyond importOrder. The suites of
// envtest hold both implementations of core/env to its words; the simulated disk and world
// drive core; nothing simulated ever needs the real one.
const testOrder = `
every room of core, engine, simnet, simdisk, sim, simtest  < every room of core
every room of core, engine, simnet, simdisk, sim, simtest  < engine, simnet, simdisk, sim, simtest
record, log, envtest                                       < netx, diskx
nodetest, checker                                          < node, admin, metrics, console, process, real
simtest                                                    < scenarios
`

// rooms maps a room to its folder; the longest folder that holds a package is its room.
var rooms = map[string]string{
	"house":     ".", // the repository's root: documents, and these rules
	"invariant": "core/invariant", "kafka": "core/kafka", "codec": "core/codec", "trace": "core/trace",
	"env": "core/env", "envtest": "core/env/envtest", "record": "core/record", "log": "core/log",
	"raft": "core/raft", "replica": "core/replica", "metadata": "core/metadata",
	"controller": "core/controller", "coordinator": "core/coordinator", "group": "core/group",
	"txn": "core/txn", "auth": "core/auth", "quota": "core/quota", "tier": "core/tier",
	"peer": "core/peer", "api": "core/api", "broker": "core/broker",
	"sim": "sim", "engine": "sim/engine", "simnet": "sim/simnet", "simdisk": "sim/simdisk",
	"simtest": "sim/simtest",
	"netx":    "netx", "diskx": "diskx",
	"node": "node", "config": "node/config", "admin": "node/admin", "metrics": "node/metrics",
	"console": "node/console", "nodetest": "node/nodetest",
	"checker": "checker", "scenarios": "scenarios", "simulated": "scenarios/target/simulated",
	"real": "scenarios/target/real", "process": "scenarios/target/process",
	"cmd": "cmd/tidemark", "bench": "cmd/tidemark/bench", "mutants": "cmd/mutants", "detlint": "cmd/detlint",
	"e2e": "e2e", "examples": "examples",
}

type module struct{ path, rooms, reason string }

// thirdParty lists the modules a room may import. A dependency must be worth owning:
// maintained, few transitive modules, hard to write in a week.
var thirdParty = []module{
	{"github.com/twmb/franz-go/pkg/kmsg", "api, group, txn, controller", "the wire structs of every Kafka API"},
	{"github.com/hashicorp/go-msgpack/v2", "codec", "canonical msgpack for records, tapes, histories"},
	{"github.com/klauspost/compress", "record", "gzip, snappy and zstd of record batches"},
	{"github.com/pierrec/lz4/v4", "record", "lz4 frames of record batches"},
	{"github.com/xdg-go/scram", "auth", "SCRAM exchanges"},
	{"github.com/tidwall/btree", "every room of core", "copy-on-write ordered maps for images"},
	{"github.com/anishathalye/porcupine", "checker", "linearizability"},
	{"go.yaml.in/yaml/v3", "scenarios", "scenario files, strict"},
	{"github.com/bluekeyes/go-gitdiff", "scenarios", "lays the museum's patches over the sources"},
	{"github.com/twmb/franz-go/pkg/kmsg", "scenarios, simulated, real", "workloads are clients over core/env"},
	{"github.com/twmb/franz-go", "process, bench, cmd, e2e, examples", "a client, never in core or sim"},
	{"github.com/twmb/franz-go/pkg/kadm", "process, bench, cmd, e2e, examples", "admin calls of commands"},
	{"github.com/twmb/franz-go/pkg/kmsg", "process, bench, cmd, e2e, examples", "requests kadm has no call for"},
	{"golang.org/x/sys", "diskx, netx, bench", "direct I/O, locks, fallocate, precise timers"},
	{"github.com/IBM/sarama", "e2e", "a client of others, in a module of its own: e2e/clients/go"},
	{"github.com/segmentio/kafka-go", "e2e", "a client of others, in a module of its own: e2e/clients/go"},
	{"github.com/hanwen/go-fuse/v2", "e2e", "a real file system that forgets what was not synced"},
	{"github.com/lmittmann/tint", "node, cmd", "logs on a terminal"},
	{"github.com/prometheus/client_golang", "metrics", "the exposition format"},
	{"github.com/spf13/cobra", "cmd", "commands and their help"},
	{"github.com/spf13/pflag", "cmd", "flags of cobra"},
	{"github.com/vbauerster/mpb/v8", "cmd", "progress bars"},
	{"github.com/HdrHistogram/hdrhistogram-go", "bench, cmd, e2e", "latency figures"},
	{"golang.org/x/term", "cmd", "is this a terminal?"},
	{"golang.org/x/tools", "detlint", "go/analysis"},
}

// testThirdParty may be imported by every _test.go file of the rooms named.
var testThirdParty = []module{
	{"github.com/stretchr/testify", "every room", "require, where plain if is longer"},
	{"pgregory.net/rapid", "every room", "laws over all inputs"},
	{"github.com/cockroachdb/datadriven", "every room", "stories as scripts in testdata"},
	{"go.uber.org/goleak", "every room", "no goroutine outlives its test"},
	{"github.com/rogpeppe/go-internal", "every room", "txtar files and command scripts"},
	{"github.com/twmb/franz-go/pkg/kmsg", "every room", "requests as a client writes them"},
	{"github.com/twmb/franz-go", "node, nodetest, netx, process, cmd", "an unmodified client at a real port"},
	{"github.com/twmb/franz-go/pkg/kadm", "node, nodetest, process, cmd", "an unmodified admin at a real port"},
}

// absentFromCore are standard packages that would bring the outside world into core; the
// other half (os, net, sync, time.Now …) is judged call by call in cmd/detlint.
var absentFromCore = map[string]struct{ why, except string }{
	"context":  {why: "deadlines become inputs with an env.Instant; context lives in node, netx, cmd and tests"},
	"log":      {why: "core traces decisions with env.Tracer; logs for operators live outside core"},
	"log/slog": {why: "core traces decisions with env.Tracer; logs for operators live outside core"},
	"unsafe":   {why: "only core/api may alias a request's bytes as a string, in one function", except: "api"},
}

const modulePath = "github.com/tidemark-log/tidemark"

func TestImportsFollowTheOrderOfRooms(t *testing.T) {
	l := newLayout(t, importOrder, testOrder)
	for _, f := range tree(t).goFiles {
		for _, v := range l.check(f) {
			t.Error(v)
		}
	}
}

func TestEveryFolderWithCodeBelongsToARoom(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range tree(t).goFiles {
		dir := path.Dir(f.path)
		if seen[dir] {
			continue
		}
		seen[dir] = true
		if roomOf(dir) == "" {
			t.Errorf("%s: belongs to no room. Put the code into the room whose sentence fits it (ARCHITECTURE.md), "+
				"or add the room to layout_test.go with its place in the order", dir)
		}
	}
}

// The rules are worth nothing if they let a bad import pass, so here they meet some.
func TestLayoutRefusesWhatItForbids(t *testing.T) {
	l := newLayout(t, importOrder, testOrder)
	const head = "package x\n\nimport (\n\t\"%s\"\n)\n"
	own := modulePath + "/"
	for _, c := range []struct {
		name, file, imports string
		refused             bool
	}{
		{"log uses record", "core/log/x.go", own + "core/record", false},
		{"a journal is part of log", "core/log/x.go", own + "core/log/journal", false},
		{"broker may use a room far below", "core/broker/x.go", own + "core/kafka", false},
		{"record does not know log", "core/record/x.go", own + "core/log", true},
		{"core does not know the simulator", "core/log/x.go", own + "sim/simdisk", true},
		{"core's tests do", "core/log/x_test.go", own + "sim/simdisk", false},
		{"core's tests do not touch real disks", "core/log/x_test.go", own + "diskx", true},
		{"sim does not know the real network", "sim/x.go", own + "netx", true},
		{"sim's tests neither", "sim/x_test.go", own + "netx", true},
		{"node does not know the simulator", "node/x.go", own + "sim", true},
		{"a machine is not a coordinator", "core/replica/x.go", own + "core/coordinator", true},
		{"checker judges any cluster", "checker/x.go", own + "sim", true},
		{"only target/real dials", "scenarios/workload/x.go", own + "netx", true},
		{"target/real dials", "scenarios/target/real/x.go", own + "netx", false},
		{"wire structs stay in api", "core/log/x.go", "github.com/twmb/franz-go/pkg/kmsg", true},
		{"api knows the wire", "core/api/x.go", "github.com/twmb/franz-go/pkg/kmsg", false},
		{"no client library in core", "core/api/x.go", "github.com/twmb/franz-go/pkg/kgo", true},
		{"assertions only in tests", "core/log/x.go", "github.com/stretchr/testify/require", true},
		{"assertions in tests", "core/log/x_test.go", "github.com/stretchr/testify/require", false},
		{"no module that nobody chose", "cmd/tidemark/x.go", "github.com/sirupsen/logrus", true},
		{"no contexts in core", "core/broker/x.go", "context", true},
		{"contexts in node", "node/x.go", "context", false},
	} {
		f := parseFixture(t, c.file, fmt.Sprintf(head, c.imports))
		if got := l.check(f); (len(got) > 0) != c.refused {
			t.Errorf("%s: %s importing %s: refused=%v, want %v: %v",
				c.name, c.file, c.imports, len(got) > 0, c.refused, got)
		}
	}
	const uses = "package x\n\nimport \"" + modulePath + "/core/env\"\n\nvar _ env.%s\n"
	for ident, refused := range map[string]bool{"Instant": false, "Disk": true} {
		f := parseFixture(t, "core/replica/x.go", fmt.Sprintf(uses, ident))
		if got := l.check(f); (len(got) > 0) != refused {
			t.Errorf("replica using env.%s: %v", ident, got)
		}
	}
}

// layout answers which room may import which: allowed[b][a] holds when a < b, and the value
// lists the identifiers when only those may be used (nil = all).
type layout struct {
	allowed, inTests map[string]map[string][]string
}

func newLayout(t *testing.T, order, tests string) *layout {
	t.Helper()
	l := &layout{allowed: parseOrder(t, order), inTests: parseOrder(t, tests)}
	closeOver(l.allowed)
	return l
}

// parseOrder reads lines "a, b(X) < c < d, e   # why" into direct edges.
func parseOrder(t *testing.T, text string) map[string]map[string][]string {
	t.Helper()
	edges := map[string]map[string][]string{}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		above := roomsIn(edges)
		steps := strings.Split(line, "<")
		for i := 1; i < len(steps); i++ {
			for _, upper := range roomList(t, steps[i], above) {
				if edges[upper.name] == nil {
					edges[upper.name] = map[string][]string{}
				}
				for _, lower := range roomList(t, steps[i-1], above) {
					edges[upper.name][lower.name] = lower.only
				}
			}
		}
	}
	return edges
}

type roomRef struct {
	name string
	only []string // identifiers that may be used; nil = all
}

// roomList reads "a, b(X, Y), every room above".
func roomList(t *testing.T, text string, above []string) []roomRef {
	t.Helper()
	var refs []roomRef
	for text = strings.TrimSpace(text); text != ""; {
		end := strings.IndexAny(text, ",(")
		if end < 0 {
			end = len(text)
		}
		name, rest := strings.TrimSpace(text[:end]), text[end:]
		var only []string
		if strings.HasPrefix(rest, "(") {
			inside, after, ok := strings.Cut(rest[1:], ")")
			if !ok {
				t.Fatalf("layout: no closing parenthesis after %s", name)
			}
			only, rest = strings.Split(strings.ReplaceAll(inside, " ", ""), ","), after
		}
		text = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(rest), ","))
		for _, room := range expandRoom(t, name, above) {
			refs = append(refs, roomRef{name: room, only: only})
		}
	}
	return refs
}

func expandRoom(t *testing.T, name string, above []string) []string {
	t.Helper()
	switch name {
	case "NONE":
		return nil
	case "every room above":
		return above
	case "every room", "every room of core":
		var all []string
		for room, dir := range rooms {
			if name == "every room" || strings.HasPrefix(dir, "core/") {
				all = append(all, room)
			}
		}
		slices.Sort(all)
		return all
	}
	if rooms[name] == "" {
		t.Fatalf("layout: no room is named %q", name)
	}
	return []string{name}
}

func roomsIn(edges map[string]map[string][]string) []string {
	var all []string
	for upper, lowers := range edges {
		all = append(all, upper)
		for lower := range lowers {
			all = append(all, lower)
		}
	}
	slices.Sort(all)
	// A tool and a test suite happen to stand low; they are not rooms to build on.
	isTool := func(room string) bool { return room == "detlint" || room == "envtest" || room == "house" }
	return slices.DeleteFunc(slices.Compact(all), isTool)
}

// closeOver makes the order transitive. A restriction holds along the way: who reaches env
// only through a machine may use no more of it than the machine.
func closeOver(edges map[string]map[string][]string) {
	for changed := true; changed; {
		changed = false
		for upper, lowers := range edges {
			for middle, via := range lowers {
				if via != nil {
					continue // a restricted edge opens nothing below it
				}
				for lower, only := range edges[middle] {
					have, known := edges[upper][lower]
					if lower == upper || known && (have == nil || only != nil) {
						continue
					}
					edges[upper][lower] = only
					changed = true
				}
			}
		}
	}
}

// roomOf is the room of a folder, "" if it has none.
func roomOf(dir string) string {
	best := ""
	for room, folder := range rooms {
		if (dir == folder || strings.HasPrefix(dir, folder+"/")) && len(folder) > len(rooms[best]) {
			best = room
		}
	}
	return best
}

// check returns a sentence per import that breaks the order.
func (l *layout) check(f *goFile) []string {
	room := roomOf(path.Dir(f.path))
	isTest := strings.HasSuffix(f.path, "_test.go")
	var bad []string
	for _, spec := range f.ast.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		why := ""
		switch {
		case imported == modulePath || strings.HasPrefix(imported, modulePath+"/"):
			why = l.checkOwn(f, spec, room, isTest)
		case strings.Contains(strings.SplitN(imported, "/", 2)[0], "."):
			why = checkThirdParty(imported, room, isTest)
		case strings.HasPrefix(f.path, "core/") && !isTest:
			if rule, ok := absentFromCore[imported]; ok && rule.except != room {
				why = "is absent from core: " + rule.why
			}
		}
		if why != "" {
			bad = append(bad, fmt.Sprintf("%s: import %q %s", f.position(spec.Pos()), imported, why))
		}
	}
	return bad
}

func (l *layout) checkOwn(f *goFile, spec *ast.ImportSpec, room string, isTest bool) string {
	imported, _ := strconv.Unquote(spec.Path.Value)
	target := roomOf(path.Join(".", strings.TrimPrefix(imported, modulePath)))
	if target == room && target != "" {
		return ""
	}
	only, ok := l.allowed[room][target]
	if isTest {
		if _, more := l.inTests[room][target]; more || ok {
			return ""
		}
	}
	if !ok {
		return fmt.Sprintf("is against the order of rooms: %q may not import %q. Move what you need below "+
			"both, or let the reader declare a small interface; the order heads layout_test.go", room, target)
	}
	if only == nil {
		return ""
	}
	for ident, pos := range selectorsOf(f, spec) {
		if !slices.Contains(only, ident) {
			return fmt.Sprintf("may be used in %q for %s only, and %s uses %s. A machine gets the time as an "+
				"argument and returns effects; the loop carries them out",
				room, strings.Join(only, ", "), f.position(pos), ident)
		}
	}
	return ""
}

func checkThirdParty(imported, room string, isTest bool) string {
	owners := map[string]bool{}
	match := func(list []module) bool {
		longest := "" // the longest module path that holds the package
		for _, d := range list {
			if (imported == d.path || strings.HasPrefix(imported, d.path+"/")) && len(d.path) > len(longest) {
				longest = d.path
			}
		}
		for _, d := range list {
			if d.path != longest || longest == "" {
				continue
			}
			if d.rooms == "every room" || roomNamed(d.rooms, room) {
				return true
			}
			owners[d.rooms] = true
		}
		return false
	}
	if match(thirdParty) || isTest && match(testThirdParty) {
		return ""
	}
	if len(owners) == 0 {
		return "is a module nobody chose yet. Add it to thirdParty in layout_test.go with the rooms that may " +
			"use it and the reason"
	}
	return fmt.Sprintf("belongs to other rooms (%s), not to %q; see thirdParty in layout_test.go",
		strings.Join(sortedKeys(owners), "; "), room)
}

func roomNamed(list, room string) bool {
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if name == room || name == "every room of core" && strings.HasPrefix(rooms[room], "core/") {
			return true
		}
	}
	return false
}

// TestLayoutNamesEachRoomOnce keeps the three tables of this file in step.
func TestLayoutNamesEachRoomOnce(t *testing.T) {
	folders := map[string]string{}
	for _, room := range sortedKeys(rooms) {
		if other := folders[rooms[room]]; other != "" {
			t.Errorf("%s and %s share the folder %s", room, other, rooms[room])
		}
		folders[rooms[room]] = room
		if !strings.Contains(importOrder, room) {
			t.Errorf("room %s has no place in the import order", room)
		}
	}
	for _, d := range thirdParty {
		for name := range strings.SplitSeq(d.rooms, ",") {
			if name = strings.TrimSpace(name); rooms[name] == "" && name != "every room of core" {
				t.Errorf("%s: no room is named %q", d.path, name)
			}
		}
	}
}
