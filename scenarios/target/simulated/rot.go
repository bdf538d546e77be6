package simulated

import (
	"bytes"
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
	first := c.Of("log").Below(ordinal, uint64(len(with)))
	for i := range with {
		rep := with[(int(first)+i)%len(with)]
		if hit, tried := r.rotIn(rep, c, ordinal, newest); tried {
			return hit
		}
	}
	return false
}

// rotIn damages an acknowledged batch of a log. Tried: there was one on the device.
func (r *run) rotIn(rep *replica, c engine.Choice, ordinal uint64, newest bool) (hit, tried bool) {
	acked := 0
	for acked < len(rep.batches) && rep.batches[acked].next <= rep.durable {
		acked++
	}
	at := int(c.Of("batch").Below(ordinal, uint64(acked)))
	for i := range min(acked, rotTries) { // the next older one, until one lies on the device
		pick := (at - i + acked) % acked
		if newest {
			pick = acked - 1 - i
		}
		file, pos, n := r.placeOf(rep, rep.batches[pick])
		if n <= batchHead {
			continue
		}
		// Behind the length: a batch that cannot be framed hides those behind it, too.
		off := pos + batchHead + int64(c.Of("byte").Below(ordinal, uint64(n-batchHead)))
		if id, err := r.broker.Disk().FlipBits(file, off); err == nil {
			return id != 0, true
		}
	}
	return false, false
}

// batchHead is where what the checksum of a batch covers begins, and a little more.
const batchHead = 64

// placeOf finds a batch in the segment files, if its bytes are at rest: in a segment that is
// not the last, and nothing of that waits to be written. It gives the file, the position and the
// length; 0: there is no such place.
func (r *run) placeOf(rep *replica, b written) (file string, pos int64, n int) {
	disk := r.broker.Disk()
	last := ""
	for _, name := range disk.CachedFiles() {
		dir, in := path.Split(path.Dir(name))
		if in != rep.tp.String() || path.Ext(name) != ".log" || !slices.Contains(r.logDirs(), path.Clean(dir)) {
			continue
		}
		base, err := strconv.ParseInt(strings.TrimSuffix(path.Base(name), ".log"), 10, 64)
		if last = name; err == nil && base <= b.base {
			file = name // the last that begins at or before
		}
	}
	if file == last {
		return "", 0, 0
	}
	rest, err := disk.ReadCached(file)
	if err != nil {
		return "", 0, 0
	}
	if durable, err := disk.ReadDurable(file); err != nil || !bytes.Equal(rest, durable) {
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
