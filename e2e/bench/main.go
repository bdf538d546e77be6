package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tidemark-log/tidemark/cmd/tidemark/bench"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c comparison
	flag.StringVar(&c.binary, "binary", "bin/tidemark", "the tidemark to measure")
	flag.StringVar(&c.dir, "dir", "", "`folder` for the brokers' files, on the disk to measure")
	flag.StringVar(&c.jsonl, "jsonl", "", "append a JSON line per measurement to this `file`")
	flag.StringVar(&c.html, "html", "", "write tables and plots to this `file`")
	flag.IntVar(&c.percent, "percent", 100, "length of all loads; less than 100 says less")
	only := flag.String("only", "", "comma-separated `stages` to measure (default: all)")
	flag.Parse()
	c.out, c.diag = os.Stdout, os.Stderr
	err := c.pick(*only)
	if err == nil {
		err = c.run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// comparison is one run.
type comparison struct {
	binary, dir, jsonl, html string
	percent                  int
	out, diag                io.Writer

	began   time.Time
	start   bool           // measure starts
	stages  []stage        // measured with the brokers running
	targets []bench.Target // Kafka first, if it is there
	lines   *json.Encoder
	results []*bench.Result
}

func (c *comparison) say(format string, args ...any) {
	fmt.Fprintf(c.diag, "%4.0fs  "+format+"\n", append([]any{time.Since(c.began).Seconds()}, args...)...)
}

func (c *comparison) run(ctx context.Context) (err error) {
	c.began = time.Now()
	dir, err := os.MkdirTemp(c.dir, "tidemark-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c.lines = json.NewEncoder(io.Discard)
	if c.jsonl != "" {
		f, err := os.OpenFile(c.jsonl, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		defer f.Close()
		c.lines = json.NewEncoder(f)
	}
	if err := c.lay(ctx, dir); err != nil {
		return err
	}
	if err := c.measureAll(ctx); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s, %s\n\n", time.Now().UTC().Format(time.DateOnly), bench.Machine())
	printGoals(c.out, c.results)
	if c.html == "" {
		return nil
	}
	f, err := os.Create(c.html)
	if err != nil {
		return err
	}
	return errors.Join(bench.Page(f, bench.Machine(), c.results), f.Close())
}
