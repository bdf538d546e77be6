package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidemark-log/tidemark/core/record"
)

func logCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Look into the files of a log directory",
	}
	cmd.AddCommand(logDumpCommand(), logCheckCommand())
	return cmd
}

func logDumpCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dump FILE…",
		Short: "Print the batches of segment files, and with --records what is in them",
		Example: `  tidemark log dump data/orders-0/00000000000000000000.log
  tidemark log dump --records data/orders-0/00000000000000000000.log`,
		Args: cobra.MinimumNArgs(1),
	}
	records := cmd.Flags().Bool("records", false, "print each record as a JSON object below its batch")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		for _, path := range args {
			if !strings.HasSuffix(path, ".log") {
				return usageErrorf("%s is not a segment file (NNNNNNNNNNNNNNNNNNNN.log)", path)
			}
			if err := dumpSegment(cmd.OutOrStdout(), path, *records); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

func dumpSegment(out io.Writer, path string, records bool) error {
	fmt.Fprintln(out, path)
	inspector := record.NewInspector(record.Limits{})
	for found, err := range segmentBatches(path) {
		if err != nil {
			return exitErrorf(exitFailure, "%s: at byte %d: %w", path, found.position, err)
		}
		crc := "ok"
		if !found.batch.CRCValid() {
			crc = "BAD"
		}
		fmt.Fprintf(out, "%10d  %s crc=%s\n", found.position, found.batch, crc)
		if records && crc == "ok" {
			if err := dumpRecords(out, inspector, found.batch); err != nil {
				return exitErrorf(exitFailure, "%s: at byte %d: %w", path, found.position, err)
			}
		}
	}
	return nil
}

func dumpRecords(out io.Writer, inspector *record.Inspector, b record.Batch) error {
	for r, err := range inspector.Records(b) {
		if err != nil {
			return err
		}
		line, err := json.Marshal(struct {
			Offset    int64   `json:"offset"`
			Timestamp int64   `json:"timestamp"`
			Key       *string `json:"key"`
			Value     *string `json:"value"`
		}{int64(r.Offset), int64(r.Timestamp), nullable(r.Key), nullable(r.Value)})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "            %s\n", line)
	}
	return nil
}
