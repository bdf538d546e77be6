package claims

import (
	"fmt"
	"strings"
)

// Page is docs/claims.md: every row, in words.
func Page(rows []*Row) string {
	var b strings.Builder
	b.WriteString(`# What is promised about records

<!-- Generated from scenarios/claims. Change the tables there, then run make docs -->

Each cell is shown by ` + "`tidemark verify`" + `: a cell that holds loses nothing in any of its
seeds, and one that may lose is seen to lose, by the witness named in it, told in fixed steps, and by
seeds. A run in which the fault did not happen counts for nothing.
`)
	for _, r := range rows {
		r.page(&b)
	}
	return b.String()
}

func (r *Row) page(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s: %s\n\n%s\n", r.Name, r.Title, wrap(r.Says))
	b.WriteString("\n| property | what it says |\n|---|---|\n")
	for _, p := range r.Properties {
		fmt.Fprintf(b, "| %s | %s |\n", p.Name, p.Says)
	}
	names := make([]string, len(r.Properties))
	for i, p := range r.Properties {
		names[i] = p.Name
	}
	fmt.Fprintf(b, "\nWhat follows is claimed of %s alike.\n", strings.Join(names, " and "))
	b.WriteString("\n| fault | what happens | `flush.policy=group` | `flush.policy=os` |\n|---|---|---|---|\n")
	for i := range r.Faults {
		f := &r.Faults[i]
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", f.Name, f.Says, f.Group, f.OS)
	}
	b.WriteString("\n| witness | how it loses |\n|---|---|\n")
	for _, w := range r.Witnesses {
		fmt.Fprintf(b, "| %s | %s |\n", w.Name, strings.TrimSpace(w.Says))
	}
}

// String is the claim for the page.
func (c Claim) String() string {
	if c.Holds() {
		return "holds"
	}
	return "may lose, " + c.Witness
}

// wrap breaks a paragraph into lines of a page.
func wrap(text string) string {
	const width = 110
	var b strings.Builder
	at := 0
	for _, word := range strings.Fields(text) {
		switch {
		case at == 0:
		case at+1+len(word) > width:
			b.WriteByte('\n')
			at = 0
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += len(word)
	}
	return b.String()
}
