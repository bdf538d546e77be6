package main

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/tidemark-log/tidemark/node"
)

// barAfter is how long a recovery may take before a bar is shown: most are over at once.
const barAfter = 500 * time.Millisecond

// recoveryView shows on a terminal how far recovery is, and takes the log's lines, so that
// they go above the bar and not through it. Elsewhere it only takes the lines.
type recoveryView struct {
	out      *os.File
	terminal bool
	began    time.Time

	mu   sync.Mutex // guards what follows; the log writes from any goroutine
	pool *mpb.Progress
	bar  *mpb.Bar
	at   node.Progress
}

func newRecoveryView(out *os.File) *recoveryView {
	return &recoveryView{out: out, terminal: term.IsTerminal(int(out.Fd())), began: time.Now()}
}

// Write implements io.Writer for the log.
func (v *recoveryView) Write(line []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out io.Writer = v.out
	if v.pool != nil {
		out = v.pool
	}
	return out.Write(line)
}

// show takes the progress of a recovery.
func (v *recoveryView) show(p node.Progress) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.terminal || v.pool == nil && time.Since(v.began) < barAfter {
		return
	}
	if v.pool == nil {
		v.pool = mpb.New(mpb.WithOutput(v.out), mpb.WithWidth(40))
	}
	if v.bar == nil || v.at.Phase != p.Phase || v.at.Path != p.Path {
		v.drop()
		v.bar = v.pool.AddBar(total(p), mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name(p.Phase.String()+"  ")),
			mpb.AppendDecorators(counters(p), decor.Name("  "), decor.AverageETA(decor.ET_STYLE_GO)))
	}
	v.at = p
	v.bar.SetCurrent(done(p))
}

func counters(p node.Progress) decor.Decorator {
	if p.BytesTotal > 0 {
		return decor.CountersKibiByte("% .1f of % .1f")
	}
	return decor.CountersNoUnit("%d of %d logs")
}

func total(p node.Progress) int64 {
	if p.BytesTotal > 0 {
		return p.BytesTotal
	}
	return int64(p.LogsTotal)
}

func done(p node.Progress) int64 {
	if p.BytesTotal > 0 {
		return p.Bytes
	}
	return int64(p.Logs)
}

func (v *recoveryView) drop() {
	if v.bar != nil {
		v.bar.Abort(true)
		v.bar = nil
	}
}

// end takes the bar away.
func (v *recoveryView) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.pool != nil {
		v.drop()
		v.pool.Wait()
		v.pool = nil
	}
}
