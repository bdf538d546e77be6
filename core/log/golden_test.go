package log

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// goldenProducers: one with an open transaction and two batches, the second past the end of
// the sequences; one that has only been fenced.
func goldenProducers() *producers {
	p := &producer{epoch: 3, txnStart: 100, coordEpoch: 2}
	p.push(producerBatch{lastSeq: 1<<31 - 1, delta: 4, lastOffset: 104, ts: 1_700_000_000_000})
	p.push(producerBatch{lastSeq: 1, delta: 1, lastOffset: 106, ts: 1_700_000_000_001})
	fenced := &producer{epoch: 258, txnStart: kafka.NoOffset, coordEpoch: -1}
	return &producers{byID: map[kafka.ProducerID]*producer{4711: p, 4712: fenced}}
}

// goldenFiles are the files of a log directory as this program writes them.
func goldenFiles() map[string][]byte {
	id := kafka.TopicID{0xa1, 0xa2, 15: 0xaf}
	epochs := epochCache{entries: []epochEntry{{0, 0}, {3, 120}, {2147483647, 1 << 40}}}
	return map[string][]byte{
		"index":     offsetIndex{{0, 0}, {9, 4200}, {maxRelative, maxRelative - 1}}.appendBinary(nil),
		"timeindex": timeIndex{{0, 0}, {1_700_000_000_000, 9}, {1_700_000_000_001, maxRelative}}.appendBinary(nil),
		"snapshot":  goldenProducers().appendSnapshot(nil),
		epochFile:   epochs.appendText(nil),
		recoveryPointFile: appendOffsets(nil, []offsetCheckpoint{
			{kafka.TopicPartition{Topic: "orders", Partition: 0}, 17},
			{kafka.TopicPartition{Topic: "orders", Partition: 1}, 1 << 40},
		}),
		metadataFile: appendMetadata(nil, id),
		cleanFile:    cleanMark(41),
	}
}

// readGoldens reads testdata/files.txt: "== name", then bytes in hexadecimal with comments
// after '#', or lines of text behind '|'. The last line of a text has no newline.
func readGoldens(t *testing.T) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile("testdata/files.txt")
	require.NoError(t, err)
	files, name := map[string][]byte{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if next, ok := strings.CutPrefix(line, "== "); ok {
			name = next
			files[name] = nil
			continue
		}
		if row, ok := strings.CutPrefix(line, "|"); ok {
			if files[name] != nil {
				row = "\n" + row
			}
			files[name] = append(files[name], row...)
			continue
		}
		line, _, _ = strings.Cut(line, "#")
		b, err := hex.DecodeString(strings.Join(strings.Fields(line), ""))
		require.NoError(t, err, line)
		files[name] = append(files[name], b...)
	}
	return files
}

// Disks have these bytes, and Kafka's tools read them: never edit a fixture to make this pass.
func TestFilesAreWrittenAsTheyAlwaysWere(t *testing.T) {
	want, got := readGoldens(t), goldenFiles()
	require.Len(t, got, len(want))
	for name, b := range want {
		require.Equal(t, hex.Dump(b), hex.Dump(got[name]), name)
	}
}

func TestFilesAreReadAsTheyAlwaysWere(t *testing.T) {
	files := readGoldens(t)
	x, ok := parseIndex(files["index"], maxRelative)
	require.True(t, ok)
	require.Equal(t, offsetIndex{{0, 0}, {9, 4200}, {maxRelative, maxRelative - 1}}, x)
	times, ok := parseTimeIndex(files["timeindex"])
	require.True(t, ok)
	require.Equal(t, timeIndex{{0, 0}, {1_700_000_000_000, 9}, {1_700_000_000_001, maxRelative}}, times)

	var state producers
	require.NoError(t, state.loadSnapshot(files["snapshot"], 0))
	require.Equal(t, goldenProducers().byID, state.byID)

	epochs, err := parseEpochs(files[epochFile])
	require.NoError(t, err)
	require.Equal(t, []epochEntry{{0, 0}, {3, 120}, {2147483647, 1 << 40}}, epochs)
	offsets, err := parseOffsets(files[recoveryPointFile])
	require.NoError(t, err)
	require.Len(t, offsets, 2)
	id, err := parseMetadata(files[metadataFile])
	require.NoError(t, err)
	require.Equal(t, kafka.TopicID{0xa1, 0xa2, 15: 0xaf}, id)
	epoch, ok := parseCleanMark(files[cleanFile])
	require.True(t, ok)
	require.EqualValues(t, 41, epoch)
}

// Kafka preallocates index files; what it leaves unused is zero.
func TestIndexesEndWhereKafkasZeroesBegin(t *testing.T) {
	files := readGoldens(t)
	x, ok := parseIndex(append(files["index"][8:16:16], make([]byte, 80)...), 5000)
	require.True(t, ok)
	require.Equal(t, offsetIndex{{9, 4200}}, x)
	times, ok := parseTimeIndex(append(files["timeindex"][12:24:24], make([]byte, 120)...))
	require.True(t, ok)
	require.Equal(t, timeIndex{{1_700_000_000_000, 9}}, times)
	x, ok = parseIndex(make([]byte, 80), 5000)
	require.True(t, ok)
	require.Empty(t, x)
	_, ok = parseIndex(append(files["index"][8:16:16], 0, 0, 0, 1, 0, 0, 0, 1), 5000)
	require.False(t, ok, "what runs backwards is not an end")
}

func TestEveryBitOfASnapshotIsCovered(t *testing.T) {
	whole := goldenProducers().appendSnapshot(nil)
	for i := range 8 * len(whole) {
		b := append([]byte(nil), whole...)
		b[i/8] ^= 1 << (i % 8)
		var s producers
		require.Error(t, s.loadSnapshot(b, 0), "bit %d of byte %d", i%8, i/8)
	}
}
