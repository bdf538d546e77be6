// Package model says what is allowed, as sequential specifications for porcupine.
//
//	partition.go  the log of one partition: appends at rising offsets, reads of prefixes
//
// The caller has resolved every operation of unknown effect before (a batch is in the final
// log or it is not), so that the order of the appends is known and the search is short. Long
// histories are cut where no operation is open: there the state is unique.
//
// Deliberately absent: reading of histories, naming of anomalies (package checker).
package model
