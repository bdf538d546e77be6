// Package timing counts how long things took, for the counters that rooms keep as plain
// structs: a histogram of fixed buckets, so that adding a duration is a short search and two
// additions, and a copy of it is a copy.
//
// Deliberately absent: clocks, names, quantiles. Who shows the counts works those out. Read
// histogram.go.
package timing
