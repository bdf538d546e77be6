package checker

import (
	"fmt"
	"slices"
	"time"

	"github.com/tidemark-log/tidemark/checker/history"
)

// Options say what is known besides the history, and what is promised.
type Options struct {
	// Final is the oracle: the final log as stored. Nil: the union of what clients saw.
	Final *history.Final
	// Fresh demands that reads and end offsets are up to date, not only prefixes.
	Fresh bool
	// Healed demands that tailing readers have seen all by the end (H13): the run ended with
	// a phase long enough and free of faults.
	Healed bool
	// Allowed lists checks whose anomalies are not violations in this run: the cells of the
	// claims table where loss is permitted. They are reported as allowed.
	Allowed []string
	// Voided lists partitions, as topic-number, whose newest records may have been lost within
	// what the run allowed; AllVoid says it of everything. What follows from that is allowed.
	Voided  []string
	AllVoid bool
	// ProducerExpiry is how long a broker remembers a producer that does not write; 0 is 24 h,
	// Kafka's default. Later repetitions may be refused.
	ProducerExpiry time.Duration
	// ModelPercent is the share of partitions searched by porcupine: 0 is 25, and all of them
	// are as soon as another check complains.
	ModelPercent int
	// SearchTimeout bounds each porcupine search; 0 is 10 s.
	SearchTimeout time.Duration
}

// Outcome is the verdict in one word.
type Outcome string

// The outcomes.
const (
	Holds        Outcome = "holds"
	Violated     Outcome = "violated"
	Inconclusive Outcome = "inconclusive"
)

// Anomaly is a contradiction and the smallest set of operations that shows it.
type Anomaly struct {
	Check   string // H1 …
	Name    string
	Key     string // partition or topic
	Detail  string
	Ops     []int // numbers of operations in the history
	Allowed bool
}

// String is the anomaly in one line.
func (a Anomaly) String() string {
	allowed := ""
	if a.Allowed {
		allowed = " (allowed)"
	}
	return fmt.Sprintf("%s %s%s: %s: %s", a.Check, a.Name, allowed, a.Key, a.Detail)
}

// Counter tells how often the premise of a check was true.
type Counter struct {
	Check string
	Name  string
	N     int
}

// Verdict is the judgement of one history.
type Verdict struct {
	Outcome   Outcome
	Anomalies []Anomaly
	Omitted   int // anomalies found and not listed
	Counters  []Counter
	Notes     []string // why inconclusive
}

// Status is the outcome and, unless it holds, the first reason for it in one line.
func (v *Verdict) Status() (Outcome, string) {
	for _, a := range v.Anomalies {
		if v.Outcome == Violated && !a.Allowed {
			return v.Outcome, a.String()
		}
	}
	if len(v.Notes) > 0 {
		return v.Outcome, v.Notes[0]
	}
	return v.Outcome, ""
}

// Counter is how often a check's premise was true.
func (v *Verdict) Counter(check string) int {
	for _, c := range v.Counters {
		if c.Check == check {
			return c.N
		}
	}
	return 0
}

// checks are all there are, in the order of the report.
var checks = []Counter{
	{Check: "H1", Name: "lost write"},
	{Check: "H2", Name: "inconsistent offset"},
	{Check: "H3", Name: "duplicate"},
	{Check: "H4", Name: "phantom"},
	{Check: "H5", Name: "failed write seen"},
	{Check: "H8", Name: "nonmonotonic poll"},
	{Check: "H9", Name: "skipped poll"},
	{Check: "H10", Name: "disorder within a poll"},
	{Check: "H11", Name: "nonmonotonic send"},
	{Check: "H12", Name: "real-time order"},
	{Check: "H13", Name: "unseen"},
	{Check: "H14", Name: "stale read"},
	{Check: "H15", Name: "end offset regress"},
	{Check: "H16", Name: "timestamp lookup"},
	{Check: "H26", Name: "metadata regress"},
	{Check: "H27", Name: "admin atomicity"},
	{Check: "H28", Name: "torn batch"},
	{Check: "H29", Name: "refused repetition"},
	{Check: "C1", Name: "linearizable log"},
}

// Check judges a history. It reads its arguments only; equal arguments give equal verdicts,
// except where the clock ends a search.
func Check(h *history.History, opt Options) *Verdict {
	if opt.ModelPercent == 0 {
		opt.ModelPercent = modelPercent
	}
	if opt.ProducerExpiry == 0 {
		opt.ProducerExpiry = producerExpiry
	}
	if opt.SearchTimeout == 0 {
		opt.SearchTimeout = searchTimeout
	}
	c := &check{h: h, opt: opt, counts: make(map[string]int, len(checks))}
	if err := h.Validate(); err != nil {
		return &Verdict{Outcome: Inconclusive, Notes: []string{err.Error()}}
	}
	partitions := c.index()
	for _, p := range partitions {
		c.sends(p)
		c.repeats(p)
		c.polls(p)
		c.offsets(p)
		if !c.voids(p) { // after a loss, later appends stand below earlier ones
			c.realTime(p)
		}
	}
	c.topics()
	c.search(partitions)
	return c.verdict()
}

// check is one judgement under way.
type check struct {
	h   *history.History
	opt Options

	voided    map[string]bool // by name of the partition
	anomalies []Anomaly
	omitted   int
	found     map[string]int
	counts    map[string]int
	notes     []string
}

// saw counts that the premise of a check was true n times.
func (c *check) saw(id string, n int) {
	if n != 0 {
		c.counts[id] += n
	}
}

// report notes an anomaly.
func (c *check) report(id, key, detail string, ops ...int) {
	if c.found == nil {
		c.found = map[string]int{}
	}
	c.found[id]++
	if c.found[id] > anomaliesPerCheckMax || len(c.anomalies) >= anomaliesMax {
		c.omitted++
		return
	}
	slices.Sort(ops)
	c.anomalies = append(c.anomalies, Anomaly{Check: id, Name: checkName(id), Key: key, Detail: detail,
		Ops: slices.Compact(ops), Allowed: slices.Contains(c.opt.Allowed, id) || c.explained(id, key)})
}

// lossExplains lists the checks that complain where a log lost its newest records: they are
// gone, others take their offsets, and readers stand behind the end. Bytes that nobody sent,
// a refused write that shows, or a duplicate are never explained so.
var lossExplains = []string{"H1", "H2", "H8", "H9", "H11", "H12", "H13", "H14", "H15", "H16", "H29", "C1"}

// explained tells that an anomaly follows from a loss that was allowed.
func (c *check) explained(id, key string) bool {
	if c.opt.AllVoid && (id == "H26" || id == "H27") {
		return true
	}
	return (c.opt.AllVoid || c.voided[key]) && slices.Contains(lossExplains, id)
}

func (c *check) voids(p *partition) bool { return c.opt.AllVoid || c.voided[p.name] }

func checkName(id string) string {
	for _, k := range checks {
		if k.Check == id {
			return k.Name
		}
	}
	return "unnamed"
}

func (c *check) verdict() *Verdict {
	v := &Verdict{Outcome: Holds, Anomalies: c.anomalies, Omitted: c.omitted, Notes: c.notes}
	for _, k := range checks {
		k.N = c.counts[k.Check]
		v.Counters = append(v.Counters, k)
	}
	if len(v.Notes) > 0 {
		v.Outcome = Inconclusive
	}
	for _, a := range v.Anomalies {
		if !a.Allowed {
			v.Outcome = Violated
		}
	}
	return v
}
