package node

import "time"

// reportRecovery says in numbers what the start did to each log directory.
func (n *Node) reportRecovery() {
	for _, r := range n.broker.Recoveries() {
		how := "after a clean stop"
		switch {
		case r.Logs == 0:
			how = "nothing: the directory is new"
		case !r.Clean:
			how = "after a crash"
		}
		n.log.Info("recovered "+how, "directory", r.Path, "logs", r.Logs, "segments", r.Segments,
			"journal groups", r.Journal.Groups, "journal bytes", r.Journal.Bytes,
			"bytes read back", r.BytesScanned, "logs cut", r.CutLogs, "bytes cut", r.CutBytes,
			"indexes rebuilt", r.IndexesRebuilt, "took", r.Duration.Round(time.Microsecond).String())
		if r.ReserveGiven {
			n.log.Warn("the volume is full: the reserve was given up so that recovery could write; "+
				"free some space before the next start", "directory", r.Path)
		}
		for _, stray := range r.Strays {
			n.log.Warn("set aside: the metadata knows no such topic; delete the folder or move it back",
				"was", stray.From, "is now", stray.To)
		}
		for _, damage := range r.Damages {
			n.log.Error("damaged: these bytes are kept and never served", "where", damage.String())
		}
		if more := r.DamageCount - len(r.Damages); more > 0 {
			n.log.Error("more damages not listed", "count", more)
		}
	}
}

// reportSpace tells of a volume that is nearly full, and of one that is no longer.
func (n *Node) reportSpace(dir string, tight bool, free int64) {
	if tight {
		n.log.Error("the volume is nearly full: records are refused with KAFKA_STORAGE_ERROR until there is room; "+
			"reads go on", "directory", dir, "bytes free", free)
		return
	}
	n.log.Info("there is room again: records are taken", "directory", dir, "bytes free", free)
}
