// Package codec is the one binary form of structured values: canonical MessagePack.
//
//	value ──▶ Marshal ──▶ check ──▶ bytes     one form for a value
//	bytes ──▶ Unmarshal ─▶ check ──▶ value    and nothing else is read
//
// Metadata records, messages between nodes, histories and tapes are written with it. One
// value has exactly one encoding, so that bytes can be compared, hashed and replayed:
// shortest numbers and lengths, map keys in ascending order, struct fields by name.
//
// Unmarshal is strict: unknown fields, trailing bytes and any other encoding of the same
// value are errors. A field that a newer version added must not be dropped in silence by
// an older reader, or two nodes make different states of one log; so a new field comes
// with a new version of its record, behind a feature level. Fields missing from the bytes
// keep their zero value, so a struct may grow and still read what was written before.
//
// Hostile input: the check walks the bytes before the library sees them, without
// allocating. Lengths are held against the bytes that remain and nesting is bounded
// (limits.go), so memory is bounded by the input times the size of an element.
//
// Maps are keyed by strings or integers. Absent: 32-bit floats (a second form of the same
// number), extensions, times, registered types.
//
// Read codec.go, then check.go.
package codec
