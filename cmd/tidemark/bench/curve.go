package bench

import (
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// # A curve of percentiles
//
// Across: how rare, by powers of ten: 0, 90, 99, 99.9 … percent have the same distance, so
// that the tail has as much room as the middle. Up: how long, by powers of ten.

// curve is one target's latencies.
type curve struct {
	target string
	points []point
}

// point says that one in 10^rarity records took at least so long.
type point struct{ rarity, millis float64 }

// pointsPerDecade is how closely a curve is sampled.
const pointsPerDecade = 40

// curves gives the targets' curves, each as far as its records reach: with a thousand of
// them, nothing is known of one in ten thousand.
func (r *Result) curves() []curve {
	var all []curve
	for i, h := range r.Latency {
		if h != nil && h.TotalCount() > 0 {
			all = append(all, curve{r.Targets[i], sample(h)})
		}
	}
	return all
}

func sample(h *hdrhistogram.Histogram) []point {
	var points []point
	end := math.Log10(float64(h.TotalCount()))
	for i := 0; float64(i)/pointsPerDecade <= end; i++ {
		rarity := float64(i) / pointsPerDecade
		quantile := 100 * (1 - math.Pow(10, -rarity))
		points = append(points, point{rarity, float64(h.ValueAtQuantile(quantile)) * millisPerNano})
	}
	return points
}

// frame is the part of the plane that holds all curves; up and down are powers of ten.
type frame struct{ right, down, up float64 }

func frameOf(curves []curve) frame {
	f := frame{right: 1, down: math.Inf(1), up: math.Inf(-1)}
	for _, c := range curves {
		for _, p := range c.points {
			v := math.Log10(max(p.millis, millisPerNano))
			f.right, f.down, f.up = max(f.right, p.rarity), min(f.down, v), max(f.up, v)
		}
	}
	// A little more than the curves, so that none lies on the border.
	f.down, f.up = f.down-0.05, f.up+0.05
	return f
}

// place gives where a point lies: 0 to 1 from the left and from the bottom.
func (f frame) place(p point) (x, y float64) {
	return p.rarity / f.right, (math.Log10(max(p.millis, millisPerNano)) - f.down) / (f.up - f.down)
}

// percent names a power of ten on the axis across: 0 is the least, 2 is 99 percent.
func percent(decade int) string {
	switch decade {
	case 0:
		return "0"
	case 1:
		return "90"
	case 2:
		return "99"
	}
	text := "99."
	for range decade - 2 {
		text += "9"
	}
	return text
}
