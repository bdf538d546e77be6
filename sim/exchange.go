package sim

import (
	"github.com/tidemark-log/tidemark/sim/engine"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

var faultExchange = engine.DefineFault("disk.exchanged")

// ExchangeDisk ends the process, if one runs, as if the power failed, and gives the machine
// an empty disk in place of the one it had. It returns the record, nil if a ledger vetoed it.
// The caller starts the next process.
func (h *Host) ExchangeDisk() *Fault {
	record := h.fault(faultExchange, "")
	record.To = record.From
	f := h.faults().Offer(record)
	if f == nil {
		return nil
	}
	h.PowerLoss()
	h.exchanges++
	clear(h.diskFaults)
	h.disk = simdisk.New(h.diskConfig())
	h.faults().Fired(f)
	h.crashedBy = f
	return f
}
