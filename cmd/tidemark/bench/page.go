package bench

import (
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
)

// Page writes all results as one HTML page that needs nothing else: tables, and a plot of
// percentiles where latencies were measured.
func Page(out io.Writer, machine string, results []*Result) error {
	return page.Execute(out, map[string]any{"Machine": machine, "Results": results})
}

// Size of a plot in the page, and the room around it for axes.
const (
	svgWidth, svgHeight = 760, 320
	svgLeft, svgBottom  = 70, 40
	svgRight, svgTop    = 20, 10
)

var colours = []string{"#1b6ca8", "#c0392b", "#1e8449", "#8e44ad", "#b9770e", "#34495e"}

// SVG draws the latencies of a case; "" if there are none.
func (r *Result) SVG() template.HTML {
	curves := r.curves()
	if len(curves) == 0 {
		return ""
	}
	f := frameOf(curves)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" role="img" aria-label="latency by percentile">`,
		svgWidth, svgHeight)
	f.grid(&b)
	for i, c := range curves {
		colour := colours[i%len(colours)]
		b.WriteString(`<polyline fill="none" stroke-width="2" stroke="` + colour + `" points="`)
		for _, p := range c.points {
			x, y := f.place(p)
			fmt.Fprintf(&b, "%.1f,%.1f ", svgX(x), svgY(y))
		}
		b.WriteString(`"/>`)
		fmt.Fprintf(&b, `<text x="%d" y="%d" fill="%s">%s</text>`, svgLeft+12, svgTop+18+18*i, colour,
			template.HTMLEscapeString(c.target))
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

func svgX(share float64) float64 { return svgLeft + share*(svgWidth-svgLeft-svgRight) }
func svgY(share float64) float64 {
	return svgHeight - svgBottom - share*(svgHeight-svgBottom-svgTop)
}

// grid draws a line for each power of ten across, and for 1, 2 and 5 times each upwards.
func (f frame) grid(b *strings.Builder) {
	const line = `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#ddd"/>`
	for decade := 0; float64(decade) <= f.right; decade++ {
		x := svgX(float64(decade) / f.right)
		fmt.Fprintf(b, line, x, svgY(0), x, svgY(1))
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">%s %%</text>`,
			x, svgY(0)+16, percent(decade))
	}
	for power := math.Floor(f.down); power <= f.up; power++ {
		for _, digit := range []float64{1, 2, 5} {
			millis := digit * math.Pow(10, power)
			_, share := f.place(point{0, millis})
			if share < 0 || share > 1 {
				continue
			}
			fmt.Fprintf(b, line, svgX(0), svgY(share), svgX(1), svgY(share))
			fmt.Fprintf(b, `<text x="%d" y="%.1f" text-anchor="end">%s ms</text>`,
				svgLeft-6, svgY(share)+4, short(millis))
		}
	}
}

// Lines is the table as text, for the template.
func (r *Result) Lines() [][]string { return r.lines() }

// About is what the case measures.
func (r *Result) About() string { return About(r.Case) }

var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>tidemark bench</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums }
td, th { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #eee; white-space: nowrap }
td:first-child, th:first-child { text-align: left }
svg { width: 100%; font-size: 12px } svg text { fill: #555 } svg text[fill] { font-size: 14px }
p { color: #555 }
</style>
<h1>tidemark bench</h1>
<p>{{.Machine}}. Median [least–most] of the repetitions; a ratio is the median of those
within a repetition.</p>
{{range .Results}}
<h2>{{.Case}}</h2>
<p>{{.About}}{{with .Setup}}; {{.}}{{end}}</p>
<table>{{range $i, $line := .Lines}}<tr>{{range $line}}{{if $i}}<td>{{.}}{{else}}<th>{{.}}{{end}}{{end}}</tr>
{{end}}</table>
{{.SVG}}
{{end}}</html>
`))
