// Package claims is the table of what the product promises about records, and what it does
// not, and has every cell of it shown.
//
//	R1.yaml ─▶ Row ─▶ Cell ─┬─ holds:    seeds of its fault, none of which may lose
//	                        └─ may lose: a witness, which must lose in fixed steps, and
//	                                     seeds of its fault, one of which must
//	Verify ─▶ Verdict: HOLDS, MAY LOSE, VIOLATED, UNSEEN
//
// A claim that can never fail and a checker that can never complain look the same. So a cell
// that may lose must be seen to lose, and a run in which the fault did not happen counts for
// nothing: a cell with too many of those is UNSEEN, whatever it claims.
//
// Deliberately absent: the command line and the terminal (cmd/tidemark).
//
// Read row.go (the table), verify.go, page.go (docs/claims.md).
package claims
