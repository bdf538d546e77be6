package broker

import "github.com/tidemark-log/tidemark/core/log"

// DirRecovery is what opening one log directory took.
type DirRecovery struct {
	Path string
	log.Recovery
	// Strays are logs that were set aside. Nothing deletes them but the operator.
	Strays []Stray
}

// Recoveries tells what Boot found and did, for the operator, by log directory.
func (b *Broker) Recoveries() []DirRecovery {
	all := make([]DirRecovery, len(b.dirs))
	for i, d := range b.dirs {
		all[i] = DirRecovery{d.path, d.recovery, d.strays}
	}
	return all
}
