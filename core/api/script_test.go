package api_test

import (
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/api"
	"github.com/tidemark-log/tidemark/core/broker"
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// TestProtocolStories runs testdata/*.txt: what clients ask, and what they are told.
//
//	boot [key=value]…         start the broker, with server keys
//	create t [n] [key=value]  create a topic of n partitions, with configs
//	ask Name [v=] [on=conn]   send a request (its fields below) and print what came back
//	produce t-p [acks=] …     send a Produce of one batch (its fields below)
//	fetch t-p [offset=] …     send a Fetch of one partition
//	advance 500ms             let time pass
//	disk hold|go              hold back what the disk answers, or let it go
//	disk fail [under]         let every write and sync fail from now on, or those under a path
//	disk small                an empty disk with 16 MiB for each directory, 2 of them in reserve
//	disk fill | room          somebody else takes every byte of /d that is free, or gives it back
//	dirs /d /e                the log directories of the next boot
//	mv from to | ls path      what an operator does to the disk while the broker is down
//	recoveries                print what the boot set aside
//	static [key=value]…       the file was read again, and says this now
//	stats                     print what the broker counts for those who watch it
//	close conn | hex conn     the client closes, or sends the bytes below as a frame
//	kill | power-loss | stop  end the process; boot starts it again
//
// ask, produce and fetch print the replies that came by the time the disk has nothing to do.
func TestProtocolStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			s := &script{bench: newBench(t)}
			datadriven.RunTest(t, file, s.run)
			s.checkBuffers()
		})
	}
}

type script struct {
	*bench
}

func (s *script) run(t *testing.T, d *datadriven.TestData) string {
	s.t = t
	out := s.verb(d)
	for _, name := range slices.Sorted(maps.Keys(s.conns)) {
		c := s.conns[name]
		out += strings.Join(c.arrived, "")
		c.arrived = nil
		if c.closed {
			delete(s.conns, name)
		}
	}
	return out
}

func (s *script) verb(d *datadriven.TestData) string {
	switch d.Cmd {
	case "boot":
		return s.bootVerb(d)
	case "create":
		return s.create(d)
	case "ask":
		return s.ask(d)
	case "produce":
		return s.produce(d)
	case "fetch":
		return s.fetch(d)
	case "advance":
		span, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			return err.Error()
		}
		s.advance(span)
		return ""
	case "disk":
		return s.diskVerb(d)
	case "mv", "ls":
		return s.operate(d)
	case "recoveries":
		var out strings.Builder
		for _, r := range s.broker.Recoveries() {
			fmt.Fprintf(&out, "%s logs=%d clean=%v damages=%d\n", r.Path, r.Logs, r.Clean, r.DamageCount)
			for _, stray := range r.Strays {
				fmt.Fprintf(&out, "  %s -> %s\n", stray.From, stray.To)
			}
		}
		return out.String()
	case "static":
		return s.reread(d)
	case "stats":
		return statsShown(s.broker.Stats(2))
	case "dirs":
		s.dirs = nil
		for _, arg := range d.CmdArgs {
			s.dirs = append(s.dirs, arg.Key)
		}
		return ""
	case "close":
		c := s.conn(d.CmdArgs[0].Key)
		delete(s.conns, c.name)
		s.broker.ConnClosed(c.id, nil)
		s.broker.Drained()
		s.settle()
		return ""
	case "hex":
		frame, err := hex.DecodeString(strings.Join(strings.Fields(d.Input), ""))
		if err != nil {
			return err.Error()
		}
		s.sendFrame(s.conn(d.CmdArgs[0].Key), frame)
		s.settle()
		return ""
	case "kill", "power-loss":
		s.kill(d.Cmd == "power-loss")
		return ""
	case "stop":
		if err := s.broker.Stop(); err != nil {
			return err.Error() + "\n"
		}
		s.checkBuffers()
		s.kill(false)
		return ""
	}
	return "no such verb\n"
}

// checkBuffers tells leaks: a stopped or idle broker holds what its caches hold, and after a
// stop nothing.
func (s *script) checkBuffers() {
	if s.broker != nil && s.buffers < 0 {
		s.t.Errorf("%d buffers too many were released", -s.buffers)
	}
}

func (s *script) bootVerb(d *datadriven.TestData) string {
	s.failed = nil
	for _, arg := range d.CmdArgs {
		s.static[arg.Key] = strings.Join(arg.Vals, ",")
	}
	if err := s.boot(); err != nil {
		return err.Error() + "\n"
	}
	return ""
}

// reread is what follows a SIGHUP.
func (s *script) reread(d *datadriven.TestData) string {
	static := map[string]string{}
	for _, arg := range d.CmdArgs {
		static[arg.Key] = strings.Join(arg.Vals, ",")
	}
	if err := s.broker.SetStatic(static); err != nil {
		return err.Error() + "\n"
	}
	s.settle()
	return ""
}

// statsShown leaves out what the simulated disk and clock decide.
func statsShown(s *broker.Stats) string {
	var out strings.Builder
	fmt.Fprintf(&out, "ready=%v conns=%d sessions=%d/%d\n", s.Ready, s.Conns, s.FetchSessions,
		s.FetchSessionPartitions)
	for _, a := range api.Table() {
		if n := s.API.Requests[a.Key]; n > 0 {
			fmt.Fprintf(&out, "%s requests=%d errors=%d timed=%d\n", a.Name, n, s.API.Errors[a.Key],
				s.API.Took[a.Key].Count())
		}
	}
	for _, d := range s.Dirs {
		fmt.Fprintf(&out, "%s offline=%v logs=%d segments=%d bytes=%d cached=%v reads=%d+%d journaled=%v\n", d.Path,
			d.Err != nil, d.Logs, d.Segments, d.Bytes, d.CachedBytes > 0, d.ReadsCached, d.ReadsDisk,
			d.Journal.Groups > 0 && d.Journal.Took.Count() == uint64(d.Journal.Groups))
	}
	fmt.Fprintf(&out, "topics=%d partitions=%d led=%d offline=%d\n", s.Topics, s.Partitions, s.PartitionsLed,
		s.PartitionsOffline)
	for _, t := range s.PerTopic {
		fmt.Fprintf(&out, "%s partitions=%d bytes=%d in=%d/%d out=%d\n", t.Name, t.Partitions, t.Bytes,
			t.ProducedRecords, t.ProducedBytes, t.FetchedBytes)
	}
	return out.String()
}

func (s *script) diskVerb(d *datadriven.TestData) string {
	switch d.CmdArgs[0].Key {
	case "hold":
		s.hold = true
	case "go":
		s.release()
	case "small":
		s.reserve = 2 << 20
		s.newDisk(16 << 20)
	case "fill", "room":
		return s.other(d.CmdArgs[0].Key == "fill")
	case "fail":
		if len(d.CmdArgs) > 1 {
			s.failUnder = d.CmdArgs[1].Key
		} else {
			s.failed = env.ErrIO
		}
	}
	return ""
}

// other is somebody else on the volume.
func (s *script) other(fill bool) string {
	view := s.view
	var err error
	if fill {
		err = view.Reserve("/d/other", view.Free("/d"))
	} else {
		err = view.Remove("/d/other")
	}
	if err != nil {
		return err.Error() + "\n"
	}
	return fmt.Sprintf("free=%d\n", view.Free("/d"))
}

// operate looks at the disk, or moves something there.
func (s *script) operate(d *datadriven.TestData) string {
	view := s.view
	if d.Cmd == "mv" {
		view = s.disk.Mount(func(env.Completion) {})
		if err := view.Rename(d.CmdArgs[0].Key, d.CmdArgs[1].Key); err != nil {
			return err.Error() + "\n"
		}
		return ""
	}
	entries, err := view.List(d.CmdArgs[0].Key)
	if err != nil {
		return err.Error() + "\n"
	}
	var out strings.Builder
	for _, e := range entries {
		if !strings.HasPrefix(e.Name, "journal") {
			fmt.Fprintf(&out, "%s %d\n", e.Name, e.Size)
		}
	}
	return out.String()
}

// create makes a topic on a connection of its own and notes its id.
func (s *script) create(d *datadriven.TestData) string {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Version, req.TimeoutMillis = 7, 1000
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = d.CmdArgs[0].Key, 1, 1
	for _, arg := range d.CmdArgs[1:] {
		if n, err := strconv.Atoi(arg.Key); err == nil {
			topic.NumPartitions = int32(n)
			continue
		}
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		value := strings.Join(arg.Vals, ",")
		c.Name, c.Value = arg.Key, &value
		topic.Configs = append(topic.Configs, c)
	}
	req.Topics = append(req.Topics, topic)
	resp := s.bench.ask(req).(*kmsg.CreateTopicsResponse).Topics[0]
	s.conn("ask").arrived = nil
	if resp.ErrorCode != 0 {
		return fmt.Sprintf("%v %s\n", kafka.ErrorCode(resp.ErrorCode), *resp.ErrorMessage)
	}
	s.ids[topic.Topic] = resp.TopicID
	return ""
}

func (s *script) ask(d *datadriven.TestData) string {
	req := requestNamed(d.CmdArgs[0].Key)
	if req == nil {
		return "no such request\n"
	}
	v, err := parseFlow("{" + d.Input + "}")
	if err != nil {
		return err.Error() + "\n"
	}
	version := int(req.MaxVersion())
	d.MaybeScanArgs(s.tt(), "v", &version)
	if d, ok := req.(interface{ Default() }); ok {
		d.Default()
	}
	s.fill(reflect.ValueOf(req).Elem(), v)
	req.SetVersion(int16(version))
	return s.issue(d, req)
}

func (s *script) tt() *testing.T { return s.t.(*testing.T) }

func (s *script) issue(d *datadriven.TestData, req kmsg.Request) string {
	on := "a"
	d.MaybeScanArgs(s.tt(), "on", &on)
	s.send(s.conn(on), req)
	s.settle()
	return ""
}

func requestNamed(name string) kmsg.Request {
	for key := int16(0); key < 100; key++ {
		if r := kmsg.RequestForKey(key); r != nil && strings.EqualFold(kmsg.NameForKey(key), name) {
			return r
		}
	}
	return nil
}

func (s *script) produce(d *datadriven.TestData) string {
	tp, err := kafka.ParseTopicPartition(d.CmdArgs[0].Key)
	if err != nil {
		return err.Error() + "\n"
	}
	v, err := parseFlow("{" + d.Input + "}")
	if err != nil {
		return err.Error() + "\n"
	}
	version, acks, timeout := 12, -1, 30000
	d.MaybeScanArgs(s.tt(), "v", &version)
	d.MaybeScanArgs(s.tt(), "acks", &acks)
	d.MaybeScanArgs(s.tt(), "timeout", &timeout)
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = int16(version), int16(acks), int32(timeout)
	if d.HasArg("txn") {
		id := "txn"
		req.TransactionID = &id
	}
	p := kmsg.ProduceRequestTopicPartition{Partition: tp.Partition}
	p.Records = makeBatch(v.(map[string]any), s.now())
	req.Topics = []kmsg.ProduceRequestTopic{{
		Topic: tp.Topic, TopicID: s.topicID(tp.Topic), Partitions: []kmsg.ProduceRequestTopicPartition{p},
	}}
	return s.issue(d, req)
}

func (s *script) fetch(d *datadriven.TestData) string {
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MaxBytes, req.SessionEpoch = 12, 1<<20, -1
	version, wait, minBytes, maxBytes := 12, 0, 1, 1<<20
	d.MaybeScanArgs(s.tt(), "v", &version)
	d.MaybeScanArgs(s.tt(), "wait", &wait)
	d.MaybeScanArgs(s.tt(), "min", &minBytes)
	d.MaybeScanArgs(s.tt(), "max", &maxBytes)
	req.Version, req.MaxWaitMillis = int16(version), int32(wait)
	req.MinBytes, req.MaxBytes = int32(minBytes), int32(maxBytes)
	if d.HasArg("committed") {
		req.IsolationLevel = 1
	}
	for _, arg := range d.CmdArgs {
		tp, err := kafka.ParseTopicPartition(arg.Key)
		if err != nil || len(arg.Vals) != 0 {
			continue
		}
		p := kmsg.NewFetchRequestTopicPartition()
		offset, epoch, last, most := 0, -1, -1, 1<<20
		d.MaybeScanArgs(s.tt(), "offset", &offset)
		d.MaybeScanArgs(s.tt(), "epoch", &epoch)
		d.MaybeScanArgs(s.tt(), "last-epoch", &last)
		d.MaybeScanArgs(s.tt(), "part-max", &most)
		p.Partition, p.FetchOffset, p.CurrentLeaderEpoch = tp.Partition, int64(offset), int32(epoch)
		p.LastFetchedEpoch, p.PartitionMaxBytes = int32(last), int32(most)
		req.Topics = append(req.Topics, kmsg.FetchRequestTopic{
			Topic: tp.Topic, TopicID: s.topicID(tp.Topic), Partitions: []kmsg.FetchRequestTopicPartition{p},
		})
	}
	return s.issue(d, req)
}
