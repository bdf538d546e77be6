package compat

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/e2e/clients"
	"github.com/tidemark-log/tidemark/e2e/stage"
)

// guest is a client at a broker.
type guest struct {
	clients.Client
	about clients.Answer
}

// invite starts a client, or skips the test if it cannot be had here.
func invite(t *testing.T, kind clients.Kind, bootstrap string) *guest {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "client.log"))
	require.NoError(t, err)
	t.Cleanup(func() {
		if text, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("what %s said:\n%s", kind.Name, text[max(0, len(text)-8<<10):])
		}
		_ = log.Close()
	})
	client, err := kind.Start(t.Context(), bootstrap, log)
	var missing *clients.Missing
	if errors.As(err, &missing) {
		stage.Skip(t, missing.What)
	}
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() }) // its end is not the broker's matter
	g := &guest{Client: client}
	g.about = g.ask(t, clients.Question{Do: "about"})
	stage.Met(g.about.Client, g.about.Version)
	return g
}

// ask wants an answer without complaint.
func (g *guest) ask(t *testing.T, q clients.Question) clients.Answer {
	t.Helper()
	a, err := g.Ask(t.Context(), q)
	require.NoError(t, err)
	require.Empty(t, a.Error, "%s of %s", q.Do, q.Topic)
	return a
}

// read consumes a topic whole.
func (g *guest) read(t *testing.T, topic string) []clients.Record {
	t.Helper()
	path := filepath.Join(t.TempDir(), "read")
	g.ask(t, clients.Question{Do: "consume", Topic: topic, Partitions: partitions, File: path})
	records, err := clients.ReadRecords(path)
	require.NoError(t, err)
	return records
}

// requireReads compares as far as the client can tell what is empty from what is absent.
func (g *guest) requireReads(t *testing.T, topic string, wrote []clients.Record, opts ...looseness) {
	t.Helper()
	read := g.read(t, topic)
	if g.about.EmptyIsNull {
		wrote, read = withoutEmpty(wrote), withoutEmpty(read)
	}
	requireSame(t, wrote, read, opts...)
}

// visit is a broker with one client and the reference client.
type visit struct {
	*guest
	reference *guest
	addr      string
}

// everyClient runs a test for each client, each with a broker of its own.
func everyClient(t *testing.T, test func(t *testing.T, v visit)) {
	kinds := clients.All("../clients")
	for _, kind := range kinds {
		t.Run(kind.Name, func(t *testing.T) {
			broker := stage.Broker(t, "log.segment.bytes=1048576", "auto.create.topics.enable=false")
			v := visit{invite(t, kind, broker.Addr()), invite(t, kinds[0], broker.Addr()), broker.Addr()}
			test(t, v)
		})
	}
}

func (v visit) create(t *testing.T, topic string, configs map[string]string) {
	t.Helper()
	v.reference.ask(t, clients.Question{Do: "create", Topic: topic, Partitions: partitions, Configs: configs})
}

// way is how a topic is written.
type way struct {
	name              string
	acks              int
	idempotent        bool
	keyed, testChoose bool
}

var ways = []way{
	{"idempotent-keyed", -1, true, true, true},
	{"all-unkeyed", -1, false, false, false},
	{"one-keyed", 1, false, true, false},
	{"none-unkeyed", 0, false, false, true},
}

// What a client writes it reads back, and so does another: with each of its codecs, with
// and without keys and idempotence, under every acks.
func TestClientsReadWhatTheyWrote(t *testing.T) {
	everyClient(t, func(t *testing.T, v visit) {
		for _, codec := range v.about.Codecs {
			for i, w := range ways {
				if w.idempotent && !v.about.Idempotence {
					continue
				}
				t.Run(codec+"-"+w.name, func(t *testing.T) {
					s := shape{count: 600, keyed: w.keyed, chosen: w.testChoose, seed: uint64(i),
						noNullHeaders: v.about.NoNullHeaders, noBareRecords: v.about.NoBareRecords}
					v.writeAndRead(t, codec, w, s)
				})
			}
		}
	})
}

func (v visit) writeAndRead(t *testing.T, codec string, w way, s shape) {
	topic := codec + "-" + w.name
	v.create(t, topic, nil)
	records := s.records()
	a := v.ask(t, clients.Question{Do: "produce", Topic: topic, Codec: codec, Acks: w.acks,
		Idempotent: w.idempotent, File: written(t, records)})
	require.Empty(t, a.Errors)
	require.Equal(t, len(records), a.Acked)
	v.awaitEnd(t, topic, len(records))
	var loose []looseness
	if w.acks == 0 && v.about.Overtakes {
		loose = append(loose, anyOrder)
	}
	v.requireReads(t, topic, records, loose...)
	v.reference.requireReads(t, topic, records, loose...)
}

// awaitEnd waits until so many records are there: without acknowledgements a client is
// through before the broker is.
func (v visit) awaitEnd(t *testing.T, topic string, want int) {
	t.Helper()
	require.Eventually(t, func() bool {
		sum := 0
		for p := range int32(partitions) {
			q := clients.Question{Do: "offset", Topic: topic, Partition: p, At: "latest"}
			sum += int(v.reference.ask(t, q).Offset)
		}
		return sum == want
	}, 20*time.Second, 20*time.Millisecond)
}

// A client reads what another one wrote, in each codec that it knows.
func TestClientsReadWhatOthersWrote(t *testing.T) {
	everyClient(t, func(t *testing.T, v visit) {
		for _, codec := range v.about.Codecs {
			topic := "others-" + codec
			v.create(t, topic, nil)
			records := shape{count: 2000, keyed: true, chosen: true, seed: 9}.records()
			v.reference.ask(t, clients.Question{Do: "produce", Topic: topic, Codec: codec, Acks: -1,
				Idempotent: true, File: written(t, records)})
			v.requireReads(t, topic, records)
		}
	})
}

// Records just below max.message.bytes pass; larger ones are refused in words that a user
// understands, and leave nothing behind.
func TestClientsLearnWhichRecordsAreTooLarge(t *testing.T) {
	everyClient(t, func(t *testing.T, v visit) {
		v.create(t, "large", nil)
		fits := largeRecords(1<<20-300, 6) // of the 1 MiB and 12 bytes that a batch may have
		ok := v.ask(t, clients.Question{Do: "produce", Topic: "large", Codec: "none", Acks: -1,
			File: written(t, fits)})
		require.Empty(t, ok.Errors)
		v.requireReads(t, "large", fits)

		v.create(t, "small", map[string]string{"max.message.bytes": "50000"})
		path := written(t, largeRecords(60_000, 1))
		a, err := v.Ask(t.Context(), clients.Question{Do: "produce", Topic: "small", Codec: "none", Acks: -1,
			File: path})
		require.NoError(t, err)
		said := strings.Join(append(slices.Collect(maps.Keys(a.Errors)), a.Error), " ")
		require.Contains(t, strings.ToLower(said), "large")
		require.Zero(t, a.Acked)
		require.Empty(t, v.read(t, "small"))
	})
}

func largeRecords(size, count int) []clients.Record {
	records := shape{count: count, chosen: true}.records()
	for i := range records {
		records[i].Value, records[i].Headers = make([]byte, size), nil
		records[i].Value[0] = byte(i)
	}
	return records
}

// Offsets are found by time and at either end.
func TestClientsFindOffsets(t *testing.T) {
	everyClient(t, func(t *testing.T, v visit) {
		v.create(t, "times", nil)
		records := shape{count: 300, chosen: true}.records()
		v.reference.ask(t, clients.Question{Do: "produce", Topic: "times", Codec: "zstd", Acks: -1,
			File: written(t, records)})
		// Record 3i is the i-th of partition 0, and a second lies between two records.
		for at, want := range map[string]int64{
			"earliest": 0, "latest": 100, "max-timestamp": 99,
			strconv.Itoa(epoch + 30_000): 10, strconv.Itoa(epoch + 30_001): 11, strconv.Itoa(1): 0,
		} {
			a := v.ask(t, clients.Question{Do: "offset", Topic: "times", At: at})
			if !a.Unsupported {
				require.Equal(t, want, a.Offset, at)
			}
		}
	})
}

// A client creates, describes, configures, extends and deletes a topic.
func TestClientsAdminister(t *testing.T) {
	everyClient(t, func(t *testing.T, v visit) {
		v.ask(t, clients.Question{Do: "create", Topic: "made", Partitions: 2,
			Configs: map[string]string{"retention.ms": "1234567"}})
		require.Equal(t, 2, v.ask(t, clients.Question{Do: "describe", Topic: "made"}).Partitions)
		configs := v.ask(t, clients.Question{Do: "configs", Topic: "made"}).Configs
		require.Equal(t, "1234567", configs["retention.ms"])
		require.Equal(t, "1048576", configs["segment.bytes"], "the broker's default")

		v.ask(t, clients.Question{Do: "alter", Topic: "made", Configs: map[string]string{"segment.ms": "777777"}})
		configs = v.ask(t, clients.Question{Do: "configs", Topic: "made"}).Configs
		require.Equal(t, "777777", configs["segment.ms"])

		v.ask(t, clients.Question{Do: "grow", Topic: "made", Partitions: 5})
		require.Equal(t, 5, v.ask(t, clients.Question{Do: "describe", Topic: "made"}).Partitions)
		require.Contains(t, v.ask(t, clients.Question{Do: "list"}).Topics, "made")

		again, err := v.Ask(t.Context(), clients.Question{Do: "create", Topic: "made", Partitions: 1})
		require.NoError(t, err)
		require.NotEmpty(t, again.Error, "a topic was made twice")

		v.ask(t, clients.Question{Do: "delete", Topic: "made"})
		require.NotContains(t, v.ask(t, clients.Question{Do: "list"}).Topics, "made")
	})
}

// Records are deleted from the front of a partition on request.
func TestClientsDeleteRecords(t *testing.T) {
	everyClient(t, func(t *testing.T, v visit) {
		v.create(t, "trimmed", nil)
		v.reference.ask(t, clients.Question{Do: "produce", Topic: "trimmed", Codec: "none", Acks: -1,
			File: written(t, shape{count: 300, chosen: true}.records())})
		a := v.ask(t, clients.Question{Do: "trim", Topic: "trimmed", Partition: 1, Offset: 42})
		if !a.Unsupported {
			require.Equal(t, int64(42), a.Offset)
			require.Equal(t, int64(42), v.reference.ask(t,
				clients.Question{Do: "offset", Topic: "trimmed", Partition: 1, At: "earliest"}).Offset)
		}
	})
}
