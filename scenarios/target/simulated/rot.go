package simulated

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/sim/engine"
)

// rotOne damages bytes at rest of a batch that was acknowledged, of a partition of the
// clients: a drawn one, or the newest. It reports false if there is none yet whose bytes have
// reached the device.
func (r *run) rotOne(c engine.Choice, ordinal uint64, newest bool) bool {
	var with []*replica
	for _, rep := range r.ledger.order {
		if !rep.deleted && rep.durable > rep.start && !strings.HasPrefix(rep.tp.Topic, "__") {
			with = append(with, rep)
		}
	}
	if len(with) == 0 {
		return false
	}
	rep := with[c.Of("log").Below(ordinal, uint64(len(with)))]
	acked := 0
	for acked < len(rep.batches) && rep.batches[acked].next <= rep.durable {
		acked++
	}
	if acked == 0 {
		return false
	}
	at := int(c.Of("batch").Below(ordinal, uint64(acked)))
	for i := range acked { // the next older one, until one lies on the device
		pick := (at - i + acked) % acked
		if newest {
			pick = acked - 1 - i
		}
		if file, pos, n := r.placeOf(rep, rep.batches[pick]); n > batchHead {
			// Behind the length: a batch that cannot be framed hides those behind it, too.
			off := pos + batchHead + int64(c.Of("byte").Below(ordinal, uint64(n-batchHead)))
			if id, err := r.broker.Disk().FlipBits(file, off); err == nil {
				return id != 0
			}
		}
		if newest && i >= rotTries {
			break
		}
	}
	return false
}

// batchHead is where what the checksum of a batch covers begins, and a little more.
const batchHead = 64

// placeOf finds a batch in the segment files: the file, the position and the length.
func (r *run) placeOf(rep *replica, b written) (file string, pos int64, n int) {
	disk := r.broker.Disk()
	for _, name := range disk.CachedFiles() {
		dir, in := path.Split(path.Dir(name))
		if in != rep.tp.String() || path.Ext(name) != ".log" || !slices.Contains(r.logDirs(), path.Clean(dir)) {
			continue
		}
		base, err := strconv.ParseInt(strings.TrimSuffix(path.Base(name), ".log"), 10, 64)
		if err == nil && base <= b.base {
			file = name // the last that begins at or before
		}
	}
	if file == "" {
		return "", 0, 0
	}
	rest, err := disk.ReadCached(file)
	if err != nil {
		return "", 0, 0
	}
	for len(rest) > 0 {
		batch, more, err := record.First(rest)
		if err != nil {
			return "", 0, 0
		}
		if int64(batch.BaseOffset()) == b.base {
			return file, pos, len(batch)
		}
		pos += int64(len(batch))
		rest = more
	}
	return "", 0, 0
}
