package journal

import "fmt"

// NewFullScan is NewScan that reads every file.
func NewFullScan(cfg Config) (*Scan, error) { return newScan(cfg, false) }

// Outcome tells all that a boot does by a scan.
func (s *Scan) Outcome() string {
	out := fmt.Sprintf("id=%d last=%d generation=%d needed=%v torn=%d/%d", s.id, s.last, s.maxGen, s.needed,
		s.report.TornGroups, s.report.TornBytes)
	for _, g := range s.groups {
		out += fmt.Sprintf(" %d@%d:%d", g.seq, g.file, g.pos)
	}
	return out
}

// PassedOver counts the files that were not read.
func (s *Scan) PassedOver() (n int) {
	for _, f := range s.files {
		if f.past {
			n++
		}
	}
	return n
}
