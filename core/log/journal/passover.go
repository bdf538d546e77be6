package journal

import "slices"

// # Files that need not be read
//
//	front of file     g40   g55   g71   g90   g97     in the order in which they were begun
//	its groups        –54   –70   –89   –96   …       checkpoint of g90: 75
//	                  past  past
//
// One group is in flight at a time, and a boot goes on at the newest durable one, which it
// writes again. So whatever was written before a file was begun is at most one above that
// file's first group: the groups of the file before, and what is left there of older
// generations. When the newest file was begun, the first group of the file before it was
// durable, and so was its checkpoint: what lies below that is not needed, not even after a
// crash of this boot. Files that hold nothing else are free, and there may be more of them
// than of the others.
//
// All this is a guess from headers, which rot or a boot that was cut short may have made
// wrong. If what is then read is not sound, or needs groups from below, everything is read
// (NewScan).

// passOver marks the files that need not be read.
func (s *Scan) passOver() {
	var files []*scanned // the newest first
	for _, f := range s.files {
		if f.begins {
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b *scanned) int { return compare(b.first.generation, a.first.generation) })
	if len(files) < 3 {
		return
	}
	low := files[1].first.checkpointBelow
	for i, f := range files[1:] {
		if next := files[i]; next.first.seq+1 < low {
			f.past, s.low = true, low
		}
	}
}
