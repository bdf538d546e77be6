package scenarios

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/scenarios/workload"
)

// Scenario is a story as its file tells it.
type Scenario struct {
	// Name is the file's path without suffix, as single/crash.
	Name string `yaml:"-"`

	// Claim is the sentence that every green run supports.
	Claim string `yaml:"claim"`
	// Proves names the numbered claims it stands for, if any.
	Proves []string `yaml:"proves"`
	// Duration is the time with faults; Recovery bounds the time without that follows.
	Duration Duration `yaml:"duration"`
	Recovery Duration `yaml:"recovery"`

	Brokers int `yaml:"brokers"`
	// Config are server keys by Kafka's names. A list is drawn from, by seed.
	Config  map[string]Values `yaml:"config"`
	Log     Log               `yaml:"log"`
	Topics  []Topic           `yaml:"topics"`
	Clients Clients           `yaml:"clients"`
	Faults  Faults            `yaml:"faults"`
	Checks  Checks            `yaml:"checks"`
	// Goals are the least counts per 1000 seeds; a sweep that misses one is UNSEEN.
	Goals map[string]int `yaml:"goals"`
}

// Log sets the sizes of a broker's log directories, and how many there are, each on a volume
// of its own.
type Log struct {
	Directories      int     `yaml:"directories"`
	JournalFileBytes Numbers `yaml:"journal-file-bytes"`
	JournalFiles     Numbers `yaml:"journal-files"`
	TailCacheBytes   Numbers `yaml:"tail-cache-bytes"`
}

// Topic is created before the clients start.
type Topic struct {
	Name       string            `yaml:"name"`
	Partitions int               `yaml:"partitions"`
	Config     map[string]Values `yaml:"config"`
}

// Clients is the workload mix. Each entry puts its count on every partition of its topic.
type Clients struct {
	Producers []Producer `yaml:"producers"`
	Readers   []Reader   `yaml:"readers"`
	Listers   []Lister   `yaml:"listers"`
	Churn     []Churn    `yaml:"churn"`
}

// Producer is workload.Producer in a file.
type Producer struct {
	Topic      string   `yaml:"topic"`
	Count      int      `yaml:"count"`
	Acks       Acks     `yaml:"acks"`
	Idempotent bool     `yaml:"idempotent"`
	InFlight   int      `yaml:"in-flight"`
	Rate       float64  `yaml:"rate"`
	Records    int      `yaml:"records"`
	Bytes      int      `yaml:"bytes"`
	Retries    *int     `yaml:"retries"`
	Codec      Codec    `yaml:"codec"`
	Jitter     Duration `yaml:"jitter"`
	BaseOffset int64    `yaml:"base-offset"`
}

// Reader is workload.Reader in a file.
type Reader struct {
	Topic string     `yaml:"topic"`
	Kind  ReaderKind `yaml:"kind"`
	Count int        `yaml:"count"`
	Pause Duration   `yaml:"pause"`
	Bytes int32      `yaml:"bytes"`
}

// Lister is workload.Lister in a file.
type Lister struct {
	Topic string   `yaml:"topic"`
	Count int      `yaml:"count"`
	Pause Duration `yaml:"pause"`
}

// Churn is workload.Churn in a file.
type Churn struct {
	Topic  string            `yaml:"topic"`
	Count  int               `yaml:"count"`
	Pause  Duration          `yaml:"pause"`
	Config map[string]Values `yaml:"config"`
}

// Checks says how strict the judgement is.
type Checks struct {
	// Prefix lets reads and end offsets lag behind; otherwise they must be fresh.
	Prefix bool `yaml:"prefix"`
	// Allow lists checks that may complain: loss the claim permits.
	Allow []string `yaml:"allow"`
	// MayStall accepts that the clients do not come to rest.
	MayStall bool `yaml:"may-stall"`
}

// Duration is written as 20s or 300ms.
type Duration time.Duration

// Values is one value or a list to draw from.
type Values []string

// Numbers is one number or a list to draw from.
type Numbers []int64

// Acks is all, 1 or 0.
type Acks int16

// Codec is a compression codec by name.
type Codec record.Codec

// ReaderKind is tail or reread.
type ReaderKind workload.ReaderKind

// Defaults fills in what the file left out.
func (s *Scenario) Defaults() {
	set := func(d *Duration, v time.Duration) {
		if *d == 0 {
			*d = Duration(v)
		}
	}
	set(&s.Duration, 20*time.Second)
	set(&s.Recovery, 60*time.Second)
	if s.Brokers == 0 {
		s.Brokers = 1
	}
	s.Log.Directories = max(1, s.Log.Directories)
	for i := range s.Topics {
		s.Topics[i].Partitions = max(1, s.Topics[i].Partitions)
	}
	s.Faults.defaults()
}

// Validate answers what the simulator could not do, or what could not mean anything.
func (s *Scenario) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch {
	case s.Claim == "":
		bad("claim: want the sentence that a green run supports")
	case s.Brokers < 1 || s.Brokers > brokersMax:
		bad("brokers: %d, want 1..%d", s.Brokers, brokersMax)
	case len(s.Topics) == 0 && len(s.Clients.Churn) == 0:
		bad("topics: want at least one topic or churn")
	}
	if s.Duration < 0 || time.Duration(s.Duration) > durationMax || s.Recovery < 0 ||
		time.Duration(s.Recovery) > durationMax {
		bad("duration, recovery: want 0s..%s", durationMax)
	}
	errs = append(errs, s.Faults.validate()...)
	for goal, n := range s.Goals {
		if n < 1 {
			bad("goals: %s: %d, want at least 1 per 1000 seeds", goal, n)
		}
	}
	for _, t := range s.Topics {
		if t.Partitions > countMax {
			bad("topics: %s: %d partitions, want at most %d", t.Name, t.Partitions, countMax)
		}
	}
	cfg := s.Workload(nil)
	cfg.Bootstrap = []string{"any"}
	if err := cfg.Validate(); err != nil {
		errs = append(errs, err)
	}
	slices.SortFunc(errs, func(a, b error) int { return slices.Compare([]byte(a.Error()), []byte(b.Error())) })
	return errors.Join(errs...)
}

// Workload is the client mix. Draw picks from lists: it is told what for, and how many there
// are; nil takes the first.
func (s *Scenario) Workload(draw func(what string, n int) int) workload.Config {
	var cfg workload.Config
	for _, t := range s.Topics {
		cfg.Topics = append(cfg.Topics, workload.Topic{Name: t.Name, Partitions: int32(t.Partitions),
			Configs: Pick(t.Config, "topic "+t.Name, draw)})
	}
	for _, p := range s.Clients.Producers {
		cfg.Producers = append(cfg.Producers, p.workload(cfg.Topics))
	}
	for _, r := range s.Clients.Readers {
		cfg.Readers = append(cfg.Readers, workload.Reader{Topic: r.Topic, Kind: workload.ReaderKind(r.Kind),
			Count: r.Count, Pause: time.Duration(r.Pause), BytesMax: r.Bytes})
	}
	for _, l := range s.Clients.Listers {
		cfg.Listers = append(cfg.Listers, workload.Lister{Topic: l.Topic, Count: l.Count,
			Pause: time.Duration(l.Pause)})
	}
	for _, c := range s.Clients.Churn {
		cfg.Churn = append(cfg.Churn, workload.Churn{Topic: c.Topic, Count: c.Count, Pause: time.Duration(c.Pause),
			Configs: Pick(c.Config, "topic "+c.Topic, draw)})
	}
	return cfg
}

func (p *Producer) workload(topics []workload.Topic) workload.Producer {
	out := workload.Producer{Topic: p.Topic, Count: p.Count, Acks: int16(p.Acks), Idempotent: p.Idempotent,
		InFlight: p.InFlight, Rate: p.Rate, RecordsMax: p.Records, BytesMax: p.Bytes, Retries: -1,
		Codec: record.Codec(p.Codec), Jitter: time.Duration(p.Jitter), BaseOffset: p.BaseOffset}
	if p.Retries != nil {
		out.Retries = *p.Retries
	}
	for _, t := range topics {
		if t.Name == p.Topic && t.Configs["message.timestamp.type"] == "LogAppendTime" {
			out.LogAppendTime = true
		}
	}
	return out
}

// Pick draws one value of each key.
func Pick(values map[string]Values, what string, draw func(what string, n int) int) map[string]string {
	if len(values) == 0 {
		return nil
	}
	out := make(map[string]string, len(values))
	for key, list := range values {
		i := 0
		if draw != nil && len(list) > 1 {
			i = draw(what+" "+key, len(list))
		}
		if len(list) > 0 {
			out[key] = list[i]
		}
	}
	return out
}

// Pick draws one of the numbers, 0 if there are none.
func (n Numbers) Pick(what string, draw func(what string, n int) int) int64 {
	switch {
	case len(n) == 0:
		return 0
	case draw == nil || len(n) == 1:
		return n[0]
	}
	return n[draw(what, len(n))]
}

// String is the duration as written.
func (d Duration) String() string { return time.Duration(d).String() }

// UnmarshalYAML reads 20s.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		return wanted(n, "a duration like 20s or 300ms")
	}
	*d = Duration(v)
	return nil
}

// UnmarshalYAML reads a scalar or a list of scalars.
func (v *Values) UnmarshalYAML(n *yaml.Node) error {
	nodes, err := oneOrMany(n, "a value, or a list of values to draw from")
	for _, e := range nodes {
		*v = append(*v, e.Value)
	}
	return err
}

// UnmarshalYAML reads a number or a list of numbers.
func (v *Numbers) UnmarshalYAML(n *yaml.Node) error {
	nodes, err := oneOrMany(n, "a whole number, or a list of them to draw from")
	for _, e := range nodes {
		var i int64
		if e.Decode(&i) != nil {
			return wanted(e, "a whole number")
		}
		*v = append(*v, i)
	}
	return err
}

func oneOrMany(n *yaml.Node, want string) ([]*yaml.Node, error) {
	nodes := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		nodes = n.Content
	}
	for _, e := range nodes {
		if e.Kind != yaml.ScalarNode {
			return nil, wanted(e, want)
		}
	}
	if len(nodes) == 0 {
		return nil, wanted(n, want)
	}
	return nodes, nil
}

// UnmarshalYAML reads all, 1 or 0.
func (a *Acks) UnmarshalYAML(n *yaml.Node) error {
	return word(n, a, map[string]Acks{"all": -1, "-1": -1, "1": 1, "0": 0})
}

// UnmarshalYAML reads a codec's name.
func (c *Codec) UnmarshalYAML(n *yaml.Node) error {
	v, err := record.ParseCodec(n.Value)
	if err != nil {
		return wanted(n, "a codec: none, gzip, snappy, lz4, zstd")
	}
	*c = Codec(v)
	return nil
}

// UnmarshalYAML reads tail or reread.
func (k *ReaderKind) UnmarshalYAML(n *yaml.Node) error {
	return word(n, k, map[string]ReaderKind{"tail": ReaderKind(workload.Tail),
		"reread": ReaderKind(workload.Reread)})
}
