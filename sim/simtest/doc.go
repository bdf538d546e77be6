// Package simtest gives a deterministic world of hosts to a Go test, by seed.
//
//	func TestLeaderIsFound(t *testing.T) {
//		simtest.Run(t, func(w *simtest.World) {
//			a := w.AddHost(sim.HostConfig{Name: "a", Boot: …})
//			a.Start(0)
//			w.RunFor(10 * time.Second)
//			…
//		}, simtest.Seeds(50), simtest.Storm())
//	}
//
// Each seed is a subtest with a fresh world: another network, other faults, other choices
// of every host. A seed that fails says how to run it alone. Some seeds are run twice and
// must give the same trace hash: a host that reads the real clock or ranges over a map in
// a way that shows is found by that.
//
// Its sibling node/nodetest has real sockets and files instead. Deliberately absent here:
// parallel seeds, goroutines, sleeping.
package simtest
