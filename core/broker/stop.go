package broker

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Quiesce is the first half of a clean stop: the clients are sent away, what is not in its
// files yet is written out in the background, and quiet is called once, from Drained, when
// that is done and the disks have nothing in flight. Stop may follow then, or at any time.
func (b *Broker) Quiesce(quiet func()) {
	b.leaving, b.quiet = true, quiet
	b.sendClientsAway()
	for _, d := range b.dirs {
		d.WriteOut()
	}
}

// tellQuiet calls what Quiesce was given when the time has come.
func (b *Broker) tellQuiet() {
	if b.quiet == nil {
		return
	}
	for _, d := range b.dirs {
		if d.Err() == nil && !d.Idle() {
			return
		}
	}
	if b.snapshots.writing != nil {
		return // given up with the completion of what is in flight
	}
	quiet := b.quiet
	b.quiet = nil
	quiet()
}

func (b *Broker) sendClientsAway() {
	for _, id := range slices.Sorted(maps.Keys(b.conns)) {
		b.env.Net.Close(id)
		b.forget(b.conns[id], "stop")
	}
}

// Stop ends the broker cleanly and blocks on the disk: open calls are given up, logs are
// written out and marked clean. No event may follow.
func (b *Broker) Stop() error {
	if b.stopped {
		return nil
	}
	b.stopped = true
	b.sendClientsAway()
	b.collect()
	b.snapshots.stop()
	var errs []error
	for _, d := range b.dirs {
		if err := d.Close(); err != nil {
			errs = append(errs, fmt.Errorf("broker: close %s: %w", d.path, err))
		}
	}
	return errors.Join(errs...)
}
