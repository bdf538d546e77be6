//go:build !linux

package bench

import "time"

func preciseSleep() {}

func sleepUntil(due time.Time) { time.Sleep(time.Until(due)) }

func syncDisks() {}
