package bench

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Table prints what a case showed: median [least–most] of the repetitions, and the ratio to
// the first target.
func (r *Result) Table(out io.Writer) error {
	fmt.Fprintf(out, "%s: %s\n", r.Case, About(r.Case))
	if r.Setup != "" {
		fmt.Fprintf(out, "%s\n", r.Setup)
	}
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	for _, line := range r.lines() {
		for i, text := range line {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, text)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// lines are the cells of the table as text, the heading first.
func (r *Result) lines() [][]string {
	head := append([]string{""}, r.Targets...)
	for _, t := range r.Targets[1:] {
		head = append(head, t+" / "+r.Targets[0])
	}
	lines := [][]string{head}
	for _, row := range r.Rows {
		line := []string{row.Name}
		for _, c := range row.Cells {
			line = append(line, c.String())
		}
		for _, c := range row.Cells[1:] {
			line = append(line, ratio(c.Ratio))
		}
		lines = append(lines, line)
	}
	return lines
}

func (c Cell) String() string {
	switch c.Count {
	case 0:
		return "–"
	case 1:
		return short(c.Median)
	}
	return fmt.Sprintf("%s [%s–%s]", short(c.Median), short(c.Min), short(c.Max))
}

func ratio(v float64) string {
	if v == 0 {
		return "–"
	}
	return short(v) + "×"
}

// short keeps three digits that count.
func short(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.095 || v == 0:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.2g", v)
}
