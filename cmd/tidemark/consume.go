package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"
)

func consumeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "consume TOPIC",
		Short: "Print the records of a topic",
		Example: `  tidemark consume greetings
  tidemark consume orders --partition 2 --from 1000 --count 10 --json
  tidemark consume orders --from latest`,
		Args: exactArgs(1, "the topic's name"),
	}
	bootstrap := bootstrapFlag(cmd)
	opts := consumeOptions{}
	flags := cmd.Flags()
	flags.StringVar(&opts.from, "from", "earliest", "where to begin: earliest, latest, or an offset")
	flags.Int32Var(&opts.partition, "partition", -1, "read this partition only")
	flags.Int64VarP(&opts.count, "count", "n", 0, "stop after so many records (0: never)")
	flags.DurationVar(&opts.idle, "idle", 0, "stop when nothing came for so long (0: never)")
	flags.BoolVar(&opts.json, "json", false,
		"print each record as a JSON object with partition, offset, timestamp, key, headers")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		kopts, err := opts.client(args[0])
		if err != nil {
			return err
		}
		client, err := newClient(cmd.Context(), *bootstrap, kopts...)
		if err != nil {
			return err
		}
		defer client.Close()
		return opts.run(cmd.Context(), client, cmd.OutOrStdout())
	}
	return cmd
}

type consumeOptions struct {
	from      string
	partition int32
	count     int64
	idle      time.Duration
	json      bool
}

func (o *consumeOptions) client(topic string) ([]kgo.Opt, error) {
	var from kgo.Offset
	switch o.from {
	case "earliest":
		from = kgo.NewOffset().AtStart()
	case "latest":
		from = kgo.NewOffset().AtEnd()
	default:
		offset, err := strconv.ParseInt(o.from, 10, 64)
		if err != nil || offset < 0 {
			return nil, usageErrorf("--from %q: want earliest, latest or an offset", o.from)
		}
		from = kgo.NewOffset().At(offset)
	}
	if o.partition < 0 {
		return []kgo.Opt{kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(from)}, nil
	}
	return []kgo.Opt{kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {o.partition: from}})}, nil
}

func (o *consumeOptions) run(ctx context.Context, client *kgo.Client, out io.Writer) error {
	w := bufio.NewWriter(out)
	defer w.Flush()
	for printed := int64(0); ; {
		fetches, err := o.poll(ctx, client)
		if err != nil {
			return err
		}
		if fetches.Empty() {
			return nil // idle for long enough
		}
		for _, record := range fetches.Records() {
			if err := o.print(w, record); err != nil {
				return err
			}
			if printed++; printed == o.count {
				return nil
			}
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
}

// poll waits for records; empty fetches without error mean that the idle time is over.
func (o *consumeOptions) poll(ctx context.Context, client *kgo.Client) (kgo.Fetches, error) {
	pollCtx, cancel := ctx, func() {}
	if o.idle > 0 {
		pollCtx, cancel = context.WithTimeout(ctx, o.idle)
	}
	defer cancel()
	fetches := client.PollFetches(pollCtx)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if pollCtx.Err() != nil && fetches.NumRecords() == 0 {
		return nil, nil
	}
	for _, e := range fetches.Errors() {
		if !errors.Is(e.Err, context.DeadlineExceeded) {
			return nil, exitErrorf(exitFailure, "consume %s-%d: %w", e.Topic, e.Partition, e.Err)
		}
	}
	return fetches, nil
}

type jsonRecord struct {
	Partition int32             `json:"partition"`
	Offset    int64             `json:"offset"`
	Timestamp int64             `json:"timestamp"`
	Key       *string           `json:"key"`
	Value     *string           `json:"value"`
	Headers   map[string]string `json:"headers,omitempty"`
}

func (o *consumeOptions) print(w *bufio.Writer, r *kgo.Record) error {
	if !o.json {
		_, err := w.Write(append(r.Value, '\n'))
		return err
	}
	j := jsonRecord{
		Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp.UnixMilli(),
		Key: nullable(r.Key), Value: nullable(r.Value),
	}
	for _, h := range r.Headers {
		if j.Headers == nil {
			j.Headers = make(map[string]string, len(r.Headers))
		}
		j.Headers[h.Key] = string(h.Value)
	}
	return json.NewEncoder(w).Encode(j)
}

func nullable(b []byte) *string {
	if b == nil {
		return nil
	}
	s := string(b)
	return &s
}
