package main

import (
	"context"
	"fmt"
	"io"
	"sort"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/tidemark-log/tidemark/core/kafka"
)

func topicCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "topic",
		Short: "Create, list, describe and delete topics",
	}
	cmd.AddCommand(topicCreateCommand(), topicListCommand(), topicDescribeCommand(), topicDeleteCommand())
	return cmd
}

func topicCreateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a topic",
		Example: `  tidemark topic create orders --partitions 6
  tidemark topic create audit --config retention.ms=-1 --config flush.policy=group`,
		Args: exactArgs(1, "the topic's name"),
	}
	bootstrap := bootstrapFlag(cmd)
	partitions := cmd.Flags().Int32P("partitions", "p", -1,
		"number of partitions (-1: the broker's num.partitions)")
	factor := cmd.Flags().Int16P("replication-factor", "r", -1,
		"copies of each partition (-1: the broker's default)")
	configs := cmd.Flags().StringArrayP("config", "c", nil, "topic config, key=value; may be given again")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		settings, err := parseConfigs(*configs)
		if err != nil {
			return err
		}
		return withAdmin(cmd.Context(), *bootstrap, func(ctx context.Context, admin *kadm.Client) error {
			created, err := admin.CreateTopic(ctx, *partitions, *factor, settings, args[0])
			if err != nil {
				return topicError("create", args[0], created.ErrMessage, err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "created topic %s with %d partitions, replication factor %d\n",
				created.Topic, created.NumPartitions, created.ReplicationFactor)
			return nil
		})
	}
	return cmd
}

func topicListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List topics",
		Args:  exactArgs(0, "no arguments"),
	}
	bootstrap := bootstrapFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return withAdmin(cmd.Context(), *bootstrap, func(ctx context.Context, admin *kadm.Client) error {
			topics, err := admin.ListTopics(ctx)
			if err != nil {
				return err
			}
			for _, name := range topics.Names() {
				fmt.Fprintln(cmd.OutOrStdout(), name)
			}
			return nil
		})
	}
	return cmd
}

func topicDescribeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "describe NAME",
		Short: "Show a topic's partitions, offsets and configs",
		Args:  exactArgs(1, "the topic's name"),
	}
	bootstrap := bootstrapFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return withAdmin(cmd.Context(), *bootstrap, func(ctx context.Context, admin *kadm.Client) error {
			return describeTopic(ctx, cmd.OutOrStdout(), admin, args[0])
		})
	}
	return cmd
}

func describeTopic(ctx context.Context, out io.Writer, admin *kadm.Client, name string) error {
	topics, err := admin.ListTopics(ctx, name)
	if err != nil {
		return err
	}
	topic := topics[name]
	if topic.Err != nil {
		return topicError("describe", name, "", topic.Err)
	}
	starts, err := admin.ListStartOffsets(ctx, name)
	if err != nil {
		return err
	}
	ends, err := admin.ListEndOffsets(ctx, name)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "topic %s  id %s\n\n", name, kafka.TopicID(topic.ID))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "partition\tleader\tepoch\treplicas\tisr\tstart\tend\t")
	for _, p := range topic.Partitions.Sorted() {
		start, _ := starts.Lookup(name, p.Partition)
		end, _ := ends.Lookup(name, p.Partition)
		fmt.Fprintf(w, "%d\t%d\t%d\t%v\t%v\t%d\t%d\t\n",
			p.Partition, p.Leader, p.LeaderEpoch, p.Replicas, p.ISR, start.Offset, end.Offset)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return describeConfigs(ctx, out, admin, name)
}

// describeConfigs prints only what differs from the broker's defaults.
func describeConfigs(ctx context.Context, out io.Writer, admin *kadm.Client, name string) error {
	resources, err := admin.DescribeTopicConfigs(ctx, name)
	if err != nil {
		return err
	}
	resource, err := resources.On(name, nil)
	if err != nil {
		return err
	}
	var own []string
	for _, c := range resource.Configs {
		if strings.Contains(c.Source.String(), "TOPIC") {
			own = append(own, fmt.Sprintf("  %s=%s", c.Key, c.MaybeValue()))
		}
	}
	if len(own) == 0 {
		fmt.Fprintln(out, "\nno configs of its own")
		return nil
	}
	sort.Strings(own)
	fmt.Fprintf(out, "\nconfigs of its own:\n%s\n", strings.Join(own, "\n"))
	return nil
}

func topicDeleteCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a topic and its records",
		Args:  exactArgs(1, "the topic's name"),
	}
	bootstrap := bootstrapFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return withAdmin(cmd.Context(), *bootstrap, func(ctx context.Context, admin *kadm.Client) error {
			deleted, err := admin.DeleteTopic(ctx, args[0])
			if err != nil {
				return topicError("delete", args[0], deleted.ErrMessage, err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "deleted topic %s\n", args[0])
			return nil
		})
	}
	return cmd
}

// topicError names the topic and prefers the broker's own sentence to the code's.
func topicError(verb, name, message string, err error) error {
	if message != "" {
		return exitErrorf(exitFailure, "%s topic %s: %s (%w)", verb, name, message, err)
	}
	return exitErrorf(exitFailure, "%s topic %s: %w", verb, name, err)
}

func parseConfigs(pairs []string) (map[string]*string, error) {
	configs := make(map[string]*string, len(pairs))
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, usageErrorf("--config %q: want key=value, for example retention.ms=3600000", pair)
		}
		configs[key] = &value
	}
	return configs, nil
}
