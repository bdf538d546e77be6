package metadata_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// Over all ways a log and its image can grow, with snapshots begun when due: what a start
// has to replay stays bounded, and what is written for snapshots is not more than the log.
func TestSnapshotsBoundReplayAndWriting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const bytesMax, recordsMax = 1000, 50
		p := metadata.NewSnapshotPolicy(metadata.SnapshotPolicyConfig{Bytes: bytesMax, Records: recordsMax})
		// The image is a part of the log that only grows.
		var log, image, tail, last [2]int64
		var paid int64
		for range rapid.IntRange(1, 300).Draw(t, "batches") {
			records := rapid.Int64Range(1, 20).Draw(t, "records")
			grown := [2]int64{records * rapid.Int64Range(1, 40).Draw(t, "bytes"), records}
			keep := rapid.Int64Range(0, 4).Draw(t, "kept")
			for i := range 2 {
				log[i] += grown[i]
				tail[i] += grown[i]
				image[i] += grown[i] * keep / 4
			}
			p.LogGrown(grown[1], grown[0])
			want := (tail[0] >= bytesMax || tail[1] >= recordsMax) && tail[0] >= last[0]
			if p.Due() != want {
				t.Fatalf("due=%t with a tail of %v after a snapshot of %v", p.Due(), tail, last)
			}
			if !want {
				continue
			}
			p.SnapshotBegun()
			paid += last[0]
			p.SnapshotDone(image[1], image[0])
			last, tail = image, [2]int64{}
		}
		// Each snapshot but the newest was followed by as many bytes of log.
		if paid > log[0] {
			t.Fatalf("snapshots of %d bytes before the newest, log of %d", paid, log[0])
		}
	})
}

func TestSnapshotIsBegunOneAtATime(t *testing.T) {
	p := metadata.NewSnapshotPolicy(metadata.SnapshotPolicyConfig{Bytes: 100, Records: 1000})
	step := func(want bool, what string) {
		t.Helper()
		if p.Due() != want {
			t.Errorf("%s: due=%t", what, !want)
		}
	}
	step(false, "new")
	p.LogGrown(1, 99)
	step(false, "below")
	p.LogGrown(1, 1)
	step(true, "at the bound")
	p.SnapshotBegun()
	p.LogGrown(1, 150)
	step(false, "while one is written")
	p.SnapshotDone(5, 50)
	step(true, "the log grew meanwhile")
	p.SnapshotBegun()
	p.SnapshotFailed()
	step(false, "after a failure")
	p.LogGrown(1, 99)
	step(false, "not at once again")
	p.LogGrown(1, 1)
	step(true, "when the log has grown by as much again")
	p.SnapshotBegun()
	p.SnapshotDone(5, 300)
	p.LogGrown(1, 299)
	step(false, "below the size of the last")
	p.LogGrown(1, 1)
	step(true, "at the size of the last")
}

func TestSnapshotPolicyGoesOnAfterARestart(t *testing.T) {
	p := metadata.NewSnapshotPolicy(metadata.SnapshotPolicyConfig{})
	p.SnapshotLoaded(1000, 2*metadata.SnapshotLogBytes)
	p.LogGrown(1000, metadata.SnapshotLogBytes)
	if p.Due() {
		t.Error("due before the log is as large as the snapshot")
	}
	p.LogGrown(metadata.SnapshotLogRecords, metadata.SnapshotLogBytes)
	if !p.Due() {
		t.Error("not due when the log is as large as the snapshot")
	}
}

func TestSnapshotNamesAreExact(t *testing.T) {
	for _, id := range []metadata.SnapshotID{
		{}, {End: 42, LeaderEpoch: 3}, {End: 1<<63 - 1, LeaderEpoch: 1<<31 - 1},
	} {
		if got, ok := metadata.ParseSnapshotID(id.String()); !ok || got != id {
			t.Errorf("%s is read as %+v, %t", id, got, ok)
		}
	}
	got := metadata.SnapshotID{End: 42, LeaderEpoch: 3}.String()
	if got != "00000000000000000042-0000000003.checkpoint" {
		t.Error(got)
	}
	for _, name := range []string{
		"", "00000000000000000042.log", "42-3.checkpoint", "00000000000000000042-0000000003.checkpoint.tmp",
		"-0000000000000000042-0000000003.checkpoint", "+0000000000000000042-0000000003.checkpoint",
		"00000000000000000042_0000000003.checkpoint", "00000000000000000042-0000000003.checkpoinT",
		"99999999999999999999-0000000003.checkpoint", "00000000000000000042-9999999999.checkpoint",
	} {
		if id, ok := metadata.ParseSnapshotID(name); ok {
			t.Errorf("%q is read as %+v", name, id)
		}
	}
}

func TestLastTwoSnapshotsAreKeptWithTheirLog(t *testing.T) {
	at := func(ends ...kafka.Offset) (ids []metadata.SnapshotID) {
		for _, e := range ends {
			ids = append(ids, metadata.SnapshotID{End: e, LeaderEpoch: 1})
		}
		return ids
	}
	for _, c := range []struct {
		have, obsolete []metadata.SnapshotID
		from           kafka.Offset
	}{
		{at(), nil, 0},
		{at(7), nil, 0},
		{at(9, 7), nil, 7},
		{at(3, 12, 7, 9), at(3, 7), 9},
	} {
		before := slices.Clone(c.have)
		obsolete, from := metadata.ObsoleteSnapshots(c.have)
		if !slices.Equal(obsolete, c.obsolete) || from != c.from || !slices.Equal(c.have, before) {
			t.Errorf("%v: %v obsolete, log from %d", c.have, obsolete, from)
		}
	}
}

// A start from a snapshot shows all of it as new, with what the log adds, once the high
// watermark is known.
func TestSnapshotCommitsWithWhatIsLoadedAfterIt(t *testing.T) {
	m := metadata.NewImage().Apply(0, topicOf(1, 1, 1))
	line := metadata.NewTimeline(metadata.NewImage())
	line.LoadSnapshot(m)
	if line.Newest() != m || line.Committed() == m {
		t.Error("decisions do not see the snapshot, or the broker does too early")
	}
	line.Load(2, topicOf(2, 1, 1))
	if d := line.Commit(1); !d.Empty() {
		t.Errorf("below the end:\n%s", describe(d))
	}
	if d := line.Commit(4); len(d.TopicsCreated) != 2 || len(d.Partitions) != 2 || d.From.TopicCount() != 0 {
		t.Errorf("the load:\n%s", describe(d))
	}
	if got := violation(func() { line.LoadSnapshot(m) }); got != "metadata.snapshot-first" {
		t.Errorf("a snapshot over the log: %q", got)
	}

	// The snapshot alone, with no log after it.
	line = metadata.NewTimeline(metadata.NewImage())
	line.LoadSnapshot(m)
	if d := line.Commit(2); len(d.TopicsCreated) != 1 || line.Committed() != m {
		t.Errorf("the snapshot alone:\n%s", describe(d))
	}
}
