// Package simdisk is the simulated disk behind env.Disk: bytes that a crash may take back.
package simdisk
