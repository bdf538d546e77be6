package compat

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/e2e/clients"
	"github.com/tidemark-log/tidemark/e2e/stage"
)

func TestMain(m *testing.M) { stage.Main(m) }

// partitions of every topic here.
const partitions = 3

// epoch is the timestamp of the first record; each later one is a second younger.
const epoch = 1_700_000_000_000

// shape says which records a case writes.
type shape struct {
	count         int
	keyed         bool
	chosen        bool // the test chooses the partition, else the client
	noNullHeaders bool
	noBareRecords bool
	seed          uint64
}

// records makes records of every kind that a client may meet: with and without key, value
// and headers, empty ones, repeated and absent headers, small and of some kilobytes.
func (s shape) records() []clients.Record {
	source := rand.New(rand.NewPCG(s.seed, 1))
	records := make([]clients.Record, s.count)
	for i := range records {
		r := &records[i]
		r.Partition, r.Timestamp = -1, epoch+int64(i)*1000
		if s.chosen {
			r.Partition = int32(i % partitions)
		}
		if s.keyed && i%7 != 0 {
			r.Key = fmt.Appendf(nil, "key-%d", i%50)
		}
		switch {
		case i%11 == 3 && (r.Key != nil || !s.noBareRecords):
			// a null value
		case i%13 == 4:
			r.Value = []byte{}
		default:
			r.Value = halfRandom(source, source.IntN(3000))
		}
		if i%3 == 0 {
			r.Headers = []clients.Header{{Key: "n", Value: []byte{byte(i), 0, 255}},
				{Key: "n", Value: []byte("again")}}
		}
		if i%12 == 0 && !s.noNullHeaders {
			r.Headers = append(r.Headers, clients.Header{Key: "absent"})
		}
	}
	return records
}

// halfRandom can be compressed, but not to nothing.
func halfRandom(source *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := 0; i < n; i += 2 {
		b[i] = byte(source.Uint32())
	}
	return b
}

// looseness is what a client does not promise.
type looseness int

const anyOrder looseness = iota

// requireSame compares what was written with what was read, field by field: in the order
// of writing within a partition, and whole.
func requireSame(t *testing.T, wrote, read []clients.Record, loose ...looseness) {
	t.Helper()
	require.Len(t, read, len(wrote))
	byPartition := map[int32][]clients.Record{}
	for _, r := range read {
		byPartition[r.Partition] = append(byPartition[r.Partition], r)
	}
	for p, records := range byPartition {
		slices.SortStableFunc(records, func(a, b clients.Record) int { return int(a.Offset - b.Offset) })
		for i, r := range records {
			require.Equal(t, int64(i), r.Offset, "partition %d", p)
		}
	}
	// The timestamp tells the records apart, so it finds the one that was written.
	where := map[int64]clients.Record{}
	for _, r := range read {
		where[r.Timestamp] = r
	}
	last, homes := map[int32]int64{}, map[string]int32{}
	for i, w := range wrote {
		r, ok := where[w.Timestamp]
		require.True(t, ok, "record %d, of %d, is not there", i, w.Timestamp)
		requireSameRecord(t, i, w, r)
		if before, ok := last[r.Partition]; ok && !slices.Contains(loose, anyOrder) {
			require.Less(t, before, r.Offset, "record %d overtook", i)
		}
		last[r.Partition] = r.Offset
		if w.Partition < 0 && w.Key != nil {
			home, ok := homes[string(w.Key)]
			require.True(t, !ok || home == r.Partition, "key %s is in two partitions", w.Key)
			homes[string(w.Key)] = r.Partition
		}
	}
}

func requireSameRecord(t *testing.T, i int, w, r clients.Record) {
	t.Helper()
	if w.Partition >= 0 {
		require.Equal(t, w.Partition, r.Partition, "partition of record %d", i)
	}
	require.True(t, sameBytes(w.Key, r.Key), "key of record %d: %q, was %q", i, r.Key, w.Key)
	require.True(t, sameBytes(w.Value, r.Value), "value of record %d: %.40q, was %.40q", i, r.Value, w.Value)
	require.Len(t, r.Headers, len(w.Headers), "headers of record %d", i)
	for j, h := range w.Headers {
		require.Equal(t, h.Key, r.Headers[j].Key, "header %d of record %d", j, i)
		require.True(t, sameBytes(h.Value, r.Headers[j].Value), "header %d of record %d", j, i)
	}
}

// withoutEmpty makes what is empty absent.
func withoutEmpty(records []clients.Record) []clients.Record {
	records = slices.Clone(records)
	drop := func(b []byte) []byte {
		if len(b) == 0 {
			return nil
		}
		return b
	}
	for i := range records {
		r := &records[i]
		r.Key, r.Value, r.Headers = drop(r.Key), drop(r.Value), slices.Clone(r.Headers)
		for j := range r.Headers {
			r.Headers[j].Value = drop(r.Headers[j].Value)
		}
	}
	return records
}

// sameBytes takes nothing and an absent thing for two things.
func sameBytes(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// written puts records where a client finds them.
func written(t *testing.T, records []clients.Record) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "records")
	require.NoError(t, clients.WriteRecords(path, records))
	return path
}
