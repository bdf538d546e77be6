package workload

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/checker"
	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/sim"
	"github.com/tidemark-log/tidemark/sim/simnet"
)

var mix = Config{
	Bootstrap: []string{"toy:1"},
	Topics:    []Topic{{Name: "orders", Partitions: 2, Configs: map[string]string{"a": "b"}}},
	Producers: []Producer{
		{Topic: "orders", Acks: -1, Idempotent: true, InFlight: 5, Rate: 20, Jitter: time.Second},
		{Topic: "orders", Acks: 1, Rate: 5, Retries: 2},
		{Topic: "orders", Acks: 0, Rate: 5, Codec: record.CodecLZ4},
	},
	Readers: []Reader{{Topic: "orders"}, {Topic: "orders", Kind: Reread, Pause: time.Second}},
	Listers: []Lister{{Topic: "orders"}},
	Churn:   []Churn{{Topic: "events"}},
}

// run lets the clients use a toy broker that is killed a few times, and judges what they saw.
func run(t testing.TB, seed uint64, l lie) (*checker.Verdict, *history.History, uint64) {
	// A slow network, so that kills find requests on the way.
	w := sim.NewWorld(sim.Config{Seed: seed, Net: simnet.Config{DelayMin: 5 * time.Millisecond,
		DelayMax: 10 * time.Millisecond}})
	rec := history.NewRecorder("toy", seed, func() int64 { return int64(w.Now()) })
	load, err := New(mix, rec)
	require.NoError(t, err)
	store := &toyStore{topics: map[string]*toyTopic{}, lie: l}
	broker := w.AddHost(sim.HostConfig{Name: "toy", ID: 1, Boot: newToy(store),
		Listen: []sim.Listener{{Class: env.ClassClient, Name: "PLAINTEXT", Addr: "toy:1"}}})
	clients := w.AddHost(sim.HostConfig{Name: "clients", ID: -1, Boot: load.Boot})
	broker.Start(0)
	clients.Start(0)
	for i := range 4 {
		w.At(env.Instant(time.Duration(2+3*i)*time.Second), "kill",
			func() { broker.Restart(200 * time.Millisecond) })
	}
	require.NoError(t, w.Run(env.Instant(14*time.Second)))
	clients.Do(load.Stop)
	idle, err := w.RunUntil(w.Now().Add(30*time.Second), load.Idle)
	require.NoError(t, err)
	require.True(t, idle, "%v", load.Waiting())
	load.Close()
	h := rec.Finish()
	final := &history.Final{}
	for name, topic := range store.topics {
		for i, log := range topic.logs {
			f := history.FinalPartition{Topic: name, TopicID: topic.id.String(), Partition: int32(i), End: log.next}
			for _, b := range log.batches {
				f.Records = NewDecoder().Append(f.Records, b, Place(f.Key()), 0)
			}
			final.Partitions = append(final.Partitions, f)
		}
	}
	return checker.Check(h, checker.Options{Final: final, Fresh: true, Healed: true}), h, w.Hash()
}

func TestClientsOfAnHonestBrokerFindNothingWrong(t *testing.T) {
	repeats := 0 // of batches that were known to be in the log: not in every run
	for seed := range uint64(10) {
		v, h, hash := run(t, seed, honest)
		repeats += v.Counter("H29")
		require.Equal(t, checker.Holds, v.Outcome, "%s", v.Render(h))
		for _, c := range v.Counters {
			if c.Check != "H5" && c.Check != "H29" {
				require.Positive(t, c.N, "%s was never tested", c.Check)
			}
		}
		if seed == 0 {
			_, again, hashAgain := run(t, seed, honest)
			require.Equal(t, hash, hashAgain)
			require.Equal(t, h, again)
		}
	}
	require.Positive(t, repeats)
}

func TestClientsCatchABrokerThatLies(t *testing.T) {
	for l, want := range map[lie]string{losesTail: "H1", forgetsProducers: "H3", servesTwice: "H10"} {
		caught := map[string]int{}
		for seed := range uint64(10) {
			v, _, _ := run(t, seed, l)
			for _, a := range v.Anomalies {
				caught[a.Check]++
			}
		}
		require.Positive(t, caught[want], "lie %d: %v", l, caught)
	}
}

// Records are read back only if every byte is as it was written, for the place it was sent to.
func TestAlteredRecordsAreAliens(t *testing.T) {
	place, other := placeHash(history.Key{Topic: "a"}), placeHash(history.Key{Topic: "a", Partition: 1})
	v := history.NewValue(3, 77)
	build := func(change func(key, value []byte, headers []record.Header)) record.Batch {
		key, value, headers := new(writer).payload(v, place, 40)
		change(key, value, headers)
		b := record.NewBuilder(record.Options{})
		b.Append(5, key, value, headers)
		return b.Build()
	}
	read := func(b record.Batch, place uint32) history.Value {
		return NewDecoder().Append(nil, b, place, 0)[0].Value
	}
	sound := build(func(_, _ []byte, _ []record.Header) {})
	require.Equal(t, v, read(sound, place))
	require.Zero(t, read(sound, other), "sent to another partition")
	require.Zero(t, read(build(func(key, _ []byte, _ []record.Header) { key[3]++ }), place))
	require.Zero(t, read(build(func(_, _ []byte, h []record.Header) { h[0].Value[7]++ }), place))
	for i := range 40 {
		require.Zero(t, read(build(func(_, value []byte, _ []record.Header) { value[i]++ }), place), "byte %d", i)
	}
	sound[len(sound)-1]++
	require.Zero(t, read(sound, place), "checksum")
}

func TestImpossibleMixesAreRefused(t *testing.T) {
	for want, c := range map[string]Config{
		"no address": {},
		"want one each": {Bootstrap: []string{"a"}, Topics: []Topic{{Name: "t", Partitions: 1}, {Name: "t",
			Partitions: 1}}},
		"not among":        {Bootstrap: []string{"a"}, Listers: []Lister{{Topic: "t"}}},
		"keep their order": {Bootstrap: []string{"a"}, Producers: []Producer{{InFlight: 6}}},
		"name of its own":  {Bootstrap: []string{"a"}, Churn: []Churn{{}}},
	} {
		require.ErrorContains(t, c.Validate(), want)
	}
	require.Equal(t, history.Info, topicResult(kafka.RequestTimedOut))
}

func BenchmarkRun(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		run(b, 1, honest)
	}
}

// Every byte of a record is known to its reader: any that is altered makes it no record of ours.
func TestAlteredRecordsAreNoneOfOurs(t *testing.T) {
	w := new(writer)
	v := history.NewValue(7, 42)
	for size := payloadMin; size < payloadMin+40; size++ {
		key, value, headers := w.payload(v, 99, size)
		require.Len(t, value, size)
		read := func() history.Value {
			return readPayload(&record.Record{Key: key, Value: value, Headers: headers}, 99)
		}
		require.Equal(t, v, read())
		for i := range value {
			value[i] ^= 1
			require.Zero(t, read(), "byte %d of %d", i, size)
			value[i] ^= 1
		}
	}
}
