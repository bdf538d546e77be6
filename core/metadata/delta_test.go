package metadata_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

func describe(d *metadata.Delta) string {
	var b strings.Builder
	for _, t := range d.TopicsDeleted {
		fmt.Fprintf(&b, "deleted %s %s\n", t.Name, t.ID)
	}
	for _, t := range d.TopicsCreated {
		fmt.Fprintf(&b, "created %s %s\n", t.Name, t.ID)
	}
	for _, p := range d.Partitions {
		fmt.Fprintf(&b, "%s %s %s -> %s\n", p.TP(), p.Topic.ID, state(p.Before), state(p.After))
	}
	for _, r := range d.Configs {
		fmt.Fprintf(&b, "configs %s%s ->%s\n", r, d.From.Configs(r), d.To.Configs(r))
	}
	for _, c := range d.Brokers {
		if c.Before == nil {
			fmt.Fprintf(&b, "broker %d new\n", c.After.ID)
		} else {
			fmt.Fprintf(&b, "broker %d epoch=%d->%d\n", c.After.ID, c.Before.Epoch, c.After.Epoch)
		}
	}
	return b.String()
}

func state(p *metadata.Partition) string {
	if p == nil {
		return "none"
	}
	return fmt.Sprintf("leader=%d epoch=%d isr=%v", p.Leader, p.LeaderEpoch, p.ISR)
}

// What a timeline says has changed is what a comparison of the two whole images finds,
// wherever the high watermark stops in between.
func TestCommitTellsExactlyWhatDiffers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, lastID := newModel(), byte(0)
		line := metadata.NewTimeline(metadata.NewImage())
		ends, hw := []kafka.Offset{}, kafka.Offset(0)
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			base := m.end
			var batch []metadata.Record
			for range rapid.IntRange(1, 30).Draw(t, "records") {
				r := drawRecord(t, m, &lastID)
				m.apply(r)
				batch = append(batch, r)
			}
			line.Apply(base, batch)
			ends = append(ends, m.end)
			if !rapid.Bool().Draw(t, "commit") {
				continue
			}
			n := rapid.IntRange(0, len(ends)).Draw(t, "batches")
			if n > 0 {
				hw = ends[n-1]
			}
			ends = ends[n:]
			from := line.Committed()
			got := line.Commit(hw)
			if line.Committed().End() != hw || got.From != from || got.To != line.Committed() {
				t.Fatalf("committed to %d, want %d", line.Committed().End(), hw)
			}
			if got, want := describe(got), describe(metadata.Diff(from, line.Committed())); got != want {
				t.Fatalf("delta\n%s\nwant\n%s", got, want)
			}
		}
		if line.Newest().String() != m.String() {
			t.Fatal("the newest image is not the fold")
		}
	})
}

func TestCommitStaysBelowTheHighWatermark(t *testing.T) {
	line := metadata.NewTimeline(metadata.NewImage())
	line.Apply(0, topicOf(1, 1, 1))
	line.Apply(2, topicOf(2, 1, 1))
	d := line.Commit(0)
	if !d.Empty() || line.Committed().Topic("t1") != nil || line.Newest().Topic("t2") == nil {
		t.Error("something is committed at 0, or not seen by decisions")
	}
	if d := line.Commit(2); len(d.TopicsCreated) != 1 || line.Committed().Topic("t2") != nil {
		t.Error("not exactly the first batch is committed at 2")
	}
	if got := violation(func() { line.Commit(3) }); got != "metadata.commit-whole-batches" {
		t.Errorf("half a batch: %q", got)
	}
}

func TestRecreatedTopicIsDeletedThenCreated(t *testing.T) {
	line := metadata.NewTimeline(metadata.NewImage().Apply(0, topicOf(1, 1, 1)))
	line.Apply(2, []metadata.Record{&metadata.RemoveTopicRecord{ID: kafka.TopicID{0: 1, 15: 1}}})
	line.Apply(3, []metadata.Record{
		&metadata.TopicRecord{Name: "t1", ID: kafka.TopicID{7}},
		&metadata.PartitionRecord{
			TopicID: kafka.TopicID{7}, Leader: 1, Replicas: []kafka.BrokerID{1}, ISR: []kafka.BrokerID{1},
		},
	})
	want := `deleted t1 AQAAAAAAAAAAAAAAAAAAAQ
created t1 BwAAAAAAAAAAAAAAAAAAAA
t1-0 AQAAAAAAAAAAAAAAAAAAAQ leader=1 epoch=0 isr=[1] -> none
t1-0 BwAAAAAAAAAAAAAAAAAAAA none -> leader=1 epoch=0 isr=[1]
`
	if got := describe(line.Commit(5)); got != want {
		t.Errorf("delta\n%s\nwant\n%s", got, want)
	}
}

func TestWhatWasUndoneIsNoDifference(t *testing.T) {
	line := metadata.NewTimeline(metadata.NewImage())
	line.Apply(0, topicOf(1, 3, 1))
	line.Apply(4, []metadata.Record{&metadata.RemoveTopicRecord{ID: kafka.TopicID{0: 1, 15: 1}}})
	if d := line.Commit(5); !d.Empty() {
		t.Errorf("a topic that came and went:\n%s", describe(d))
	}
}

// A start replays the whole log before it knows the high watermark: the batches become
// visible together, and no image is kept for each of them.
func TestLoadedBatchesCommitAsOne(t *testing.T) {
	line := metadata.NewTimeline(metadata.NewImage())
	line.Load(0, topicOf(1, 1, 1))
	line.Load(2, topicOf(2, 1, 1))
	line.Apply(4, topicOf(3, 1, 1))
	if d := line.Commit(3); !d.Empty() {
		t.Errorf("half of the load:\n%s", describe(d))
	}
	if d := line.Commit(4); len(d.TopicsCreated) != 2 || len(d.Partitions) != 2 || line.Committed().End() != 4 {
		t.Errorf("the load:\n%s", describe(d))
	}
	if d := line.Commit(6); len(d.TopicsCreated) != 1 || len(d.Partitions) != 1 {
		t.Errorf("the batch after it:\n%s", describe(d))
	}
	line.Apply(6, topicOf(4, 1, 1))
	if got := violation(func() { line.Load(8, topicOf(5, 1, 1)) }); got != "metadata.load-first" {
		t.Errorf("load after apply: %q", got)
	}
}
