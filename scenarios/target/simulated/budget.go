package simulated

import (
	"fmt"
	"path"
	"strings"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/scenarios"
	"github.com/tidemark-log/tidemark/sim"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// # The budget
//
// With one broker there is one copy of everything. A fault that would destroy a copy of
// something acknowledged is refused (keep), or it happens, and what it hit is void from then
// on (spend): it may be lost, but loss must be told, and nothing else may break.
//
//	fault ─▶ what can it destroy? ─┬─ nothing          ─▶ allow
//	                               ├─ files of a log   ─▶ that log
//	                               └─ journal, metadata ─▶ everything
//
// A power loss destroys nothing under flush group, and under os what was not synced. A sync
// that fails and forgets, likewise: what is acknowledged under group stands in the journal.

// budget is the ledger of faults.
type budget struct {
	run  *run
	mode scenarios.Budget
	// all is set when everything is void; cause says by what.
	all   bool
	cause string
	// damaged: bytes at rest are not what they were, in places that are void.
	damaged bool
	// indexes, by folder and name without suffix, were damaged once. An index has no checksum:
	// what is read by way of a wrong entry is found wrong, and recovery may copy the entry.
	indexes map[string]bool
}

// noteIndexes remembers the indexes among files that are damaged.
func (b *budget) noteIndexes(files ...string) {
	for _, file := range files {
		if ext := path.Ext(file); ext == ".index" || ext == ".timeindex" {
			b.indexes[indexName(file)] = true
		}
	}
}

// indexName is what the files of a segment have in common.
func indexName(file string) string {
	folder, name := path.Split(file)
	return path.Base(folder) + "/" + strings.TrimSuffix(name, path.Ext(name))
}

// allowDisk is asked before each fault of the device.
func (b *budget) allowDisk(ev simdisk.FaultEvent) bool {
	switch ev.Kind {
	case simdisk.FaultBitRot, simdisk.FaultLatentSector, simdisk.FaultMisdirectedWrite:
		b.noteIndexes(ev.Path, ev.Other)
		ok := b.may(ev.Kind.String(), ev.Path, false) &&
			(ev.Other == "" || b.may(ev.Kind.String(), ev.Other, false))
		b.damaged = b.damaged || ok && (b.all || b.anyVoid())
		return ok
	case simdisk.FaultSyncLie, simdisk.FaultLostWriteBack:
		if ev.Model == simdisk.Shutdown.String() { // the whole volume suffers a power loss
			voids, ok := b.losePower(ev.Kind.String())
			b.run.counts["fault/void"] += len(voids)
			return ok
		}
		return b.may(ev.Kind.String(), ev.Path, true)
	}
	return true
}

// may decides about a fault that can destroy what is in a file; osOnly: only what the file
// holds in the page cache alone.
func (b *budget) may(kind, file string, osOnly bool) bool {
	all, victim := b.hit(file)
	switch {
	case victim != nil && osOnly && !victim.flushOS, all && osOnly, !all && victim == nil:
		return true
	case b.mode != scenarios.Spend:
		b.run.counts["fault/vetoed"]++
		return false
	}
	b.run.counts["fault/void"]++
	if all {
		b.voidAll(kind)
	} else {
		victim.void = kind
		victim.damaged = victim.damaged || !osOnly
	}
	return true
}

// hit tells what a file holds that nothing else does: everything, or a log.
func (b *budget) hit(file string) (all bool, victim *replica) {
	dir := path.Dir(file)
	if path.Base(dir) == log.JournalFolder {
		return true, nil
	}
	if path.Ext(file) != ".log" && path.Base(file) != topicIDFile {
		return false, nil
	}
	tp, err := kafka.ParseTopicPartition(path.Base(dir))
	if err != nil {
		return false, nil
	}
	if tp.Topic == kafka.MetadataTopic {
		return true, nil
	}
	return false, b.run.ledger.replicas[tp]
}

// allow is asked before each fault of a machine.
func (b *budget) allow(f *sim.Fault) sim.Verdict {
	switch f.Kind.String() {
	case "process.power-loss":
		return b.allowPower(f)
	case "disk.exchanged":
		if b.mode != scenarios.Spend {
			return b.veto()
		}
		b.voidAll(f.Kind.String())
		f.Voids = []string{"everything"}
		return sim.Void
	}
	return sim.Allow
}

func (b *budget) veto() sim.Verdict {
	b.run.counts["fault/vetoed"]++
	return sim.Veto
}

// allowPower decides about a loss of power.
func (b *budget) allowPower(f *sim.Fault) sim.Verdict {
	voids, ok := b.losePower(f.Kind.String())
	switch {
	case !ok:
		return sim.Veto
	case len(voids) > 0:
		f.Voids = voids
		return sim.Void
	}
	return sim.Allow
}

// losePower takes from logs of flush os what was not synced, if that may be.
func (b *budget) losePower(kind string) (voids []string, ok bool) {
	for _, r := range b.run.ledger.order {
		if !r.flushOS || r.deleted || r.durable == r.start {
			continue
		}
		if b.mode != scenarios.Spend {
			b.run.counts["fault/vetoed"]++
			return nil, false
		}
		r.void = kind
		voids = append(voids, r.tp.String())
	}
	return voids, true
}

func (b *budget) voidAll(kind string) {
	b.all = true
	if b.cause == "" {
		b.cause = kind
	}
}

func (b *budget) anyVoid() bool {
	for _, r := range b.run.ledger.order {
		if r.void != "" {
			return true
		}
	}
	return b.all
}

// voided names the partitions that may have lost something.
func (b *budget) voided() (names []string) {
	for _, r := range b.run.ledger.order {
		if r.void != "" {
			names = append(names, r.tp.String())
		}
	}
	return names
}

// String says what is void, for reports.
func (b *budget) String() string {
	if b.all {
		return "everything is void: " + b.cause
	}
	return fmt.Sprintf("void: %v", b.voided())
}
