package history

import (
	"fmt"
	"strconv"
	"strings"
)

// Value names a record: which process wrote it and the how-manieth it was. It is unique in
// a history. Zero stands for bytes that no process of the history can have written.
type Value uint64

// NewValue makes the name of the counter-th record (from 1) of a process (from 0).
func NewValue(process int32, counter uint64) Value {
	return Value(uint64(process)<<CounterBits | counter&(1<<CounterBits-1))
}

// Process is who wrote the record.
func (v Value) Process() int32 { return int32(v >> CounterBits) }

// Counter is the how-manieth record of its process it is.
func (v Value) Counter() uint64 { return uint64(v) & (1<<CounterBits - 1) }

// String is process/counter, or "alien" for zero.
func (v Value) String() string {
	if v == 0 {
		return "alien"
	}
	return strconv.Itoa(int(v.Process())) + "/" + strconv.FormatUint(v.Counter(), 10)
}

// ParseValue reads what String wrote.
func ParseValue(s string) (Value, error) {
	if s == "alien" {
		return 0, nil
	}
	p, c, ok := strings.Cut(s, "/")
	process, err1 := strconv.ParseUint(p, 10, 64-CounterBits)
	counter, err2 := strconv.ParseUint(c, 10, CounterBits)
	if !ok || err1 != nil || err2 != nil || counter == 0 {
		return 0, fmt.Errorf("history: value %q: want process/counter", s)
	}
	return NewValue(int32(process), counter), nil
}

// MarshalText writes the value for the JSON-lines form.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads it back.
func (v *Value) UnmarshalText(b []byte) (err error) {
	*v, err = ParseValue(string(b))
	return err
}

// Stamp is a moment: the time for people, and the number of the event in the history, which
// alone decides what came first. No two events of a history have the same Seq.
type Stamp struct {
	At  int64 `codec:"a" json:"at"`  // nanoseconds
	Seq int64 `codec:"s" json:"seq"` // 1, 2, 3 …
}

// Before tells whether s came first.
func (s Stamp) Before(t Stamp) bool { return s.Seq < t.Seq }

// Record is one record as sent or seen. Offset is −1 while it is not known.
type Record struct {
	Offset    int64 `codec:"o" json:"offset"`
	Value     Value `codec:"v" json:"value"`
	Timestamp int64 `codec:"t" json:"timestamp"`
}

// Attempt is one request made for an operation.
type Attempt struct {
	Invoke        Stamp  `codec:"i" json:"invoke"`
	Return        Stamp  `codec:"r" json:"return"`
	Result        Result `codec:"x" json:"result"`
	Code          int16  `codec:"c" json:"code"`
	Error         string `codec:"e,omitempty" json:"error,omitempty"` // no reply: why
	ProducerID    int64  `codec:"p" json:"producer_id"`               // −1: not idempotent
	ProducerEpoch int16  `codec:"q" json:"producer_epoch"`
	Sequence      int32  `codec:"n" json:"sequence"`
}

// Op is one operation of one process on one object. Which fields have a meaning depends on
// Kind; the others are zero.
type Op struct {
	ID        int    `codec:"id" json:"id"` // index in History.Ops
	Process   int32  `codec:"p" json:"process"`
	Kind      Kind   `codec:"k" json:"kind"`
	Topic     string `codec:"t" json:"topic"`
	TopicID   string `codec:"ti,omitempty" json:"topic_id,omitempty"` // "" if the client knew none
	Partition int32  `codec:"pt" json:"partition"`

	Invoke Stamp  `codec:"i" json:"invoke"`
	Return Stamp  `codec:"r" json:"return"` // for an open operation the end of the history
	Result Result `codec:"x" json:"result"`
	Code   int16  `codec:"c,omitempty" json:"code,omitempty"`
	Error  string `codec:"e,omitempty" json:"error,omitempty"` // no reply: why

	// Produce: what was sent, as one batch. Fetch: what came, at or above Position.
	Records []Record `codec:"rs,omitempty" json:"records,omitempty"`

	// Produce.
	Acks       int16     `codec:"ac,omitempty" json:"acks,omitempty"`
	Idempotent bool      `codec:"im,omitempty" json:"idempotent,omitempty"`
	Attempts   []Attempt `codec:"at,omitempty" json:"attempts,omitempty"`

	// Fetch. Seek marks a position that does not follow from the poll before.
	Position int64 `codec:"po,omitempty" json:"position,omitempty"`
	Seek     bool  `codec:"sk,omitempty" json:"seek,omitempty"`

	// ListOffsets: the timestamp asked for (−1 latest, −2 earliest, −3 largest timestamp, or
	// milliseconds) and the answer. Offset −1: none.
	Timestamp      int64 `codec:"ts,omitempty" json:"timestamp,omitempty"`
	Offset         int64 `codec:"of,omitempty" json:"offset,omitempty"`
	FoundTimestamp int64 `codec:"ft,omitempty" json:"found_timestamp,omitempty"`
	LeaderEpoch    int32 `codec:"le,omitempty" json:"leader_epoch,omitempty"` // also Metadata

	// CreateTopic: asked for. Metadata: seen.
	Partitions int32 `codec:"ps,omitempty" json:"partitions,omitempty"`
}

// Key names a partition for the life of one topic.
type Key struct {
	Topic     string
	TopicID   string
	Partition int32
}

// String is topic-partition, with the start of the topic's id if there is one.
func (k Key) String() string {
	s := k.Topic + "-" + strconv.Itoa(int(k.Partition))
	if k.TopicID != "" {
		s += "@" + k.TopicID[:min(6, len(k.TopicID))]
	}
	return s
}

// Key is the partition the operation is about.
func (o *Op) Key() Key { return Key{o.Topic, o.TopicID, o.Partition} }

// Role is what a process of the workload does.
type Role string

// The roles the checker knows.
const (
	RoleProducer Role = "producer"
	RoleTail     Role = "tail"   // reads each partition from the start, for ever
	RoleReread   Role = "reread" // reads from the start again and again
	RoleLister   Role = "lister"
	RoleAdmin    Role = "admin"
)

// Process describes a client of the workload.
type Process struct {
	ID   int32  `codec:"id" json:"id"`
	Role Role   `codec:"r" json:"role"`
	Name string `codec:"n" json:"name"`
}

// History is what a run looked like from outside.
type History struct {
	Name      string    `codec:"name" json:"name"`
	Seed      uint64    `codec:"seed" json:"seed"`
	Processes []Process `codec:"processes" json:"processes"`
	Ops       []Op      `codec:"ops" json:"ops"`
	End       Stamp     `codec:"end" json:"end"` // after everything
}

// Validate answers what makes the history unfit to be judged, or nil.
func (h *History) Validate() error {
	if h.End.Seq < 0 || h.End.Seq > stampsMax {
		return fmt.Errorf("history: %d events, at most %d are judged", h.End.Seq, stampsMax)
	}
	seen := make([]bool, h.End.Seq+1)
	use := func(s Stamp) bool {
		if s.Seq <= 0 || s.Seq > h.End.Seq || seen[s.Seq] {
			return false
		}
		seen[s.Seq] = true
		return true
	}
	for i := range h.Ops {
		o := &h.Ops[i]
		open := o.Return == h.End
		switch {
		case o.ID != i:
			return fmt.Errorf("history: op %d has id %d", i, o.ID)
		case !use(o.Invoke) || (!open && !use(o.Return)):
			return fmt.Errorf("history: op %d: stamps must be unique and within 1..%d", i, h.End.Seq)
		case i > 0 && !h.Ops[i-1].Invoke.Before(o.Invoke):
			return fmt.Errorf("history: op %d was invoked before op %d: want the order of invocation", i, i-1)
		case !o.Invoke.Before(o.Return):
			return fmt.Errorf("history: op %d returns before it is invoked", i)
		case open && o.Result != Info:
			return fmt.Errorf("history: op %d is open, so its result must be info", i)
		case o.Kind == 0 || o.Kind > Metadata || o.Result > Fail:
			return fmt.Errorf("history: op %d: unknown kind or result", i)
		}
	}
	return nil
}
