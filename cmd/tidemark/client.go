package main

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// clientTimeout bounds how long a command waits for a broker that does not answer.
const clientTimeout = 10 * time.Second

// bootstrapFlag adds --bootstrap to a command that talks to brokers.
func bootstrapFlag(cmd *cobra.Command) *string {
	return cmd.Flags().StringP("bootstrap", "b", "localhost:9092",
		"brokers to ask first, host:port[,host:port…]")
}

// newClient connects and makes sure that somebody answers, so that a wrong address is an
// error at once and not a retry without end.
func newClient(ctx context.Context, bootstrap string, opts ...kgo.Opt) (*kgo.Client, error) {
	seeds := strings.Split(bootstrap, ",")
	for _, s := range seeds {
		if _, _, err := net.SplitHostPort(s); err != nil {
			return nil, usageErrorf("--bootstrap %q: want host:port, for example localhost:9092", s)
		}
	}
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(seeds...),
		kgo.ClientID("tidemark-cli"),
		kgo.RetryTimeout(clientTimeout),
	}, opts...)...)
	if err != nil {
		return nil, usageErrorf("%v", err)
	}
	pingCtx, cancel := context.WithTimeout(ctx, clientTimeout)
	defer cancel()
	if err := client.Ping(pingCtx); err != nil {
		client.Close()
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, ctx.Err()
		}
		return nil, exitErrorf(exitFailure, "no broker answers at %s: %v", bootstrap, err)
	}
	return client, nil
}

// withAdmin runs f with an admin client.
func withAdmin(ctx context.Context, bootstrap string, f func(context.Context, *kadm.Client) error) error {
	client, err := newClient(ctx, bootstrap)
	if err != nil {
		return err
	}
	defer client.Close()
	callCtx, cancel := context.WithTimeout(ctx, clientTimeout)
	defer cancel()
	return f(callCtx, kadm.NewClient(client))
}
