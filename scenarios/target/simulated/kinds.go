package simulated

import "github.com/tidemark-log/tidemark/core/trace"

// Kinds of events are known by their names, which are an API; their numbers are not.
var (
	kindAppend    = kindOf("log.append")
	kindDurable   = kindOf("log.durable")
	kindRecovered = kindOf("log.recovered")
	kindStart     = kindOf("log.start")
	kindTruncate  = kindOf("log.truncate")
	kindCreated   = kindOf("log.created")
	kindDeleted   = kindOf("log.deleted")
	kindPolicy    = kindOf("log.policy")
	kindAck       = kindOf("ack")
	kindHW        = kindOf("hw")
	kindHostStart = kindOf("host-start")
	kindHostLive  = kindOf("host-live")
	kindHostKill  = kindOf("host-kill")
	kindHostStop  = kindOf("host-stop")
	kindPowerLoss = kindOf("host-power-loss")
	kindOffline   = kindOf("log.offline")
	kindOpened    = kindOf("log.opened")
	kindDamaged   = kindOf("log.damaged")
	kindDirFailed = kindOf("dir-failed")
)

// kindsMax ends the search for a kind that is not there.
const kindsMax = 1000

func kindOf(name string) trace.Kind {
	for k := trace.Kind(1); k < kindsMax; k++ {
		if k.Name() == name {
			return k
		}
	}
	panic("simulated: no trace kind " + name)
}
