package checker

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// Render draws the verdict as text: each anomaly with a timeline of its operations, then
// what was tested how often.
//
//	H12 real-time order: orders-0: 3/5 was acknowledged before 4/1 was sent, and stands behind it
//	  p3 producer  |--------|                  produce 3/5 acks=all -> ok offset 8      12.031s-12.044s
//	  p4 producer              |-----------|   produce 4/1 acks=all -> ok offset 7      12.051s-12.066s
func (v *Verdict) Render(h *history.History) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", v.Outcome)
	if h.Name != "" {
		fmt.Fprintf(&b, " %s seed %d", h.Name, h.Seed)
	}
	fmt.Fprintf(&b, ": %d operations, %d processes\n", len(h.Ops), len(h.Processes))
	for _, n := range v.Notes {
		fmt.Fprintf(&b, "inconclusive: %s\n", n)
	}
	for _, a := range v.Anomalies {
		fmt.Fprintf(&b, "%s\n", a)
		renderTimeline(&b, h, a.Ops)
	}
	if v.Omitted > 0 {
		fmt.Fprintf(&b, "and %d more\n", v.Omitted)
	}
	b.WriteString("tested:")
	for _, c := range v.Counters {
		fmt.Fprintf(&b, " %s=%d", c.Check, c.N)
	}
	b.WriteByte('\n')
	return b.String()
}

// renderTimeline draws operations below each other on one scale.
func renderTimeline(b *strings.Builder, h *history.History, ids []int) {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id int) bool { return id < 0 || id >= len(h.Ops) })
	if len(ids) > timelineOpsMax {
		ids = ids[:timelineOpsMax]
	}
	if len(ids) == 0 {
		return
	}
	// Events are spaced by their order, not by time: milliseconds and minutes meet in one
	// picture, and only the order proves anything.
	var events []int64
	for _, id := range ids {
		events = append(events, h.Ops[id].Invoke.Seq, h.Ops[id].Return.Seq)
	}
	slices.Sort(events)
	events = slices.Compact(events)
	column := func(seq int64) int {
		i, _ := slices.BinarySearch(events, seq)
		return i * (timelineWidth - 1) / max(1, len(events)-1)
	}
	for _, id := range ids {
		o := &h.Ops[id]
		from, to := column(o.Invoke.Seq), column(o.Return.Seq)
		bar := strings.Repeat(" ", from) + "|" + strings.Repeat("-", max(0, to-from-1))
		if o.Return == h.End && o.Result == history.Info {
			bar += ">"
		} else {
			bar += "|"
		}
		fmt.Fprintf(b, "  %-14s %-*s #%d %s  %s..%s\n", processName(h, o.Process), timelineWidth+1, bar,
			id, describe(o), seconds(o.Invoke.At), seconds(o.Return.At))
	}
}

func processName(h *history.History, id int32) string {
	for _, p := range h.Processes {
		if p.ID == id {
			return fmt.Sprintf("p%d %s", id, p.Role)
		}
	}
	return fmt.Sprintf("p%d", id)
}

func seconds(ns int64) string { return fmt.Sprintf("%.6fs", time.Duration(ns).Seconds()) }

// describe is an operation in a few words.
func describe(o *history.Op) string {
	var what string
	switch o.Kind {
	case history.Produce:
		what = fmt.Sprintf("produce %s to %s acks=%d", describeValues(o), o.Key(), o.Acks)
		if len(o.Attempts) > 1 {
			what += fmt.Sprintf(" %d attempts", len(o.Attempts))
		}
	case history.Fetch:
		what = fmt.Sprintf("fetch %s from %d", o.Key(), o.Position)
	case history.ListOffsets:
		what = fmt.Sprintf("list-offsets %s for %d", o.Key(), o.Timestamp)
	default:
		what = fmt.Sprintf("%s %s", o.Kind, o.Topic)
	}
	return what + " -> " + describeResult(o)
}

func describeResult(o *history.Op) string {
	switch {
	case o.Error != "":
		return o.Result.String() + " (" + o.Error + ")"
	case o.Code != 0:
		return o.Result.String() + " " + kafka.ErrorCode(o.Code).String()
	case o.Result != history.Ok:
		return o.Result.String()
	}
	switch o.Kind {
	case history.Produce:
		return fmt.Sprintf("ok offset %d", ackedBase(o))
	case history.Fetch:
		if n := len(o.Records); n > 0 {
			return fmt.Sprintf("ok [%d..%d]", o.Records[0].Offset, o.Records[n-1].Offset)
		}
		return "ok nothing"
	case history.ListOffsets:
		return fmt.Sprintf("ok offset %d", o.Offset)
	}
	return "ok"
}
