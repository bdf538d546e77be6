package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"
)

// lineBytesMax bounds one line of input: a record must fit max.message.bytes anyway.
const lineBytesMax = 16 << 20

func produceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "produce TOPIC",
		Short: "Write the lines of standard input as records",
		Example: `  echo hello | tidemark produce greetings
  printf 'k1:v1\nk2:v2\n' | tidemark produce orders --key-separator : --acks all`,
		Args: exactArgs(1, "the topic's name"),
	}
	bootstrap := bootstrapFlag(cmd)
	var opts produceOptions
	flags := cmd.Flags()
	flags.StringVar(&opts.acks, "acks", "all",
		"wait for: 0 (nobody), 1 (the leader), all (every in-sync replica)")
	flags.StringVar(&opts.separator, "key-separator", "", "split each line into key and value at this text")
	flags.Int32Var(&opts.partition, "partition", -1, "write to this partition only")
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
		count, err := opts.produceLines(cmd.Context(), client, cmd.InOrStdin())
		fmt.Fprintf(cmd.ErrOrStderr(), "%d records acknowledged\n", count)
		return err
	}
	return cmd
}

type produceOptions struct {
	acks      string
	separator string
	partition int32
}

func (o *produceOptions) client(topic string) ([]kgo.Opt, error) {
	opts := []kgo.Opt{kgo.DefaultProduceTopic(topic), kgo.AllowAutoTopicCreation()}
	switch o.acks {
	case "all", "-1":
		opts = append(opts, kgo.RequiredAcks(kgo.AllISRAcks()))
	case "1":
		opts = append(opts, kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite())
	case "0":
		opts = append(opts, kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite())
	default:
		return nil, usageErrorf("--acks %q: want 0, 1 or all", o.acks)
	}
	if o.partition >= 0 {
		opts = append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	}
	return opts, nil
}

// produceLines sends in and waits; the count is of records acknowledged without error.
func (o *produceOptions) produceLines(ctx context.Context, client *kgo.Client, in io.Reader) (int, error) {
	var (
		mu    sync.Mutex // guards acked and first
		acked int
		first error
	)
	done := func(_ *kgo.Record, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			acked++
		} else if first == nil {
			first = err
		}
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), lineBytesMax)
	for number := 1; lines.Scan() && ctx.Err() == nil; number++ {
		record, err := o.record(lines.Text(), number)
		if err != nil {
			done(nil, err)
			break
		}
		client.Produce(ctx, record, done)
	}
	flushErr := client.Flush(ctx)
	mu.Lock()
	defer mu.Unlock()
	return acked, errors.Join(first, lines.Err(), flushErr)
}

func (o *produceOptions) record(line string, number int) (*kgo.Record, error) {
	record := &kgo.Record{Partition: max(o.partition, 0)}
	if o.separator == "" {
		record.Value = []byte(line)
		return record, nil
	}
	key, value, ok := strings.Cut(line, o.separator)
	if !ok {
		return nil, usageErrorf("line %d has no key separator %q", number, o.separator)
	}
	record.Key, record.Value = []byte(key), []byte(value)
	return record, nil
}
