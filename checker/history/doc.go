// Package history is what clients saw of a cluster, as plain data.
//
//	workload ──▶ Recorder ──▶ History ──▶ Encode ──▶ file ──▶ Decode ──▶ checker.Check
//	simulated disk ─────────▶ Final  ──┘      └────▶ WriteJSONL (for people and other tools)
//
// A history is a list of operations with an invocation and a completion. It may come from
// the simulator, from a cluster over TCP or from another tool: nothing in it knows a broker.
//
// Deliberately absent: judgement. What contradicts what is decided in package checker.
//
// Read op.go, then classify.go (what an error code proves), recorder.go, final.go, file.go.
package history
