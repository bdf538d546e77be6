// Command mutants builds each broken version of the product kept in scenarios/museum and
// lets the simulator hunt it. It needs the Go toolchain and the sources.
package main
