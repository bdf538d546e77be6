package bench

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// Size of a plot on a terminal, without its axes.
const (
	plotWidth  = 72
	plotHeight = 14
)

// marks tell the targets apart where there is no colour.
const marks = "●○▲△■□◆◇"

// Plot draws the latencies of a case for a terminal. It prints nothing if there are none.
func (r *Result) Plot(out io.Writer) error {
	curves := r.curves()
	if len(curves) == 0 {
		return nil
	}
	f := frameOf(curves)
	var rows [plotHeight][plotWidth]rune
	for i, c := range curves {
		mark := []rune(marks)[i%len([]rune(marks))]
		for _, p := range c.points {
			x, y := f.place(p)
			rows[plotHeight-1-at(y, plotHeight)][at(x, plotWidth)] = mark
		}
	}
	var b strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&b, "%9s ┤", f.label(i))
		for _, mark := range row {
			if mark == 0 {
				mark = ' '
			}
			b.WriteRune(mark)
		}
		b.WriteByte('\n')
	}
	b.WriteString(strings.Repeat(" ", 10) + "└" + strings.Repeat("─", plotWidth) + "\n" + f.axis() + "\n")
	for i, c := range curves {
		fmt.Fprintf(&b, "           %c %s\n", []rune(marks)[i%len([]rune(marks))], c.target)
	}
	text := strings.ReplaceAll(b.String(), " \n", "\n")
	for strings.Contains(text, " \n") {
		text = strings.ReplaceAll(text, " \n", "\n")
	}
	_, err := io.WriteString(out, text)
	return err
}

func at(share float64, size int) int { return min(size-1, max(0, int(share*float64(size)))) }

// label names the latency of every third line.
func (f frame) label(row int) string {
	if row%3 != 0 && row != plotHeight-1 {
		return ""
	}
	share := (float64(plotHeight-1-row) + 0.5) / plotHeight
	return short(math.Pow(10, f.down+share*(f.up-f.down))) + " ms"
}

// axis names the percentiles below the plot.
func (f frame) axis() string {
	line := []rune(strings.Repeat(" ", 11+plotWidth+8))
	for decade := 0; float64(decade) <= f.right; decade++ {
		copy(line[11+at(float64(decade)/f.right, plotWidth):], []rune(percent(decade)))
	}
	return strings.TrimRight(string(line), " ") + " percent"
}
