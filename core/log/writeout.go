package log

// WriteOut begins what Close would do blocking, log after log, in the background: everything
// is written out and synced, with indexes and producer state, several logs at a time.
// Idle waits for it. Nothing more is appended. A Close that cannot wait loses nothing.
func (d *Dir) WriteOut() {
	if d.err != nil || d.writingOut {
		return
	}
	d.writingOut = true
	for _, l := range d.order {
		if l.err == nil && !l.clean() {
			d.queueJob(l)
		}
	}
}

// writtenOut tells that nothing of WriteOut is left to be done.
func (d *Dir) writtenOut() bool {
	return !d.writingOut || len(d.jobs) == 0 && !d.journal.Waiting()
}

// jobsMax is how many logs are synced at a time. Who writes out leaves the device to nobody.
func (d *Dir) jobsMax() int {
	if d.writingOut {
		return writeOutJobsMax
	}
	return syncJobsMax
}
