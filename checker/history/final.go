package history

import (
	"fmt"
	"sort"
)

// FinalPartition is the whole log of a partition after the run, read from where it is
// stored and not through the cluster's own answers.
type FinalPartition struct {
	Topic     string `codec:"t" json:"topic"`
	TopicID   string `codec:"ti,omitempty" json:"topic_id,omitempty"`
	Partition int32  `codec:"p" json:"partition"`
	// Start is the log start offset; records below it were lawfully removed.
	Start int64 `codec:"s" json:"start"`
	// End is the offset after the last batch.
	End int64 `codec:"e" json:"end"`
	// Records are the data records in order of offset.
	Records []Record `codec:"r" json:"records"`
}

// Key names the partition.
func (p *FinalPartition) Key() Key { return Key{p.Topic, p.TopicID, p.Partition} }

// At finds the record at an offset.
func (p *FinalPartition) At(offset int64) (Record, bool) {
	if i := p.Index(offset); i < len(p.Records) && p.Records[i].Offset == offset {
		return p.Records[i], true
	}
	return Record{}, false
}

// Index is the position in Records of the first record at or above offset.
func (p *FinalPartition) Index(offset int64) int {
	if len(p.Records) == 0 {
		return 0
	}
	// Logs without gaps are the rule; then the position follows from the offset.
	if i := offset - p.Records[0].Offset; i >= 0 && i < int64(len(p.Records)) && p.Records[i].Offset == offset {
		return int(i)
	}
	return sort.Search(len(p.Records), func(i int) bool { return p.Records[i].Offset >= offset })
}

// Final is the oracle: the final log of every partition that exists at the end.
type Final struct {
	Partitions []FinalPartition `codec:"p" json:"partitions"`
}

// Validate answers what is wrong with the shape of the oracle, or nil.
func (f *Final) Validate() error {
	seen := make(map[Key]bool, len(f.Partitions))
	for i := range f.Partitions {
		p := &f.Partitions[i]
		if seen[p.Key()] {
			return fmt.Errorf("history: final log has %s twice", p.Key())
		}
		seen[p.Key()] = true
		for j := 1; j < len(p.Records); j++ {
			if p.Records[j].Offset <= p.Records[j-1].Offset {
				return fmt.Errorf("history: final log of %s: offset %d after %d",
					p.Key(), p.Records[j].Offset, p.Records[j-1].Offset)
			}
		}
	}
	return nil
}
