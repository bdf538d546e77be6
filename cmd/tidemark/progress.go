package main

import (
	"encoding/json"
	"io"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// progressEvery is how often progress is told where there is no terminal.
const progressEvery = 10 * time.Second

// progress shows how far long work is: a bar on a terminal, JSON lines elsewhere.
type progress struct {
	what  string
	total int64
	done  int64
	began time.Time

	pool *mpb.Progress
	bar  *mpb.Bar

	out  io.Writer
	told time.Time
}

func newProgress(out io.Writer, what string, total int64) *progress {
	now := time.Now()
	p := &progress{what: what, total: total, out: out, began: now, told: now}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.pool = mpb.New(mpb.WithOutput(f), mpb.WithWidth(40))
		p.bar = p.pool.AddBar(total,
			mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name(what+"  ")),
			mpb.AppendDecorators(decor.CountersNoUnit("%d of %d"), decor.Name("  "),
				decor.AverageETA(decor.ET_STYLE_GO)))
	}
	return p
}

// step tells that one more is done.
func (p *progress) step() {
	p.done++
	if p.bar != nil {
		p.bar.Increment()
		return
	}
	if time.Since(p.told) < progressEvery {
		return
	}
	p.told = time.Now()
	line, err := json.Marshal(map[string]any{
		"progress": p.what, "done": p.done, "of": p.total, "seconds": int(time.Since(p.began).Seconds()),
	})
	if err == nil {
		_, _ = p.out.Write(append(line, '\n')) // progress is no result
	}
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.pool.Wait()
		p.bar = nil
	}
}
