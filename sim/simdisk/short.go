package simdisk

import "time"

// shortWrite draws how many bytes of a write go ahead of the rest, and how long the rest
// takes; 0: none.
func (in *injector) shortWrite(h *handle, k key, off int64, n int) (ft *fault, cut int, rest time.Duration) {
	decision, hit := in.decide(in.ShortWrite, purposeShortWrite, k)
	if !hit || n < 2 {
		return nil, 0, 0
	}
	cut = 1 + int(draw(decision, 0, uint64(n-1)))
	if h.direct {
		cut = cut / BlockSize * BlockSize
	}
	if cut == 0 || (h.file != nil && h.file.vol.shut) {
		return nil, 0, 0
	}
	ft = in.offer(purposeShortWrite, k, FaultEvent{Kind: FaultShortWrite, Path: k.obj.name,
		Off: off, Len: int64(cut)})
	return ft, cut, in.d.cfg.Latency.Write.of(spread(decision, 1), n-cut)
}

// goesAhead writes the first part of a write in flight, if that is what it draws. The rest
// lands later, and may fail or be taken by a crash.
func (in *injector) goesAhead(fl *flight) bool {
	if fl.kind != OpWrite || in.ShortWrite == 0 || fl.from > 0 || fl.fault != nil || fl.handle.file == nil {
		return false
	}
	ft, cut, rest := in.shortWrite(fl.handle, key{fl.obj, fl.ordinal}, fl.off, len(fl.data))
	if ft == nil || !in.ahead(fl.handle.file, ft, fl.off, fl.data[:cut]) {
		return false
	}
	fl.from, fl.part = cut, fl.handle.file.lastOp
	in.d.cfg.Schedule(rest, fl.land)
	return true
}

// pwriteAhead is goesAhead for a blocking write.
func (in *injector) pwriteAhead(h *handle, f *file, k key, off int64, data []byte) int {
	ft, cut, rest := in.shortWrite(h, k, off, len(data))
	if ft == nil || !in.ahead(f, ft, off, data[:cut]) {
		return 0
	}
	h.view.elapsed += rest
	return cut
}

func (in *injector) ahead(f *file, ft *fault, off int64, part []byte) bool {
	in.tick(f.vol)
	if f.scarred && in.deadEdge(f, off, len(part)) {
		return false
	}
	if in.d.write(f, off, part) != nil {
		return false
	}
	in.fire(ft)
	return true
}
